"""The plan before the first write: a run checks and estimates, the operator asks the gates, people can read it.

It is made again when the attempt rises or something of what is still to come is changed. A failing check keeps the
next phase from starting; a warning does not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from firelift.api.cohort import Selection
from firelift.api.conditions import Reason
from firelift.api.digest import digest
from firelift.api.plan import INDEX_CHECK, MOST_CHECKS, SENTENCE, Check, CheckVerdict, PlanReport
from firelift.api.run import RunKind, RunPlan, RunState, run_id
from firelift.rollout.approvals import position
from firelift.rollout.conduct import POLL, exhausted, wanted_job
from firelift.rollout.intents import EnsureRun, ForgetRun, Intent, ShowPlan
from firelift.rollout.memory import changed, with_event
from firelift.rollout.observation import PlanMapSeen
from firelift.rollout.ownership import claimed
from firelift.rollout.place import Place
from firelift.rollout.plan_gates import heard
from firelift.rollout.plan_inputs import fresh, image, inputs, request
from firelift.rollout.plan_state import PlanRecord
from firelift.rollout.plan_text import map_data, map_name, summary
from firelift.rollout.required import unproven
from firelift.rollout.state import Mode, RolloutState, StepState
from firelift.rollout.turn import Outcome, Settled, Turn

STEP = "preflight"
ALL = "all"
"""What stands for step and migration in the name of a plan run."""

PLAN_AGAIN = timedelta(minutes=5)
"""How often a plan is made again that lacks an index: nothing of the spec changes when it is ready."""

ASK_AGAIN = timedelta(seconds=10)
"""How often gates whose queries failed are asked again."""


def planned(turn: Turn) -> Outcome | None:
    """Make a plan of all that is to come; None when there is one, it is shown, and no check of it fails."""
    if unclaimed := claimed(turn):
        return unclaimed
    record = turn.state.plan
    if record is None or not fresh(turn, record):
        return _begun(turn)
    if not record.answered or record.asking:
        moved = _reported(turn, record) or heard(turn, record)
        if moved is not None:
            return moved
    if not record.answered:
        return _under_way(turn, record)
    return _shown(turn, record) or _objecting(turn, record)


def due_again(place: Place) -> bool:
    """Whether a step must not begin, or be decided on by people, before there is a plan that speaks of it."""
    record, state = place.turn.state.plan, place.record.state
    if place.spec.approve is not None and state in {StepState.PENDING, StepState.RUNNING}:
        return True
    if state is not StepState.PENDING:
        return False
    return place.spec.irreversible or (record is not None and record.attempt != place.turn.state.attempt)


def objects(turn: Turn) -> bool:
    """Whether the rollout stands in front of a plan with a failing check."""
    record = turn.state.plan
    return turn.state.mode is Mode.FORWARD and record is not None and record.answered and bool(record.failing)


def map_wanted(turn: Turn) -> str:
    """The ConfigMap of the plan while it does not show it, as far as is known; else empty."""
    record = turn.state.plan
    waiting = record is not None and record.answered and record.shown != _map_digest(record)
    return map_name(turn.rollout.name) if waiting and turn.state.mode is Mode.FORWARD else ""


def _begun(turn: Turn) -> Outcome:
    if waits := unproven(turn):
        return waits
    state, old = turn.state, turn.state.plan
    number = old.number + 1 if old is not None else 1
    phase = position(turn)[0]
    record = PlanRecord(
        number=number,
        attempt=state.attempt,
        phase=phase,
        run=run_id(state.attempt, phase, STEP, ALL, RunKind.PLAN, number),
        replaces=(old.run if old.digest else old.replaces) if old is not None else "",
        known=(old.shown or old.known) if old is not None else "",
        inputs=inputs(turn),
        image=image(turn),
        request=request(turn),
        started=turn.now,
        asked=turn.now,
    )
    return changed(
        state,
        plan=record,
        trial=None,
        superseded=tuple(dict.fromkeys([*state.superseded, *state.trying])),
        worker_image=record.image or state.worker_image,
        progress_time=turn.now,
        seen_time=turn.now,
    )


def _under_way(turn: Turn, record: PlanRecord) -> Settled:
    seen, due = turn.run(record.run), turn.now + POLL
    if record.digest:
        return Settled(Reason.PLANNING, "the plan is made; asking whether the gates' queries answer", due=due)
    # A plan that lacks an index is made every five minutes, for days: first the one before goes.
    before = (ForgetRun(record.replaces),) if record.replaces and not seen.exists else ()
    intents: tuple[Intent, ...] = (*before, EnsureRun(_run(turn, record), RunState.RUN), *wanted_job(seen))
    message = f"run {record.run} checks the way and estimates what it costs; nothing is written before it has answered"
    return Settled(Reason.PLANNING, message, intents, due)


def _run(turn: Turn, record: PlanRecord) -> RunPlan:
    asked = record.request
    return RunPlan(
        id=record.run,
        ledger=turn.rollout.ledger_id,
        database=turn.spec.database,
        seed=turn.rollout.seed,
        attempt=record.attempt,
        phase=record.phase,
        step=STEP,
        kind=RunKind.PLAN,
        pass_number=record.number,
        migration=asked.migrations[0],
        selection=Selection(),
        now=turn.state.started or record.started,
        pace=asked.pace,
        workers=1,
        image=record.image,
        request=asked,
    )


def _reported(turn: Turn, record: PlanRecord) -> RolloutState | None:
    """Take the answer of the plan's run, or what its failure says, into the memory."""
    if record.digest:
        return None
    seen = turn.run(record.run)
    if seen.report is not None:
        return _answered(turn, record, seen.report)
    cause = exhausted(seen) or _overdue(turn)
    if not cause:
        return None
    message = f"the plan's run {record.run} has not answered: {cause}"[:SENTENCE]
    check = Check(check="worker", verdict=CheckVerdict.FAIL, message=message)
    state = _answered(turn, record, PlanReport(checks=(check,), time=turn.now))
    return changed(state, superseded=(*state.superseded, record.run))


def _overdue(turn: Turn) -> str:
    deadline, waited = turn.spec.progress_deadline_seconds, turn.seconds_since(turn.state.progress_time)
    return f"no word for {waited:,.0f}s > {deadline:,}s" if waited > deadline else ""


def _answered(turn: Turn, record: PlanRecord, report: PlanReport) -> RolloutState:
    made = changed(
        record,
        digest=digest([list(record.inputs), report.model_dump(mode="json", by_alias=True, exclude={"time"})]),
        time=turn.now,
        checks=report.checks[:MOST_CHECKS],
        counts=report.counts,
        phases=report.phases,
    )
    # Of large phases the first one too is cut into as many indexes as its source needs.
    found = {count.migration: count.documents for count in report.counts}
    return changed(turn.state, plan=made, sources={**turn.state.sources, **found})


def _shown(turn: Turn, record: PlanRecord) -> Outcome | None:
    """Let the ConfigMap hold the plan; None when it does."""
    wanted = _map_digest(record)
    if record.shown == wanted:
        return None
    name, seen = map_name(turn.rollout.name), turn.seen.plan_map or PlanMapSeen(exists=False)
    if seen.mine and seen.digest == wanted:
        state = changed(turn.state, plan=changed(record, shown=wanted))
        if record.failing and record.known == wanted:
            return state
        return with_event(state, turn.now, _event(record), summary(turn.spec, record))
    if seen.exists and not seen.mine:
        message = (
            f"ConfigMap {name} is there and is not this rollout's; rename or delete it, and the plan is shown in it"
        )
        return Settled(Reason.PREFLIGHT_FAILED, message, due=turn.now + ASK_AGAIN)
    intent = ShowPlan(name, wanted, map_data(turn, record, wanted))
    return Settled(Reason.PLANNING, f"the plan is made; showing it in ConfigMap {name}", (intent,), turn.now + POLL)


def _event(record: PlanRecord) -> str:
    return Reason.PREFLIGHT_FAILED if record.failing else "Planned"


def _map_digest(record: PlanRecord) -> str:
    return digest([record.digest, list(record.gates or ())])


def _objecting(turn: Turn, record: PlanRecord) -> Outcome | None:
    """A failing check settles the turn; gates that did not answer, and indexes, are asked for again by themselves."""
    failing = record.failing
    if not failing:
        return None
    gates = any(check.verdict is CheckVerdict.FAIL for check in record.gates or ())
    if gates and not record.asking and turn.now >= record.asked + ASK_AGAIN:
        return changed(turn.state, plan=changed(record, asked=turn.now, asking=True))
    indexes = any(check.check.startswith(INDEX_CHECK) for check in failing)
    if indexes and turn.now >= _made(record) + PLAN_AGAIN:
        return _begun(turn)
    more = f" (and {len(failing) - 1:,} more in status.preflight)" if len(failing) > 1 else ""
    ways = "correct it by an edit, or raise spec.attempt to check again"
    asked = "gates" if any(check.check.startswith("gate ") for check in failing) else "exports and imports"
    again = f"; {asked} are asked again by themselves" if gates else ""
    again += "; indexes are looked for again every 5 minutes" if indexes else ""
    message = f"preflight: {failing[0].check}: {failing[0].message}{more}; nothing was written; {ways}{again}"
    times = [record.asked if record.asking else record.asked + ASK_AGAIN] if gates else []
    times += [_made(record) + PLAN_AGAIN] if indexes else []
    due = max(turn.now + POLL, min(times)) if times else None
    return Settled(Reason.PREFLIGHT_FAILED, message, due=due)


def _made(record: PlanRecord) -> datetime:
    return record.time or record.started
