"""The verb `flags`: tell the app, and wait until it must have heard."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, ObjectName, Seconds

FlagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
SEED_SUFFIX = "_SEED"


class ConfigMapRef(Model):
    """A ConfigMap in the rollout's namespace. Firelift owns only the keys that it writes."""

    name: ObjectName


class FlagsStep(Model):
    """Set `set` as given, and publish each percent of `publish_cohort` under its key, the seed under `<KEY>_SEED`.

    The step is done when the values have stood for `propagation_seconds`. With `max_seconds` they are taken back
    by themselves that long after they were set.
    """

    config_map: ConfigMapRef
    set: Annotated[dict[FlagKey, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = {}
    publish_cohort: Annotated[dict[FlagKey, Annotated[int, Field(ge=0, le=100)]], Field(max_length=32)] = {}
    propagation_seconds: Seconds = 60
    max_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
