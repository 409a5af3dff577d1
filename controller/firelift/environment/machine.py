"""The entry points of the environment machine: what to look at, and what to make of it. Pure and total.

A decision is a fixed point. The rules are asked in the order of their precedence; as long as one changes the memory
they are all asked anew; when one settles the turn, its intents are what the memory, as it is then, wants done. So a
turn that is repeated decides nothing new, and a turn that was recorded but not acted on is acted on by the next one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import PlanPurpose
from firelift.environment import (
    acceptance,
    destroying,
    judging,
    planning,
    readiness,
    runs,
    sharing,
    tenancy,
    ttl_safety,
    unsaved,
)
from firelift.environment.intents import Decision, EmitEvent, Intent, KeepPlans, StartRun
from firelift.environment.memory import changed
from firelift.environment.observation import Environment, Observation, Wanted
from firelift.environment.state import EnvironmentState, Event, Run, RunKind
from firelift.environment.status import project
from firelift.environment.turn import Outcome, Rule, Settled, Turn, first

IDLE = timedelta(seconds=60)
"""How often a turn looks when nothing is due and nothing wakes it."""

WATCHING = timedelta(seconds=10)
"""How often it looks while something is built or run."""

SHORTEST = timedelta(seconds=1)
"""The shortest wait for what is due already, so that an edge that fails is not asked in a tight loop."""

MOVES = 100
"""The moves of one turn; one that has more goes on in the next turn."""


def initial_state(environment: Environment) -> EnvironmentState:
    """The memory of an environment that nobody has worked on yet, or whose memory was lost."""
    return EnvironmentState(attempt=environment.spec.attempt)


def wanted(environment: Environment, state: EnvironmentState, seen: Observation) -> Wanted:
    """What a decision needs to see beside what `seen` has already."""
    turn = Turn(environment, state, seen)
    return Wanted(run=state.run.id if state.run is not None else "", fields=ttl_safety.fields_wanted(turn))


def decide(environment: Environment, state: EnvironmentState, seen: Observation) -> Decision:
    """One turn: a new memory, the status that it makes, and what is to be done now."""
    turn = Turn(environment, state, seen)
    for _ in range(MOVES):
        outcome = first(turn, PRECEDENCE)
        if not isinstance(outcome, EnvironmentState) or outcome == turn.state:
            break
        turn = Turn(environment, outcome, seen)
    settled = outcome if isinstance(outcome, Settled) else Settled(EnvironmentReason.PLANNING, "the turn goes on")
    return _decision(state, turn, settled)


def idle(state: EnvironmentState) -> EnvironmentState:
    """The memory as if its run had not been decided on."""
    run = state.run
    worked = [each for each in state.worked if run is None or (each.by, each.started) != (run.by, run.started)]
    return changed(state, run=None, worked=tuple(worked))


def withdrawn(environment: Environment, state: EnvironmentState, seen: Observation) -> str:
    """Why the memory's run would not be decided on any more, now that its turn has come; empty when it would.

    `seen` is what a decision on the idle memory needs to see.
    """
    run = state.run
    decision = decide(environment, idle(state), seen)
    if run is not None and decision.state.run is not None and runs.same(decision.state.run, run):
        return ""
    return f"when its turn came, something else was to be done: {decision.status.message}"


def _kept(turn: Turn) -> Outcome | None:
    """A clock that jumped back must not make anything wait for the time that it came from."""
    state, now = turn.state, turn.now
    late: dict[str, object] = {}
    if state.failure is not None and state.failure.time > now:
        late["failure"] = changed(state.failure, time=now)
    if state.looked is not None and state.looked > now:
        late["looked"] = now
    if state.lock is not None and state.lock.seen > now:
        late["lock"] = changed(state.lock, seen=now)
    if state.plan is not None and state.plan.created > now:
        late["plan"] = changed(state.plan, created=now)
    return changed(state, **late) if late else None


def _accepted(turn: Turn) -> Outcome | None:
    """A higher attempt tries again what failed, asks again what was decided, and looks anew."""
    if turn.spec.attempt <= turn.state.attempt:
        return _of_this_attempt(turn)
    state = runs.given_up(turn)
    return changed(
        state,
        attempt=turn.spec.attempt,
        failure=None,
        unsaved="",
        heeded=state.unsaved or state.heeded,
        rejected="",
        rejected_by="",
        plan=state.plan if state.run is not None else None,
        looked=None,
        stuck=(),
    )


def _of_this_attempt(turn: Turn) -> Outcome | None:
    """A plan of an earlier attempt that a run left behind was approved in that attempt: it is made anew."""
    plan = turn.state.plan
    stale = plan is not None and plan.attempt != turn.state.attempt and turn.state.run is None
    return changed(turn.state, plan=None) if stale else None


def _at_work(turn: Turn) -> Outcome | None:
    """One run at a time: nothing is decided while it is at work."""
    run = turn.state.run
    if run is None:
        return None
    mine = run.by == turn.seen.operator.id
    start = (StartRun(run, turn.spec.terraform.timeout_seconds),) if mine else ()
    due = turn.now + WATCHING
    message = _doing(run) if mine else _elsewhere(turn, run)
    if run.kind is not RunKind.APPLY and run.purpose is PlanPurpose.DRIFT and _undisturbed(turn):
        return _ready(turn, start, due)
    return Settled(_REASONS[run.purpose, run.kind], message, start, due)


def _undisturbed(turn: Turn) -> bool:
    """Whether a look for drift is all that happens: nothing else was asked for meanwhile."""
    return readiness.as_applied(turn) and not turn.environment.deleting and not turn.spec.suspend


def _doing(run: Run) -> str:
    what = {RunKind.PLAN: "plans", RunKind.APPLY: f"applies plan {run.digest}", RunKind.UNLOCK: f"releases {run.lock}"}
    return f"{what[run.kind]} since {run.started:%Y-%m-%dT%H:%M:%SZ} ({run.id})"


def _elsewhere(turn: Turn, run: Run) -> str:
    where = f"{run.id} is at work in operator {run.by}"
    if run.by not in turn.seen.operator.unseen:
        return where
    return (
        f"{where} on {run.host}, of which nothing can be seen from here: it is no pod that this operator can list; "
        "once it has surely ended, raise `attempt`, and all is planned again"
    )


_REASONS = {
    (purpose, kind): EnvironmentReason.DESTROYING
    if purpose is PlanPurpose.DESTROY
    else (EnvironmentReason.APPLYING if kind is RunKind.APPLY else EnvironmentReason.PLANNING)
    for purpose in PlanPurpose
    for kind in RunKind
}


def _suspended(turn: Turn) -> Outcome | None:
    if not turn.spec.suspend:
        return None
    short = readiness.shortcoming(turn)
    seen = f"; {short[1]}" if short is not None else "; what was applied is ready"
    return Settled(EnvironmentReason.SUSPENDED, f"suspended: nothing is planned, applied or repaired{seen}")


def _usable(turn: Turn) -> Outcome | None:
    inputs = turn.seen.inputs
    if inputs.invalid:
        return Settled(EnvironmentReason.INVALID_SPEC, inputs.invalid)
    return Settled(EnvironmentReason.INPUT_MISSING, inputs.missing) if inputs.missing else None


def _at_rest(turn: Turn) -> Outcome | None:
    return _ready(turn)


def _ready(turn: Turn, intents: tuple[Intent, ...] = (), due: datetime | None = None) -> Settled:
    short = readiness.shortcoming(turn)
    if short is not None:
        return Settled(*short, intents, due or turn.now + WATCHING)
    return Settled(EnvironmentReason.READY, "all is as declared", intents, due)


PRECEDENCE: tuple[Rule, ...] = (
    runs.noticed,
    unsaved.found,
    _kept,
    readiness.noted,
    acceptance.noted,
    _accepted,
    _at_work,
    tenancy.refused,
    sharing.refused,
    unsaved.stalled,
    destroying.deleted,
    _suspended,
    _usable,
    planning.outdated,
    planning.planned,
    judging.judged,
    _at_rest,
)
"""Facts first, then: a run at work, what is not allowed, an unsound state, deletion, suspend, inputs, the next plan,
the plan at hand."""


def _decision(before: EnvironmentState, turn: Turn, settled: Settled) -> Decision:
    intents = settled.intents
    if turn.state != before:
        # An Event is for people and sent once: what a later intent meets must not cost them the news.
        intents = (*_events(before, turn.state), KeepPlans(_plans(turn.state)), *intents)
        turn = Turn(turn.environment, changed(turn.state, version=before.version + 1), turn.seen)
    own = settled.due or turn.now + IDLE
    return Decision(
        state=turn.state,
        status=project(turn, settled),
        intents=intents,
        due=max(turn.now + SHORTEST, min(own, turn.now + IDLE)),
        finalizer=not destroying.over(turn),
    )


def _plans(state: EnvironmentState) -> frozenset[str]:
    at_work = (state.run.id, state.run.plan) if state.run is not None else ()
    return frozenset(name for name in (*at_work, state.plan.run if state.plan is not None else "") if name)


def _events(before: EnvironmentState, after: EnvironmentState) -> tuple[EmitEvent, ...]:
    known = set(map(_identity, before.history))
    fresh = [event for event in after.history if _identity(event) not in known]
    return tuple(EmitEvent(event.reason, event.message, event.reason in _WARNINGS) for event in fresh)


def _identity(event: Event) -> tuple[datetime, str, str]:
    return event.time, event.reason, event.message


_WARNINGS = frozenset(
    {"PlanFailed", "ApplyFailed", "UnlockFailed", "Rejected", "StateLocked", "RunLost", "Drifted", "StateUnsaved"}
)
