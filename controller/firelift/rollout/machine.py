"""The entry points of the rollout machine: what to look at, and what to make of it. Pure and total.

A decision is a fixed point. The rules are asked in the order of their precedence; as long as one changes the memory
they are all asked anew; when one settles the turn, its intents are what the memory, as it is then, wants done. So a
turn that is repeated decides nothing new, and a turn that was recorded but not acted on is acted on by the next one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from firelift.api.conditions import Reason
from firelift.rollout import attempts, clock, ownership, rest, revert, running, tenancy, transfers, windows
from firelift.rollout.approvals import overrides
from firelift.rollout.evidence import due_measurements, earliest_due
from firelift.rollout.forward import advance
from firelift.rollout.intents import ClaimLedger, Decision, EmitEvent, Intent
from firelift.rollout.memory import changed
from firelift.rollout.observation import LedgerSeen, Observation, Rollout, Wanted
from firelift.rollout.place import current
from firelift.rollout.plan_gates import queries_wanted
from firelift.rollout.planning import map_wanted
from firelift.rollout.required import environments_wanted
from firelift.rollout.required_rollouts import rollouts_wanted
from firelift.rollout.state import Event, Mode, RolloutState
from firelift.rollout.status import progress, project
from firelift.rollout.transfers_left import TRANSFER_LEFT
from firelift.rollout.turn import Outcome, Rule, Settled, Turn, first

IDLE = timedelta(seconds=10)
"""How often a turn looks when nothing is due and nothing wakes it."""

SHORTEST = timedelta(seconds=1)
"""The shortest wait for what is due already, so that an edge that fails is not asked in a tight loop."""

MOVES = 1000
"""The moves of one turn; one that has more goes on in the next turn."""


def initial_state(rollout: Rollout, now: datetime) -> RolloutState:
    """The memory of a rollout that nobody has worked on yet."""
    return RolloutState(attempt=rollout.spec.attempt, started=now, progress_time=now, seen_time=now)


def wanted(rollout: Rollout, state: RolloutState, now: datetime) -> Wanted:
    """What the next decision needs to see, beside the ledger's root, the approvals and the time."""
    turn = Turn(rollout, state, Observation(now=now, ledger=LedgerSeen()))
    place = running.at_work(turn)
    flags = place.spec.flags if place is not None else None
    config_maps = [flags.config_map.name] if flags else []
    judging = current(turn) if state.mode is Mode.FORWARD and clock.moving(turn) else None
    return Wanted(
        runs=running.active_runs(turn),
        config_maps=tuple(dict.fromkeys([*config_maps, *windows.windows_open(turn)])),
        locks=state.locks,
        environments=environments_wanted(turn),
        backups=transfers.wanted(turn),
        rollouts=rollouts_wanted(turn),
        measurements=due_measurements(judging) if judging is not None else (),
        queries=queries_wanted(turn) if clock.moving(turn) else {},
        plan_map=map_wanted(turn),
    )


def decide(rollout: Rollout, state: RolloutState, seen: Observation) -> Decision:
    """One turn: a new memory, the status that it makes, and what is to be done now."""
    turn = Turn(rollout, state, seen)
    for _ in range(MOVES):
        outcome = first(turn, PRECEDENCE)
        if not isinstance(outcome, RolloutState) or outcome == turn.state:
            break
        turn = Turn(rollout, outcome, seen)
    settled = outcome if isinstance(outcome, Settled) else Settled(Reason.STARTING, "the turn goes on", due=seen.now)
    return _decision(state, turn, settled)


def _by_mode(turn: Turn) -> Outcome:
    match turn.state.mode:
        case Mode.FORWARD:
            return advance(turn)
        case Mode.REVERTING:
            return revert.walk_back(turn)
        case Mode.PAUSED:
            return rest.paused(turn)
        case Mode.ABORTED:
            return rest.stopped(turn)
        case Mode.REVERT_FAILED:
            return rest.stuck(turn)
        case Mode.SUCCEEDED | Mode.REVERTED:
            return rest.over(turn)


PRECEDENCE: tuple[Rule, ...] = (
    ownership.reachable,
    tenancy.refused,
    ownership.declared,
    ownership.owned,
    running.noticed,
    transfers.noticed,
    windows.opened,
    windows.closed,
    clock.kept,
    rest.deleted,
    rest.aborted,
    attempts.accepted,
    rest.suspended,
    revert.requested,
    tenancy.held,
    overrides,
    _by_mode,
)
"""Facts first, then: deletion, Abort, suspend, Revert, what is not allowed, Advance."""


def _decision(before: RolloutState, turn: Turn, settled: Settled) -> Decision:
    intents: tuple[Intent, ...] = settled.intents
    ledger = turn.seen.ledger
    if ledger.mine and not ledger.foreign and not ledger.error:
        intents = (*windows.closing(turn), *transfers.closing(turn), *intents)
    if turn.state != before:
        # An Event is for people and sent once: what a later intent meets must not cost them the news.
        intents = (*_events(before, turn.state), *intents)
        turn = Turn(turn.rollout, changed(turn.state, version=before.version + 1), turn.seen)
    return Decision(
        state=turn.state,
        status=project(turn, settled),
        progress=progress(turn),
        intents=intents,
        due=_due(turn, settled),
        finalizer=_finalizer(turn, intents),
    )


def _events(before: RolloutState, after: RolloutState) -> tuple[EmitEvent, ...]:
    known = set(map(_identity, before.history))
    fresh = [event for event in after.history if _identity(event) not in known]
    return tuple(EmitEvent(event.reason, event.message, event.reason in _WARNINGS) for event in fresh)


def _identity(event: Event) -> tuple[datetime, str, str]:
    return event.time, event.reason, event.message


_WARNINGS = frozenset(
    {
        Reason.DATABASE_NOT_ALLOWED,
        Reason.BUCKET_NOT_ALLOWED,
        Reason.PREFLIGHT_FAILED,
        Reason.GATE_FAILED,
        Reason.GATE_WITHOUT_VERDICT,
        Reason.STEP_FAILED,
        Reason.STEP_TIMED_OUT,
        Reason.NO_PROGRESS,
        Reason.REJECTED,
        Reason.REVERT_FAILED,
        Reason.REVERTED_WITH_CONFLICTS,
        "GateFailing",
        "AttemptRefused",
        TRANSFER_LEFT,
    }
)


def _due(turn: Turn, settled: Settled) -> datetime:
    place = current(turn)
    times = [*windows.windows_open(turn).values()]
    if turn.state.mode not in ownership.ENDED and transfers.open_places(turn):
        times.append(turn.now + transfers.POLL_OPERATION)
    if place is not None and turn.state.mode is Mode.FORWARD and clock.moving(turn):
        if (next_measurement := earliest_due(place)) is not None:
            times.append(next_measurement)
        if place.spec.timeout_seconds is not None and place.record.started is not None:
            times.append(turn.after(None, place.spec.timeout_seconds - place.elapsed()))
    own = max(turn.now, settled.due or turn.now + IDLE)
    return min([own, *(max(turn.now + SHORTEST, time) for time in times)])


def _finalizer(turn: Turn, intents: tuple[Intent, ...]) -> bool:
    """Whether something is held that only Firelift can give back, or a deletion would revert something."""
    ledger, state = turn.seen.ledger, turn.state
    if ledger.error:
        return turn.rollout.deleting or bool(state.phases)
    held = (ledger.mine and not ledger.foreign) or any(isinstance(intent, ClaimLedger) for intent in intents)
    return held or rest.must_revert(turn)
