"""A ledger that is not there any more, though its rollout has begun: nothing is begun anew by itself.

The ledger is a rollout's memory. Without it a rollout looks like one that nobody has worked on yet, and would set the
flags of its first phase again, over the data and the flags of its last.
"""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.kube.client import Json
from firelift.operator.ledger import LedgerRead
from firelift.rollout.observation import Rollout

OVER = {
    Reason.COMPLETED: "all phases are done",
    Reason.REVERTED: "it was reverted and verified",
    Reason.REVERTED_WITH_CONFLICTS: "it was reverted, and conflicts were left as the app wrote them",
}
"""What remains to be said of a rollout that is over, whose ledger goes with the end of its retention."""


_WENT_BACK = {Reason.REVERTED.value, Reason.REVERTED_WITH_CONFLICTS.value, Reason.REVERT_FAILED.value}


def lost(rollout: Rollout, read: LedgerRead, status: Json) -> tuple[Reason, str] | None:
    """What is to be said of a rollout that has begun and has no ledger; None where nothing is wrong.

    An object that is being deleted holds nothing without its ledger, and is let go like any other. So is one that went
    back to its start when a higher attempt asks it to begin again: its data is as if it had never begun.
    """
    there = read.update_time is not None or read.seen.error
    if there or not _begun(status) or rollout.deleting or _may_begin_again(rollout, status):
        return None
    ledger = f"ledger {rollout.ledger_id}"
    if (over := _over(status)) is not None:
        return over, f"{OVER[over]}; {ledger} is gone, as after the end of its retention, so nothing can be taken back"
    phase = next(iter(status.get("startedPhases", ())[-1:]), "")
    message = (
        f"{ledger} is not in database {rollout.spec.database.project}/{rollout.spec.database.name}, though "
        f"{f'phase {phase}' if phase else 'the rollout'} has started: it was deleted there, or the database was "
        "restored without it. Its Jobs are removed, and nothing is done or taken back; bring the "
        "ledger back from a backup, or delete this object and make it again to begin anew"
    )
    return Reason.LEDGER_LOST, message


def _begun(status: Json) -> bool:
    """Also where all of it was taken back, after which no phase counts as started: it was begun all the same."""
    phases = any("startTime" in phase for phase in status.get("phases", ()))
    return bool(status.get("startedPhases")) or phases or status.get("reason") in _WENT_BACK


def _may_begin_again(rollout: Rollout, status: Json) -> bool:
    spec = rollout.spec
    whole = status.get("reason") == Reason.REVERTED.value and not status.get("startedPhases")
    return whole and spec.intent is None and spec.attempt > int(status.get("attempt", 0))


def _over(status: Json) -> Reason | None:
    if (status.get("promotion") or {}).get("completedTime"):
        return Reason.COMPLETED
    return next((reason for reason in OVER if reason.value == status.get("reason")), None)
