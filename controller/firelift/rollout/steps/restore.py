"""The verb `restore`: an import, under the locks of what it overwrites. It deletes nothing, and has no inverse."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.steps.restore import RestoreStep
from firelift.rollout import transfers
from firelift.rollout.backups import TransferKind
from firelift.rollout.conduct import locked
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.transfer_state import TransferRecord
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    step = place.spec.restore
    if step is None:
        return Finished(place.record)
    if (waiting := locked(place, step.collections)) is not None:
        return waiting
    wanted = TransferRecord(
        kind=TransferKind.IMPORT,
        uri=step.export,
        collections=step.collections,
        attempt=place.turn.state.attempt,
    )
    match transfers.carried(place, wanted, Reason.RESTORING):
        case TransferRecord() as record:
            return _judged(place, record)
        case outcome:
            return outcome


def _judged(place: Place, record: TransferRecord) -> StepOutcome:
    if bad := transfers.how_it_ended(record):
        return Failed(f"{bad}; what it came to is overwritten, and importing again goes over all of it")
    message = (
        f"{record.documents:,} documents, {record.size:,} bytes imported from {record.uri}; documents created since "
        "that export stay"
    )
    return Finished(changed(place.record, message=message))


def what_it_does(step: RestoreStep) -> str:
    """What people have to know who approve it."""
    return (
        f"it imports {', '.join(step.collections)} from {step.export}, and an import deletes nothing: documents "
        "created since that export stay, documents changed since are overwritten, and nothing keeps what they were"
    )


RESTORE = Twin(forward=_forward)
