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


def lost(rollout: Rollout, read: LedgerRead, status: Json) -> tuple[Reason, str] | None:
    """What is to be said of a rollout that has begun and has no ledger; None where nothing is wrong.

    An object that is being deleted holds nothing without its ledger, and is let go like any other.
    """
    there = read.update_time is not None or read.seen.error
    if there or not status.get("startedPhases") or rollout.deleting:
        return None
    ledger = f"ledger {rollout.ledger_id}"
    anew = "delete this object and make it again to begin anew"
    over = next((reason for reason in OVER if reason.value == status.get("reason")), None)
    if over is not None:
        return over, f"{OVER[over]}; {ledger} is gone, as after the end of its retention, so nothing can be taken back"
    message = (
        f"{ledger} is not in database {rollout.spec.database.project}/{rollout.spec.database.name}, though phase "
        f"{status['startedPhases'][-1]} has started: it was deleted there, or the database was restored without it. "
        f"Workers have stopped and nothing is done or taken back; bring it back from a backup, or {anew}"
    )
    return Reason.LEDGER_LOST, message
