"""Which backup or export a rollout can stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from firelift.api.conditions import Reason
from firelift.api.rollout import RolloutSpec
from firelift.api.status import WaitingFor
from firelift.rollout.backups import READY, SUCCESSFUL, BackupsSeen, TransferKind
from firelift.rollout.memory import changed, with_event
from firelift.rollout.state import RolloutState
from firelift.rollout.transfer_state import StoodOn
from firelift.rollout.turn import Outcome, Settled, Turn

LOOK_AGAIN = timedelta(seconds=10)
"""How often a backup that is waited for is looked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a backup must be: not older, not smaller."""

    max_age_seconds: int
    min_bytes: int


def required(turn: Turn, *, writing: bool) -> Outcome | None:
    """Why the rollout does not go on without the backup of `requires.backup`; None when it is there.

    The age counts at the first write. What was found then is remembered (`writing`), and is enough while it exists.
    """
    asked = turn.spec.requires.backup
    if asked is None:
        return None
    if turn.seen.backups is None:
        return Settled(Reason.WAITING_FOR_BACKUP, "looking for a backup of the database", due=turn.now)
    stood = turn.state.backup
    if stood is not None and _is_there(stood, turn.seen.backups):
        return None
    found = newest(turn, Asked(asked.max_age_seconds, asked.min_bytes))
    if isinstance(found, str):
        return awaited(turn, f"requires.backup: {_not_seen(stood)}{found}")
    return _stands_on(turn, found) if writing else None


def _stands_on(turn: Turn, found: StoodOn) -> RolloutState:
    copy, gone = f"{found.name} of {found.time:%Y-%m-%dT%H:%M:%SZ}, {found.size:,} bytes", turn.state.backup
    what = f"the first write stands on {copy}"
    if gone is not None:
        what = (
            f"{copy}, stands in the place of {gone.name}, which is gone: the first write stood on that one, and what "
            "earlier phases had changed by then is in this one as they changed it"
        )
    return with_event(changed(turn.state, backup=found), turn.now, "BackupFound", what)


def _not_seen(stood: StoodOn | None) -> str:
    return f"{stood.name}, which the first write stood on, is not to be seen; " if stood is not None else ""


def awaited(turn: Turn, sentence: str) -> Settled:
    """Wait for a backup, and look again."""
    waiting = WaitingFor(name=f"a backup of database {turn.spec.database.name}"[:512])
    return Settled(Reason.WAITING_FOR_BACKUP, sentence, due=turn.now + LOOK_AGAIN, waiting_for=waiting)


def newest(turn: Turn, asked: Asked) -> StoodOn | str:
    """The newest copy that is complete, young and large enough; else what is wrong with the newest, as a sentence."""
    seen = turn.seen.backups or BackupsSeen()
    found = sorted(_complete(turn, seen), key=lambda copy: copy.time, reverse=True)
    good = (copy for copy in found if not _objection(turn, copy, asked))
    if (chosen := next(good, None)) is not None:
        return chosen
    errors = "".join(f"; {error}" for error in (seen.backups_error, seen.operations_error) if error)
    if found:
        return (
            f"{_objection(turn, found[0], asked)}; make another one, by gcloud firestore export or a schedule{errors}"
        )
    return (
        f"there is no complete backup of database {turn.spec.database.name}, and no complete export of all that the "
        f"rollout touches; make one by gcloud firestore export, or declare a backup schedule{_unfinished(seen)}{errors}"
    )


def touched(spec: RolloutSpec) -> frozenset[str]:
    """The collection groups that the rollout reads or writes."""
    moved = {group for each in spec.migrations for group in (each.source_group, *each.lock_groups)}
    steps = (step for phase in spec.phases for step in phase.steps)
    return frozenset(moved | {group for step in steps if step.restore for group in step.restore.collections})


def _complete(turn: Turn, seen: BackupsSeen) -> Iterator[StoodOn]:
    uid = turn.seen.ledger.actual_database_uid
    for backup in seen.backups:
        # A database of the same name that was deleted has backups too.
        if backup.state == READY and (not uid or backup.database_uid == uid):
            yield StoodOn(name=backup.name, backup=True, time=backup.time, size=backup.size)
    for operation in seen.operations:
        covers = not operation.collections or touched(turn.spec) <= operation.collections
        whole = operation.kind is TransferKind.EXPORT and operation.state == SUCCESSFUL and covers
        if whole and operation.time is not None:
            yield StoodOn(name=operation.uri, backup=False, time=operation.time, size=operation.size)


def _objection(turn: Turn, copy: StoodOn, asked: Asked) -> str:
    age = _age(turn, copy.time)
    if age > asked.max_age_seconds:
        return f"the newest is {copy.name}, {age:,.0f}s old > maxAgeSeconds {asked.max_age_seconds:,}s"
    if copy.size < asked.min_bytes:
        return f"the newest is {copy.name}, {copy.size:,} bytes < minBytes {asked.min_bytes:,}"
    return ""


def _age(turn: Turn, time: datetime) -> float:
    return turn.seconds_since(time)


def _unfinished(seen: BackupsSeen) -> str:
    """That one is being made, which is a reason to wait and not to make another."""
    making = [backup.name for backup in seen.backups if backup.state == "CREATING"]
    making += [each.uri for each in seen.operations if each.kind is TransferKind.EXPORT and not each.ended]
    return f"; {making[0]} is being made" if making else ""


def _is_there(stood: StoodOn, seen: BackupsSeen) -> bool:
    return not stood.backup or any(each.name == stood.name and each.state == READY for each in seen.backups)
