"""The base of every model, and the bounded strings that the API is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "firelift.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/way-back"
FIELD_MANAGER = "firelift"
ROLLOUT_LABEL = f"{GROUP}/rollout"
ENVIRONMENT_LABEL = f"{GROUP}/environment"
RUN_ANNOTATION = f"{GROUP}/run"
ENTRIES_ANNOTATION = f"{GROUP}/entries"


class Model(BaseModel):
    """Frozen, camelCase outside, and closed: an unknown field is an error, never ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")


Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
FieldPathText = Annotated[str, Field(min_length=1, max_length=512)]
Expression = Annotated[str, Field(min_length=1, max_length=1024)]
Sentence = Annotated[str, Field(max_length=1024)]
DigestText = Annotated[str, Field(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")]
Percentage = Annotated[str, Field(max_length=16, pattern=r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$")]
Seconds = Annotated[int, Field(ge=0, le=31_536_000)]
