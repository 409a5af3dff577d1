"""At rest: paused, aborted, stuck on the way back, suspended, or over. What is held, and what lets it go on."""

from __future__ import annotations

from datetime import datetime, timedelta

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import Reason
from firelift.api.rollout import DeletionPolicy, RevertTo
from firelift.api.rollout import Intent as Asked
from firelift.rollout import transfers, transfers_left
from firelift.rollout.approvals import silenced, valid
from firelift.rollout.attempts import accepted, refusal
from firelift.rollout.clock import MOVING
from firelift.rollout.conduct import POLL, freed, gone, hold, lingering, stop
from firelift.rollout.credits import credited, own
from firelift.rollout.failing import Cause, reverting
from firelift.rollout.intents import Intent, ReleaseLedger, ReleaseLock
from firelift.rollout.memory import changed, with_event
from firelift.rollout.ownership import ENDED, claimed
from firelift.rollout.place import Place, current, last_executed, places
from firelift.rollout.rehearsal import given_up
from firelift.rollout.revert import undoable, walk_back
from firelift.rollout.running import active_runs
from firelift.rollout.state import Mode, Rehearsal, RolloutState, StepState
from firelift.rollout.steps import twin
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.windows import all_closed, windows_open

_AT_REST = timedelta(days=1)
"""How seldom a turn looks when only a change of the object leads out of its state; a change wakes it."""

_SPARE = timedelta(days=1)
"""For so long the ledger outlives the promised way back: a revert that is asked for in the last moment takes the times
to expire away portion by portion, and nothing of it may be gone by then."""

_NAMED = 3
"""How many steps a sentence names."""


def deleted(turn: Turn) -> Outcome | None:
    """The object is being deleted: revert first where that is asked for, then let everything go."""
    if not turn.rollout.deleting:
        return None
    if not must_revert(turn):
        return _let_go(turn)
    revert = turn.state.revert
    if turn.state.mode is Mode.REVERT_FAILED:
        return accepted(turn) or stuck(turn)
    if turn.state.mode is Mode.REVERTING and revert is not None and revert.first_index == 0:
        return claimed(turn) or walk_back(turn)
    cause = Cause(Reason.REVERTING, "the object is being deleted, and its deletionPolicy is Revert")
    return claimed(turn) or reverting(turn, RevertTo.ROLLOUT_START, cause)


def must_revert(turn: Turn) -> bool:
    """Whether a deletion takes data back first: asked for, something stands, and the ledger is not another's."""
    asked = turn.spec.deletion_policy is DeletionPolicy.REVERT
    return asked and not turn.seen.ledger.foreign and undoable(turn)


def aborted(turn: Turn) -> Outcome | None:
    """`spec.intent: Abort` stops what is under way; nothing else."""
    if turn.spec.intent is not Asked.ABORT or turn.state.mode in {Mode.ABORTED, *ENDED}:
        return None
    if unclaimed := claimed(turn):
        return unclaimed
    state = changed(turn.state, mode=Mode.ABORTED)
    return with_event(state, turn.now, Reason.ABORTED, "spec.intent asks to abort: workers stop, data and flags stay")


def suspended(turn: Turn) -> Outcome | None:
    """`spec.suspend` holds the way forward and the way back alike."""
    if turn.rollout.deleting or not turn.spec.suspend or turn.state.mode not in MOVING:
        return None
    direction = "reverting" if turn.state.mode is Mode.REVERTING else "under way"
    message = f"suspended while {direction}: workers idle and the clock stands still; set spec.suspend: false to go on"
    intents = hold(turn, active_runs(turn))
    return Settled(Reason.SUSPENDED, message + refusal(turn), intents, turn.now + (POLL if intents else _AT_REST))


def stopped(turn: Turn) -> Outcome:
    """Aborted: workers are gone, locks are kept, data and flags are as they were at that moment."""
    message = (
        "aborted: workers are stopped, data and flags are left as they are; set spec.intent: Revert to go back, or "
        "remove it and raise spec.attempt to go on"
    )
    runs = active_runs(turn)
    message += lingering(turn, runs) + transfers.leaving(turn)
    intents = stop(turn, runs)
    return Settled(Reason.ABORTED, message + refusal(turn), intents, turn.now + (POLL if intents else _AT_REST))


def paused(turn: Turn) -> Outcome:
    """Paused by a failure: a person skips the step, silences the gate, or asks for another attempt or a revert."""
    failure, place = turn.state.failure, current(turn)
    if place is not None and failure is not None:
        if failure.gate and silenced(turn, failure.gate):
            return _resumed(place)
        skips = valid(turn, ApprovalDecision.SKIP) if place.spec.approve is None else []
        if skips:
            return _skipped(place, skips[0].approver)
    reason = failure.reason if failure else Reason.STEP_FAILED
    message = failure.message if failure else "paused"
    return Settled(reason, message + refusal(turn), hold(turn, active_runs(turn)))


def stuck(turn: Turn) -> Outcome:
    """A revert that could not finish: a person repairs its cause, or keeps the step as it is."""
    failure, place = turn.state.failure, last_executed(turn)
    if place is not None and (skips := valid(turn, ApprovalDecision.SKIP)):
        state = changed(place.save(state=StepState.KEPT), mode=Mode.REVERTING, failure=None)
        state = changed(state, superseded=active_runs(turn))
        return with_event(state, turn.now, "StepKept", f"{skips[0].approver} keeps {place.title} as it is")
    message = failure.message if failure else "the revert could not finish"
    return Settled(Reason.REVERT_FAILED, message + refusal(turn), hold(turn, active_runs(turn)))


def over(turn: Turn) -> Outcome:
    """Succeeded or reverted: locks and ledger are given back, the way back stays open until the retention ends."""
    state = turn.state
    reason, message = _ending(turn)
    if turn.seen.ledger.mine and (importing := transfers_left.unlocking(turn, reason, message)) is not None:
        return importing
    if forgotten := freed(turn):
        return forgotten
    intents: tuple[Intent, ...] = tuple(ReleaseLock(group) for group in state.locks)
    if not intents and turn.seen.ledger.mine and not windows_open(turn):
        intents = (ReleaseLedger(expire=_expires(state)),)
    due = turn.now + (POLL if intents else _AT_REST)
    if state.retention_until is not None and state.retention_until > turn.now:
        due = min(due, state.retention_until)
    return Settled(reason, message + refusal(turn), intents, due)


def _ending(turn: Turn) -> tuple[Reason, str]:
    state = turn.state
    if state.mode is Mode.SUCCEEDED:
        return Reason.COMPLETED, f"all phases are done; {_way_back(turn)}"
    again = "correct the cause and raise spec.attempt to try again"
    if turn.spec.intent is Asked.REVERT:
        again = "remove spec.intent and raise spec.attempt, in one edit, to start again"
    cause = f" after {state.revert.message}" if state.revert else ""
    what = _reverted(turn)
    if state.revert and state.revert.conflicts:
        kept = f"{state.revert.conflicts:,} conflicts were left as the app wrote them"
        return Reason.REVERTED_WITH_CONFLICTS, f"{what}, {kept}{cause}; {again}"
    return Reason.REVERTED, f"{what}{cause}; {again}"


def _way_back(turn: Turn) -> str:
    until = turn.state.retention_until
    shown = f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else "the end of the ledger's retention"
    if until is None or turn.now < until:
        return f"spec.intent: Revert takes them back until {shown}"
    ignored = ", so spec.intent: Revert is not followed" if turn.spec.intent is Asked.REVERT else ""
    return f"the way back has been closed since {shown}{ignored}"


def _reverted(turn: Turn) -> str:
    """What was undone, and what was not: steps that were kept are neither reverted nor verified."""
    goal = turn.state.revert.first_index if turn.state.revert else 0
    stays = (place for place in places(turn) if place.phase_index >= goal and place.record.state is StepState.KEPT)
    earlier = (f"step {left.step} of phase {left.phase}" for left in turn.state.left)
    kept = list(dict.fromkeys([*(place.title for place in stays), *earlier]))
    named = ", ".join(kept[:_NAMED])
    more = f" and {len(kept) - _NAMED:,} more" if len(kept) > _NAMED else ""
    return (
        f"reverted and verified, except for what was kept as it is: {named}{more}" if kept else "reverted and verified"
    )


def _let_go(turn: Turn) -> Outcome:
    """Stop, then give back: a lock is kept until the Jobs are gone, and each of them goes behind all of its pods.

    Only a Commit that the database had received from a killed pod, and not yet answered, can still land behind it.
    """
    runs = active_runs(turn)
    if turn.seen.ledger.mine and not gone(turn, runs):
        message = f"the object is being deleted: waiting for workers to leave{lingering(turn, runs)}"
        return Settled(Reason.RELEASING, message, stop(turn, runs), turn.now + POLL)
    if turn.seen.ledger.mine and (closing := all_closed(turn) or transfers_left.given_up(turn)) is not None:
        return closing
    if forgotten := freed(turn):
        return forgotten
    intents: tuple[Intent, ...] = tuple(ReleaseLock(group) for group in turn.state.locks)
    if not intents and turn.seen.ledger.mine:
        intents = (ReleaseLedger(expire=_expires(turn.state)),)
    due = turn.now + POLL if intents else None
    return Settled(Reason.RELEASING, "the object is being deleted: lock and ledger are given back", intents, due)


def _expires(state: RolloutState) -> datetime | None:
    return state.retention_until + _SPARE if state.retention_until is not None else None


def _resumed(place: Place) -> RolloutState:
    begun = place.record.state is not StepState.PENDING
    state = place.save(state=StepState.RUNNING if begun else StepState.PENDING, message="")
    state = changed(state, mode=Mode.FORWARD, failure=None)
    return with_event(state, place.turn.now, "Resumed", f"{place.title} goes on")


def _skipped(place: Place, approver: str) -> RolloutState:
    turn, plans = place.turn, twin(place).plans(place)
    if place.phase.rehearsal is Rehearsal.BACK:
        state = changed(given_up(turn), mode=Mode.FORWARD, failure=None, superseded=active_runs(turn))
        what = f"{approver} skips the rest of the rehearsal: what stands of {place.title} stays, and is moved over"
        return with_event(state, turn.now, "StepSkipped", what)
    totals = place.record.totals.plus(own(place, plans))
    state = credited(place, plans).save(state=StepState.SKIPPED, finished=turn.now, totals=totals)
    state = changed(
        state,
        mode=Mode.FORWARD,
        failure=None,
        step_index=place.step_index + 1,
        gates=(),
        superseded=active_runs(turn),
    )
    return with_event(state, turn.now, "StepSkipped", f"{approver} skips {place.title}")
