"""A ledger that is not there any more, though its rollout has begun: nothing is begun anew by itself.

The ledger is a rollout's memory. Without it a rollout looks like one that nobody has worked on yet, and would set the
flags of its first phase again, over the data and the flags of its last.
"""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.rollout import DeletionPolicy
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

    An object that is being deleted is let go, behind its `farewell`. One that went back to its start begins again when
    a higher attempt asks it to: its data is as if it had never begun.
    """
    if _there(read) or not _begun(status) or rollout.deleting or _may_begin_again(rollout, status):
        return None
    ledger = f"ledger {rollout.ledger_id}"
    if (over := _over(status)) is not None:
        gone = f"{ledger} is gone, as after the end of its retention, so nothing can be taken back"
        return over, f"{OVER[over]}; {gone}{_asked_for_more(rollout, status)}"
    phase = next(iter(status.get("startedPhases", ())[-1:]), "")
    message = (
        f"{_absent(rollout)}, though {f'phase {phase}' if phase else 'the rollout'} has started: it was deleted there, "
        "or the database was "
        "restored without it. Its Jobs are removed, and nothing is done or taken back; bring the "
        "ledger back from a backup, or delete this object and make it again to begin anew"
    )
    return Reason.LEDGER_LOST, message


def farewell(rollout: Rollout, read: LedgerRead, status: Json) -> str:
    """What is to be said of an object that goes while its ledger is lost; empty where nothing is wrong."""
    if _there(read) or not rollout.deleting or not _begun(status) or _over(status) is not None:
        return ""
    asked = rollout.spec.deletion_policy is DeletionPolicy.REVERT
    what = "deletionPolicy: Revert takes nothing back" if asked else "nothing is taken back"
    return (
        f"the object is being deleted: {_absent(rollout)}, so {what}: data and flags stay as they are, and the locks "
        "that it holds are given back"
    )


def _there(read: LedgerRead) -> bool:
    return read.update_time is not None or bool(read.seen.error)


def _absent(rollout: Rollout) -> str:
    database = rollout.spec.database
    return f"ledger {rollout.ledger_id} is not in database {database.project}/{database.name}"


def _begun(status: Json) -> bool:
    """Also where all of it was taken back, after which no phase counts as started: it was begun all the same."""
    phases = any("startTime" in phase for phase in status.get("phases", ()))
    return bool(status.get("startedPhases")) or phases or status.get("reason") in _WENT_BACK


def _may_begin_again(rollout: Rollout, status: Json) -> bool:
    return _wholly_reverted(status) and rollout.spec.intent is None and _attempt_asked_for(rollout, status)


def _asked_for_more(rollout: Rollout, status: Json) -> str:
    """Why a higher attempt does not begin."""
    if not _attempt_asked_for(rollout, status):
        return ""
    attempt = f"; attempt {rollout.spec.attempt}"
    if _wholly_reverted(status):
        return f"{attempt} begins when spec.intent is removed"
    return (
        f"{attempt} cannot begin, because only the ledger knew what stands of the phases before: delete this object "
        "and make it again to begin anew"
    )


def _wholly_reverted(status: Json) -> bool:
    return status.get("reason") == Reason.REVERTED.value and not status.get("startedPhases")


def _attempt_asked_for(rollout: Rollout, status: Json) -> bool:
    return rollout.spec.attempt > int(status.get("attempt", 0))


def _over(status: Json) -> Reason | None:
    if (status.get("promotion") or {}).get("completedTime"):
        return Reason.COMPLETED
    return next((reason for reason in OVER if reason.value == status.get("reason")), None)
