"""What of an environment must not change: rules over the old and the new object."""

from __future__ import annotations

from firelift.api.rules import Rule


def _immutable(field: str, why: str) -> Rule:
    return Rule(
        f"self.spec.{field} == oldSelf.spec.{field}",
        f"`{field}` must not change from %s to %s: {why}",
        inserts=(f"oldSelf.spec.{field}", f"self.spec.{field}"),
        field=f".spec.{field}",
    )


ENVIRONMENT_ROOT_RULES = (
    _immutable("project.id", "everything would be left behind; create another environment for it"),
    _immutable("database.name", "the data would be left behind; create another environment for it"),
    _immutable("database.location", "a database cannot move; create another one, and a rollout that copies"),
    _immutable("database.edition", "a database cannot change it; create another one, and a rollout that copies"),
    Rule(
        "self.spec.terraform.backend == oldSelf.spec.terraform.backend",
        "`terraform.backend` must not change: its state would be left behind and all be made twice; delete the object"
        " with `deletionPolicy: Retain`, move the state, and create it anew",
        field=".spec.terraform.backend",
    ),
    Rule(
        "self.spec.attempt >= oldSelf.spec.attempt",
        "`attempt` must only rise: it was %d and cannot become %d",
        inserts=("oldSelf.spec.attempt", "self.spec.attempt"),
        field=".spec.attempt",
    ),
)
