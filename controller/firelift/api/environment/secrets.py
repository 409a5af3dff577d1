"""`spec.secrets`: containers in Secret Manager, and their values, which nobody but it ever shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.references import KeyRef

SecretVersion = Annotated[int, Field(ge=1, le=1_000_000)]


class SecretSpec(Model):
    """A secret. Its value is written only; it is in no state, no plan and no status."""

    value_from: KeyRef | None = None
    """A key of a Secret in the environment's namespace. Absent: a container, whose value is set by others."""
    version: SecretVersion = 1
    """Raise it to have a changed value written: a value that is never read back cannot be compared."""
