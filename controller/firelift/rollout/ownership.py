"""The ledger is the authority: nothing is decided without it, and nothing while it belongs to somebody else."""

from __future__ import annotations

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import Reason
from firelift.api.rollout import DeletionPolicy
from firelift.rollout.approvals import valid
from firelift.rollout.intents import ClaimLedger, EmitEvent
from firelift.rollout.memory import changed, with_event
from firelift.rollout.state import Mode
from firelift.rollout.turn import Outcome, Settled, Turn

ENDED = {Mode.SUCCEEDED, Mode.REVERTED}


def reachable(turn: Turn) -> Outcome | None:
    """While the ledger cannot be read the rollout neither advances nor reverts."""
    error = turn.seen.ledger.error
    if not error:
        return None
    message = f"the ledger of database {_database(turn)} cannot be read: {error}; it is tried again by itself"
    return Settled(Reason.DATABASE_UNREACHABLE, message)


def declared(turn: Turn) -> Outcome | None:
    """No ledger is made, adopted or followed in another database than the declared one.

    Where ours says that it was made in that one, and just the answer is missing, the step at hand goes on, and all goes
    back; the next step that changes anything, the next plan and the next phase wait for the answer.
    """
    ledger, database = turn.seen.ledger, turn.spec.database
    mistake = database.mistaken(ledger.actual_database_uid)
    proven = ledger.mine and not ledger.actual_database_uid and ledger.database_uid == database.uid
    if not mistake or proven or turn.rollout.deleting:
        return None
    return Settled(Reason.DATABASE_DIFFERS, f"{mistake}; nothing was written there")


def owned(turn: Turn) -> Outcome | None:
    """The ledger must be ours, and of this very database; a rollout that is over needs none."""
    ledger, state = turn.seen.ledger, turn.state
    if ledger.owner is not None and ledger.of_another:
        who = f"{ledger.owner.name} (uid {ledger.owner.uid}, cluster {ledger.owner.cluster})"
        return _foreign(turn, Reason.LEDGER_OWNED_BY_ANOTHER, f"ledger {turn.rollout.ledger_id} belongs to {who}")
    if ledger.from_elsewhere:
        what = (
            f"ledger {turn.rollout.ledger_id} was made in a database with uid {ledger.database_uid}, this one has uid "
            f"{ledger.actual_database_uid}: it came along with a restore or a clone"
        )
        return _foreign(turn, Reason.LEDGER_FROM_ANOTHER_DATABASE, f"{what}{_locks_that_stay(turn)}")
    if ledger.mine and state.adopting:
        return changed(state, adopting="")
    begun = bool(state.phases or state.plan) and state.mode not in ENDED
    return claimed(turn) if begun and not turn.rollout.deleting else None


def claimed(turn: Turn) -> Settled | None:
    """The ledger is free or about to expire, and something is about to need it; None when it is ours to keep."""
    if turn.seen.ledger.mine and not turn.seen.ledger.expiring:
        return None
    message = f"claiming ledger {turn.rollout.ledger_id}"
    return Settled(Reason.STARTING, message, (ClaimLedger(),), turn.now)


def _foreign(turn: Turn, reason: Reason, what: str) -> Outcome:
    uid = turn.rollout.uid
    if turn.rollout.deleting:
        return _left_alone(turn, reason, what)
    if turn.state.adopting == uid:
        return Settled(Reason.STARTING, f"{what}; this rollout adopts it", (ClaimLedger(adopt=True),), turn.now)
    if adopters := valid(turn, ApprovalDecision.ADOPT):
        state = changed(turn.state, adopting=uid, adoptions=turn.state.adoptions + 1)
        return with_event(state, turn.now, "Adopted", f"{what}; {adopters[0].approver} lets uid {uid} adopt it")
    advice = "approve Adopt to take it over, or make a new object with another spec.ledgerID"
    return Settled(reason, f"{what}; {advice}")


def _left_alone(turn: Turn, reason: Reason, what: str) -> Settled:
    """The status of an object that goes is read by nobody behind it, an Event is: it says what the deletion leaves."""
    kept = turn.spec.deletion_policy is DeletionPolicy.REVERT and turn.state.phases
    unfollowed = ", so deletionPolicy: Revert takes nothing back" if kept else ""
    message = f"the object is being deleted: {what}, and is left as it is{unfollowed}"
    return Settled(Reason.RELEASING, message, (EmitEvent(reason, message, warning=True),))


def _locks_that_stay(turn: Turn) -> str:
    """What a deletion leaves behind, said while it can still be read."""
    groups = ", ".join(turn.state.locks)
    return f", and with it the locks of {groups}, which stay until the ledger is adopted" if groups else ""


def _database(turn: Turn) -> str:
    database = turn.spec.database
    return f"{database.project}/{database.name}"
