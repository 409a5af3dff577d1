"""What the namespace of a rollout may touch of what its spec names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firelift.api.conditions import Reason
from firelift.api.rollout import RolloutSpec
from firelift.api.tenancy import Tenancy
from firelift.rollout.observation import LedgerSeen, Rollout

_SCHEME = "gs://"


@dataclass(frozen=True, slots=True)
class Barred:
    """Why the namespace may not touch what the spec names."""

    reason: Reason
    message: str


def barred(rollout: Rollout) -> Barred | None:
    """What the spec names that its namespace may not touch; None when it may touch all of it."""
    tenancy = rollout.tenancy
    return next(objections(rollout.spec, tenancy), None) if tenancy.binds else None


def objections(spec: RolloutSpec, tenancy: Tenancy) -> Iterator[Barred]:
    """One for each place that is not allowed, by the path of its field."""
    database = spec.database
    if sentence := tenancy.database("spec.database", database.project, database.name):
        yield Barred(Reason.DATABASE_NOT_ALLOWED, sentence)
    for field, uri in _buckets(spec):
        bucket, _, folder = uri.removeprefix(_SCHEME).partition("/")
        if sentence := tenancy.bucket(field, bucket, folder):
            yield Barred(Reason.BUCKET_NOT_ALLOWED, sentence)


def stranger(rollout: Rollout, *, held: bool) -> Barred | None:
    """Why not even its ledger is read: it is not allowed, and nothing shows that it ever was.

    `held`: it has the finalizer, which comes before a ledger is claimed.
    """
    return None if held or rollout.begun else barred(rollout)


def ours(ledger: LedgerSeen) -> bool:
    """Whether it is this object's, and of this very database."""
    return ledger.mine and not ledger.foreign


def unclaimed(rollout: Rollout, ledger: LedgerSeen) -> Barred | None:
    """Why nothing but its ledger's root is read: that is not this object's, and no phase of it ever started."""
    return None if ours(ledger) or rollout.begun else barred(rollout)


def _buckets(spec: RolloutSpec) -> Iterator[tuple[str, str]]:
    for index, phase in enumerate(spec.phases):
        for number, step in enumerate(phase.steps):
            field = f"spec.phases[{index}].steps[{number}]"
            if step.backup is not None and step.backup.export is not None:
                yield f"{field}.backup.export.bucket", step.backup.export.bucket
            if step.restore is not None:
                yield f"{field}.restore.export", step.restore.export
