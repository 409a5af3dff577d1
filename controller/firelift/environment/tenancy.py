"""Nothing is planned, applied or destroyed where the namespace may not touch the database, or the state's bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.tenancy import Tenancy
from firelift.environment import destroying
from firelift.environment.neighbours import prefix_of
from firelift.environment.observation import Environment
from firelift.environment.turn import Outcome, Settled, Turn


@dataclass(frozen=True, slots=True)
class Barred:
    """Why the namespace may not touch what the spec names."""

    reason: EnvironmentReason
    message: str


def barred(environment: Environment) -> Barred | None:
    """What the spec names that its namespace may not touch; None when it may touch all of it."""
    found = objections(environment.spec, environment.tenancy, environment.namespace, environment.name)
    return next(found, None)


def objections(spec: EnvironmentSpec, tenancy: Tenancy, namespace: str, name: str) -> Iterator[Barred]:
    """One for each place that is not allowed, by the path of its field."""
    if sentence := tenancy.database("spec.database", spec.project.id, spec.database.name):
        yield Barred(EnvironmentReason.DATABASE_NOT_ALLOWED, sentence)
    gcs = spec.terraform.backend.gcs
    if gcs is not None:
        folder = prefix_of(namespace, name, gcs.prefix)
        if sentence := tenancy.bucket("spec.terraform.backend.gcs", gcs.bucket, folder):
            yield Barred(EnvironmentReason.BUCKET_NOT_ALLOWED, sentence)


def refused(turn: Turn) -> Outcome | None:
    """Nothing is run on it; an object that takes nothing along may go."""
    found = barred(turn.environment)
    if found is None or destroying.over(turn):
        return None
    if turn.environment.deleting:
        out = destroying.way_out(turn.environment.namespace, turn.environment.name)
        return Settled(found.reason, f"{found.message}; nothing is destroyed, all that it has made is there; {out}")
    stays = "; what was applied stays" if turn.state.applied is not None else ""
    return Settled(found.reason, f"{found.message}; nothing is planned, applied or looked at{stays}")
