"""`mode: DryRun` and `mode: Validate`: behind the plan, instead of the first phase, and without a write to any data."""

from __future__ import annotations

from datetime import timedelta

from firelift.api.cohort import BUCKETS, Selection
from firelift.api.conditions import Reason
from firelift.api.rollout import RolloutMode
from firelift.api.run import RunKind, RunPlan, RunState, Totals, run_id
from firelift.rollout.conduct import POLL, examples, exhausted, hold, tally, wanted_job
from firelift.rollout.intents import EnsureRun, Intent
from firelift.rollout.memory import MESSAGE, changed, with_event
from firelift.rollout.place import current
from firelift.rollout.plan_inputs import coming
from firelift.rollout.plan_state import PlanRecord, Trial
from firelift.rollout.progress import watched_runs
from firelift.rollout.state import Mode, RolloutState
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.twin import Failed

KINDS = {RolloutMode.DRY_RUN: RunKind.DRY_RUN, RolloutMode.VALIDATE: RunKind.VALIDATE}
REASONS = {RolloutMode.DRY_RUN: Reason.DRY_RUNNING, RolloutMode.VALIDATE: Reason.VALIDATING}
NAMES = {RolloutMode.DRY_RUN: "dry run", RolloutMode.VALIDATE: "validation"}

_AT_REST = timedelta(days=1)


def out_of_place(turn: Turn) -> Settled | None:
    """A trial has no place in a phase that is under way."""
    place = current(turn)
    if turn.spec.mode is RolloutMode.MIGRATE or place is None:
        return None
    message = (
        f"mode: {turn.spec.mode} writes nothing, and phase {place.phase.name} is under way: workers idle; "
        "set mode: Migrate to go on, or take the phase back first with spec.intent: Revert"
    )
    runs = [run for run in turn.seen.runs if run not in turn.state.superseded]
    return Settled(Reason.INVALID_SPEC, message, hold(turn, runs))


def tried(turn: Turn) -> Outcome | None:
    """Lead the trial to its end and stay there; None where the rollout is to migrate."""
    record, plan = turn.state.trial, turn.state.plan
    if turn.spec.mode is RolloutMode.MIGRATE or plan is None:
        return None
    if record is None or record.plan != plan.number:
        return _begun(turn, plan)
    return _over(turn, record) if record.ended else _led(turn, record, plan)


def trials(turn: Turn) -> tuple[RunPlan, ...]:
    """The runs of the trial that is asked for, one per migration that a phase to come moves."""
    plan = turn.state.plan
    if turn.spec.mode is RolloutMode.MIGRATE or plan is None:
        return ()
    return _plans(turn, plan)


def ended(turn: Turn) -> bool:
    """Whether the rollout stands behind a trial that has ended."""
    record = turn.state.trial
    asked = turn.spec.mode is not RolloutMode.MIGRATE and turn.state.mode is Mode.FORWARD
    return asked and record is not None and record.ended


def _begun(turn: Turn, plan: PlanRecord) -> RolloutState:
    runs = tuple(each.id for each in _plans(turn, plan))
    record = Trial(plan=plan.number, mode=turn.spec.mode, runs=runs, started=turn.now)
    return changed(turn.state, trial=record, progress_time=turn.now, seen_time=turn.now, progress_mark=0)


def _plans(turn: Turn, plan: PlanRecord) -> tuple[RunPlan, ...]:
    moved = {
        name for each in coming(turn) for step in each.phase.steps if step.migrate for name in step.migrate.migrations
    }
    known = {migration.name: migration for each in coming(turn) for migration in each.migrations}
    kind, state = KINDS[turn.spec.mode], turn.state
    return tuple(
        RunPlan(
            id=run_id(plan.attempt, plan.phase, str(kind), name, kind, plan.number),
            ledger=turn.rollout.ledger_id,
            database=turn.spec.database,
            seed=turn.rollout.seed,
            attempt=plan.attempt,
            phase=plan.phase,
            step=str(kind),
            kind=kind,
            pass_number=plan.number,
            migration=migration,
            selection=Selection(to_bucket=BUCKETS),
            closing=True,
            now=state.started or plan.started,
            pace=plan.request.pace,
            workers=plan.request.workers,
            image=plan.image,
        )
        for name, migration in known.items()
        if name in moved
    )


def _led(turn: Turn, record: Trial, plan: PlanRecord) -> Outcome:
    plans = _plans(turn, plan)
    one = next((each for each in plans if not turn.run(each.id).complete), None)
    if one is None:
        return _ended(turn, record, tally(turn, plans))
    seen = turn.run(one.id)
    if cause := exhausted(seen):
        return _failed(turn, record, f"run {one.id}: {cause}")
    match watched_runs(turn, plans, f"the {NAMES[record.mode]}"):
        case Failed() as failure:
            return _failed(turn, record, failure.message)
        case RolloutState() as moved:
            return moved
    message = f"{NAMES[record.mode]} of {one.migration.name}, run {one.id}: no document of the app is written"
    intents: tuple[Intent, ...] = (EnsureRun(one, RunState.RUN), *wanted_job(seen))
    return Settled(REASONS[record.mode], message, intents, turn.now + POLL)


def _ended(turn: Turn, record: Trial, totals: Totals) -> RolloutState:
    done = changed(record, finished=turn.now, totals=totals, message=_found(turn, record, totals)[:MESSAGE])
    return with_event(changed(turn.state, trial=done), turn.now, Reason.COMPLETED, done.message)


def _failed(turn: Turn, record: Trial, cause: str) -> RolloutState:
    message = f"{NAMES[record.mode]} failed: {cause}"[:MESSAGE]
    done = changed(record, finished=turn.now, failure=message)
    state = changed(turn.state, trial=done, superseded=(*turn.state.superseded, *record.runs))
    return with_event(state, turn.now, Reason.STEP_FAILED, message)


def _over(turn: Turn, record: Trial) -> Settled:
    if record.failure:
        advice = "correct the cause by an edit, or raise spec.attempt to try again"
        return Settled(Reason.STEP_FAILED, f"{record.failure}; nothing was written; {advice}")
    return Settled(Reason.COMPLETED, f"{record.message}; set mode: Migrate to begin", due=turn.now + _AT_REST)


def _found(turn: Turn, record: Trial, totals: Totals) -> str:
    letters = f"{totals.dead_letters:,} cannot move{examples(turn, trials(turn)) if totals.dead_letters else ''}"
    if record.mode is RolloutMode.VALIDATE:
        return f"validation: of {totals.read:,} documents {totals.unchanged:,} are fit to move, {letters}"
    return (
        f"dry run: {totals.created:,} documents would be created, {totals.updated:,} updated, "
        f"{totals.skipped + totals.unchanged:,} left alone; {letters}; before and after stand in the ledger"
    )
