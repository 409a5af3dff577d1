"""The verb `backup`: an export that is made and complete, or a backup that is found; either large enough."""

from __future__ import annotations

from datetime import datetime

from firelift.api.conditions import Reason
from firelift.api.steps.backup import BackupStep, ExportSpec
from firelift.rollout import transfers
from firelift.rollout.backups import TransferKind
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.recent import Asked, awaited, newest
from firelift.rollout.transfer_state import TransferRecord
from firelift.rollout.turn import Settled
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    step = place.spec.backup
    if step is None:
        return Finished(place.record)
    return _recent(place, step) if step.export is None else _exported(place, step, step.export)


def _recent(place: Place, step: BackupStep) -> StepOutcome:
    turn = place.turn
    if turn.seen.backups is None:
        return Settled(Reason.WAITING_FOR_BACKUP, "looking for a backup of the database", due=turn.now)
    found = newest(turn, Asked(step.max_age_seconds or 0, step.min_bytes))
    if isinstance(found, str):
        return awaited(turn, f"{place.title}: {found}")
    message = f"{found.name} of {found.time:%Y-%m-%dT%H:%M:%SZ} is complete, {found.size:,} bytes"
    return Finished(changed(place.record, message=message))


def _exported(place: Place, step: BackupStep, export: ExportSpec) -> StepOutcome:
    known = place.record.transfer
    mine = known is not None and known.attempt == place.turn.state.attempt
    uri = known.uri if known is not None and mine else folder(place, export)
    wanted = TransferRecord(
        kind=TransferKind.EXPORT,
        uri=uri,
        collections=export.collections,
        snapshot=_began(place).replace(second=0, microsecond=0) if export.consistent else None,
        attempt=place.turn.state.attempt,
    )
    match transfers.carried(place, wanted, Reason.BACKING_UP):
        case TransferRecord() as record:
            return _judged(place, step, record)
        case outcome:
            return outcome


def _judged(place: Place, step: BackupStep, record: TransferRecord) -> StepOutcome:
    if bad := transfers.how_it_ended(record):
        return Failed(bad)
    if record.size < step.min_bytes:
        return Failed(
            f"the export to {record.uri} is complete with {record.documents:,} documents and {record.size:,} bytes < "
            f"minBytes {step.min_bytes:,}: see whether the database, or its collections, are those that were meant"
        )
    as_of = f", as of {record.snapshot:%Y-%m-%dT%H:%M:%SZ}" if record.snapshot is not None else ""
    message = f"{record.documents:,} documents, {record.size:,} bytes exported to {record.uri}{as_of}"
    return Finished(changed(place.record, message=message))


def folder(place: Place, export: ExportSpec) -> str:
    """Where the step's export goes. The time at which the step began makes it a folder that nothing is in."""
    name = f"{place.turn.state.attempt}-{place.phase.name}-{place.key}-{_began(place):%Y%m%dT%H%M%SZ}"
    return f"{export.bucket}/{place.turn.rollout.ledger_id}/{name}"


def _began(place: Place) -> datetime:
    return place.record.started or place.turn.now


def _inverse(place: Place) -> StepOutcome:
    return transfers.inverse(place) or Finished(place.record)


BACKUP = Twin(forward=_forward, inverse=_inverse)
