"""The verb `flags`: tell the app, and wait until it must have heard."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model, ObjectName, Seconds
from firelift.api.rules import Rule, RuledModel, Rules

FlagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
SEED_SUFFIX = "_SEED"


class ConfigMapRef(Model):
    """A ConfigMap in the rollout's namespace. Firelift owns only the keys that it writes."""

    name: ObjectName
    """Its name; the step waits until it exists."""


class FlagsStep(RuledModel):
    """Write values for the app into a ConfigMap, and wait until it must have heard."""

    config_map: ConfigMapRef
    set: Annotated[dict[FlagKey, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = {}
    """Values by their keys, written as they are."""
    publish_cohort: Annotated[dict[FlagKey, Annotated[int, Field(ge=0, le=100)]], Field(max_length=6)] = {}
    """Percents by their keys; the seed of the cohort hash is written beside each, under `<KEY>_SEED`."""
    propagation_seconds: Seconds = 60
    """How long the values must have stood until every instance of the app follows them."""
    max_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """They are taken back by themselves that long after they were set."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.set.size() > 0 || self.publishCohort.size() > 0",
            "flags must have `set` or `publishCohort`",
            lambda flags: flags.set or flags.publish_cohort,
        ),
        Rule(
            "self.publishCohort.all(k, !(k in self.set) && !((k + '_SEED') in self.set)"
            " && !((k + '_SEED') in self.publishCohort))",
            "keys of `publishCohort`, and the same with `_SEED`, must not be set otherwise",
            lambda flags: all(_is_free(flags, key) for key in flags.publish_cohort),
        ),
        Rule(
            "!has(self.maxSeconds) || self.maxSeconds > self.propagationSeconds",
            "`maxSeconds` must be more than the %d of `propagationSeconds`, not %d",
            lambda flags: flags.max_seconds is None or flags.max_seconds > flags.propagation_seconds,
            inserts=("self.propagationSeconds", "self.maxSeconds"),
            values=lambda flags: (flags.propagation_seconds, flags.max_seconds),
        ),
        Rule(
            "!has(self.maxSeconds) || self.publishCohort.size() == 0",
            "`maxSeconds` must not come with `publishCohort`: taken back, it would hide what has been moved",
            lambda flags: flags.max_seconds is None or not flags.publish_cohort,
        ),
    )


def _is_free(flags: FlagsStep, key: str) -> bool:
    seed = key + SEED_SUFFIX
    return key not in flags.set and seed not in flags.set and seed not in flags.publish_cohort
