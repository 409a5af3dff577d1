"""What must hold in every turn of every rollout, checked against a world."""

from __future__ import annotations

import math

from tests.rollout_world import FORWARD_KINDS, HARMLESS_KINDS, WRITING_KINDS, World

from firelift.api.conditions import ConditionStatus, ConditionType, Reason, conditions_of
from firelift.api.rollout import Intent as Asked
from firelift.api.rollout import RolloutMode
from firelift.api.run import RunKind, RunPlan, RunState, kind_of
from firelift.api.steps.soak import Evidence
from firelift.rollout.allowed import barred
from firelift.rollout.approvals import silenced
from firelift.rollout.evidence import watched
from firelift.rollout.gates import intervals
from firelift.rollout.ground import RolloutKey
from firelift.rollout.intents import (
    AcquireLock,
    ClaimLedger,
    Decision,
    EmitEvent,
    EnsureJob,
    EnsureRun,
    Intent,
    SetFlags,
    ShowPlan,
    StartTransfer,
)
from firelift.rollout.machine import decide
from firelift.rollout.observation import Observation
from firelift.rollout.place import EXECUTED, Place, goes_back, places
from firelift.rollout.state import Mode, RolloutState, StepState
from firelift.rollout.turn import Turn
from firelift.rollout.windows import windows_open

FOREIGN = {Reason.LEDGER_OWNED_BY_ANOTHER, Reason.LEDGER_FROM_ANOTHER_DATABASE, Reason.STARTING}
CHANGING = {"flags", "migrate", "sweep", "delete"}
AT_REST = {Mode.PAUSED, Mode.ABORTED, Mode.REVERT_FAILED, Mode.SUCCEEDED, Mode.REVERTED}


def check_decision(world: World, before: RolloutState, seen: Observation, decision: Decision) -> None:
    """All rules that speak of one decision."""
    turn = Turn(world.rollout, decision.state, seen)
    _decided_once(world, seen, decision)
    _remembered(before, decision)
    _in_order(turn)
    _told(turn, decision)
    _only_when_moving(turn, decision)
    _only_started_phases(decision)
    _planned_first(turn, before, decision)
    _on_its_ground(turn, before, decision)
    _begun_once(turn, decision)
    _only_where_it_may(turn, before, decision)
    _proven_elsewhere(turn, before, decision)
    _frozen_plans(world, decision)
    _soaked_on_evidence(world, before, seen, decision)
    _ledger_first(seen, decision)
    _undone_in_reverse(world, before, seen, decision)
    if seen.ledger.mine and not seen.ledger.foreign:
        _nothing_forgotten(world, turn)
    if decision.state.mode is Mode.REVERTED:
        _verified(world, turn)


def check_world(world: World, decision: Decision) -> None:
    """All rules that speak of the world after the intents were carried out."""
    _cancelled(world, decision)
    every = (*world.runs.values(), *world.plan_runs.values())
    there = [run for run in every if run.job and not run.complete]
    busy = [run for run in there if run.state is RunState.RUN and not run.going]
    writers = [run for run in there if run.plan.kind in WRITING_KINDS]
    groups = [group for run in writers for group in _written(run.plan)]
    assert len(groups) == len(set(groups)), f"two writers in one group: {[run.plan.id for run in there]}"
    assert all(world.locks.get(group) == world.rollout.ledger_id for group in groups), "a writer without its lock"
    suspended = world.rollout.spec.suspend and not world.rollout.deleting
    if decision.state.mode in AT_REST or suspended:
        own = [run for run in busy if not world.ledger_error and decision.status.reason not in FOREIGN]
        assert not own, f"{own[0].plan.id} works although the rollout is at rest"
    if busy and decision.state.mode is Mode.REVERTING:
        assert not any(run.plan.kind in FORWARD_KINDS for run in busy), "a forward run works during a revert"
    if world.database_uid not in {"", "db"}:
        return
    if not decision.finalizer and world.owner is not None and not world.ledger_error:
        assert world.owner.uid != world.rollout.uid, "the finalizer is gone while the ledger is held"
    if not decision.finalizer and world.rollout.deleting and not world.ledger_error:
        theirs = world.owner is not None and world.owner.uid != world.rollout.uid
        held = world.rollout.ledger_id in world.locks.values()
        assert theirs or not held, "the finalizer is gone while a lock is held"
        assert not busy, "the finalizer is gone while a run is held"


def _decided_once(world: World, seen: Observation, decision: Decision) -> None:
    again = decide(world.rollout, decision.state, seen)
    assert again.state == decision.state, "deciding again decides something new"
    assert _lasting(again.intents) == _lasting(decision.intents), "deciding again wants something else"
    assert again.status == decision.status, "deciding again says something else"


def _lasting(intents: tuple[Intent, ...]) -> list[Intent]:
    return [intent for intent in intents if not isinstance(intent, EmitEvent)]


def _remembered(before: RolloutState, decision: Decision) -> None:
    after = decision.state
    assert after.version == before.version + (after != before)
    assert RolloutState.model_validate_json(after.model_dump_json(by_alias=True)) == after


def _in_order(turn: Turn) -> None:
    started = [place for place in places(turn) if place.record.state is not StepState.PENDING]
    for place in started:
        if place.record.state in {StepState.RUNNING, StepState.FAILED}:
            assert all(other.record.state in EXECUTED for other in place.before()), f"{place.title} runs out of order"
        if place.record.state is StepState.UNDOING:
            behind = [other for other in places(turn) if other.ordinal > place.ordinal]
            assert not any(other.standing for other in behind), f"{place.title} is undone too early"
    if turn.state.mode is Mode.SUCCEEDED:
        assert all(place.record.state in EXECUTED for place in places(turn))


def _told(turn: Turn, decision: Decision) -> None:
    status = decision.status
    found = {condition.type: condition.status for condition in status.conditions}
    assert found == conditions_of(Reason(status.reason))
    both = {found[ConditionType.RECONCILING], found[ConditionType.STALLED]}
    assert both != {ConditionStatus.TRUE}
    assert status.message
    assert decision.due >= turn.now
    assert {record.name for record in decision.state.phases} >= set(status.started_phases)


def _only_when_moving(turn: Turn, decision: Decision) -> None:
    running = [intent for intent in decision.intents if isinstance(intent, EnsureRun | EnsureJob)]
    state = decision.state
    if state.mode in AT_REST or (turn.spec.suspend and not turn.rollout.deleting):
        assert not running, f"a run works although the rollout is {state.mode}, suspended: {turn.spec.suspend}"
    for intent in running:
        if isinstance(intent, EnsureRun):
            if intent.plan.kind in HARMLESS_KINDS:
                assert state.mode is Mode.FORWARD
                continue
            forward = intent.plan.kind in FORWARD_KINDS
            forwards = state.mode is Mode.FORWARD and not goes_back(turn)
            assert forwards if forward else goes_back(turn) and state.mode in {Mode.FORWARD, Mode.REVERTING}
            assert intent.plan.attempt == state.attempt


def _only_started_phases(decision: Decision) -> None:
    for intent in decision.intents:
        if isinstance(intent, EnsureRun) and intent.plan.kind not in HARMLESS_KINDS:
            assert intent.plan.phase in decision.status.started_phases


def _planned_first(turn: Turn, before: RolloutState, decision: Decision) -> None:
    """No phase starts without a plan of it that is shown and in which nothing fails, nor in any mode but Migrate."""
    started = decision.state.phases[len(before.phases) :] if decision.state.mode is Mode.FORWARD else ()
    record = decision.state.plan
    for _ in started:
        assert turn.spec.mode is RolloutMode.MIGRATE, "a phase starts although nothing is to be written"
        assert record is not None, "a phase starts without a plan"
        assert record.answered, "a phase starts before its plan is made"
        assert not record.failing, "a phase starts although its plan fails"
        assert record.attempt == decision.state.attempt, "a phase starts on the plan of another attempt"
        assert decision.status.plan is not None, "a phase starts on a plan that nobody can see"
    for intent in decision.intents:
        if isinstance(intent, EnsureRun) and intent.plan.kind in WRITING_KINDS | {RunKind.VERIFY}:
            assert turn.spec.mode is RolloutMode.MIGRATE or decision.state.mode is Mode.REVERTING


def _on_its_ground(turn: Turn, before: RolloutState, decision: Decision) -> None:
    """No phase or step that changes anything starts on an environment that is not Ready; a revert asks for none."""
    if decision.state.mode is not Mode.FORWARD:
        assert decision.status.reason != Reason.WAITING_FOR_ENVIRONMENT, "a way back waits for an environment"
        return
    required = turn.spec.requires.environment
    if required is None:
        return
    seen = turn.seen.environments.get(required.name)
    ready = seen.conditions.get("Ready") if seen is not None else None
    stands = seen is not None and ready is not None and ready.status is ConditionStatus.TRUE
    stands = stands and seen is not None and seen.generation == seen.observed_generation and not seen.deleting
    if stands:
        return
    _begins_nothing(turn, before, "an environment that is not Ready")


def _proven_elsewhere(turn: Turn, before: RolloutState, decision: Decision) -> None:
    """No such phase or step starts before the same has been completed elsewhere; a revert does not ask for that."""
    if decision.state.mode is not Mode.FORWARD:
        reasons = {Reason.WAITING_FOR_ROLLOUT, Reason.PLAN_DIFFERS}
        assert decision.status.reason not in reasons, "a way back waits for another rollout"
        assert not turn.seen.rollouts or before.mode is Mode.FORWARD
        return
    for required in turn.spec.requires.rollouts:
        seen = turn.seen.rollouts.get(RolloutKey(required.namespace or "demo", required.name or ""))
        there = seen is not None and seen.exists and not (seen.deleting or seen.invalid or seen.error)
        stands = seen is not None and there and seen.reason == "Completed" and seen.observed_generation == 1
        plan = seen.promotion if seen is not None and stands else None
        since = plan.completed_time if plan is not None else None
        soaked = since is not None and (turn.now - since).total_seconds() >= required.soaked_seconds
        own = decision.status.promotion
        if not soaked or plan is None or own is None or plan.digest != own.digest:
            _begins_nothing(turn, before, "a rollout that has not completed the same")


def _begins_nothing(turn: Turn, before: RolloutState, lacking: str) -> None:
    assert len(turn.state.phases) <= len(before.phases), f"a phase starts on {lacking}"
    begun = {(place.phase_index, place.key) for place in places(Turn(turn.rollout, before, turn.seen)) if place.begun}
    for place in places(turn):
        if place.spec.verb in CHANGING and place.begun:
            assert (place.phase_index, place.key) in begun, f"{place.title} writes on {lacking}"


def _only_where_it_may(turn: Turn, before: RolloutState, decision: Decision) -> None:
    """Nothing goes forward in a database that the namespace may not touch; the way back asks nobody."""
    if barred(turn.rollout) is None:
        return
    lacking = "a database that its namespace may not touch"
    _begins_nothing(turn, before, lacking)
    backwards = decision.state.mode in {Mode.REVERTING, Mode.REVERT_FAILED}
    asked_back = backwards or turn.rollout.deleting or turn.spec.intent is Asked.REVERT
    for intent in decision.intents:
        match intent:
            case EnsureRun(plan):
                assert plan.kind in {RunKind.REVERT, RunKind.REVERT_VERIFY}, f"{plan.id} runs in {lacking}"
            case ClaimLedger(adopt):
                assert asked_back, f"a ledger is claimed in {lacking}"
                assert not adopt, f"a ledger is adopted in {lacking}"
            case StartTransfer() | ShowPlan():
                raise AssertionError(f"{intent} in {lacking}")
            case EnsureJob() | AcquireLock():
                assert backwards, f"{intent} in {lacking}"
            case SetFlags():
                assert backwards or turn.rollout.deleting or windows_open(turn), f"flags are set in {lacking}"


def _begun_once(turn: Turn, decision: Decision) -> None:
    """An export is begun only on the way forward, remembered before that, and never beside one that is there."""
    wanted = [intent for intent in decision.intents if isinstance(intent, StartTransfer)]
    if decision.state.mode is not Mode.FORWARD:
        assert decision.status.reason != Reason.WAITING_FOR_BACKUP, "a way back waits for a backup"
        assert not wanted, "an export is begun although the rollout does not go forward"
    for intent in wanted:
        remembered = [place.record.transfer for place in places(turn)]
        assert any(each is not None and each.uri == intent.uri for each in remembered), "an export nobody remembers"
        assert turn.seen.backups is not None
        there = turn.seen.backups.moving(intent.kind, intent.uri, frozenset(intent.collections))
        assert all(each.name in intent.known for each in there), "an export is begun beside itself"


def _cancelled(world: World, decision: Decision) -> None:
    """Of a rollout that is stopped no export goes on that anybody has seen."""
    mine = world.owner is not None and world.owner.uid == world.rollout.uid and world.database_uid == "db"
    if decision.state.mode is not Mode.ABORTED or world.ledger_error or world.copies.silent or not mine:
        return
    records = [record.transfer for phase in decision.state.phases for record in phase.steps.values()]
    seen = {record.operation for record in records if record is not None}
    going = [each.name for each in world.copies.seen.operations if each.name in seen and not each.ended]
    assert not going, f"{going[0]} goes on, and nobody waits for it"


def _frozen_plans(world: World, decision: Decision) -> None:
    for intent in decision.intents:
        if isinstance(intent, EnsureRun):
            known = world.runs.get(intent.plan.id) or world.plan_runs.get(intent.plan.id)
            assert known is None or known.plan == intent.plan, f"the plan of {intent.plan.id} has changed"
            named = {*intent.plan.subjects, *([intent.plan.follows] if intent.plan.follows else [])}
            assert named <= set(world.runs), f"{intent.plan.id} names runs that were never made"


def _soaked_on_evidence(world: World, before: RolloutState, seen: Observation, decision: Decision) -> None:
    was = {(place.phase_index, place.key): place for place in places(Turn(world.rollout, before, seen))}
    for place in places(Turn(world.rollout, decision.state, seen)):
        old = was.get((place.phase_index, place.key))
        soak = place.spec.soak
        ended = place.record.state is StepState.DONE and old is not None and old.record.state is StepState.RUNNING
        if soak is None or not ended or old is None:
            continue
        assert old.elapsed() >= soak.seconds, "a soak was cut short"
        if soak.evidence is Evidence.GATES and not _all_silenced(old):
            _enough_verdicts(old, soak.seconds, seen)


def _enough_verdicts(soaked: Place, seconds: int, seen: Observation) -> None:
    for gate, record in watched(soaked):
        answers = [one.measurement for one in seen.measurements if one.gate == gate.name]
        fresh = [one for one in answers if not one.error and one.value is not None and not math.isnan(one.value)]
        needed = math.ceil(0.95 * intervals(gate, seconds))
        assert record.judged + len(fresh) >= needed, "a soak ended without its evidence"


def _all_silenced(place: Place) -> bool:
    return all(silenced(place.turn, gate.name) for gate in place.phase.gates)


def _ledger_first(seen: Observation, decision: Decision) -> None:
    if seen.ledger.error:
        assert not decision.intents
    elif not seen.ledger.mine:
        kinds = (ClaimLedger, EmitEvent)
        done = [intent for intent in decision.intents if not isinstance(intent, kinds)]
        assert all(type(intent).__name__ == "ReleaseLock" for intent in done), "something is done without the ledger"


def _undone_in_reverse(world: World, before: RolloutState, seen: Observation, decision: Decision) -> None:
    old = {place.ordinal: place.record.state for place in places(Turn(world.rollout, before, seen))}
    newly = [
        place.ordinal
        for place in places(Turn(world.rollout, decision.state, seen))
        if place.record.state in {StepState.UNDONE, StepState.KEPT} and old.get(place.ordinal) != place.record.state
    ]
    if newly:
        behind = [
            place
            for place in places(Turn(world.rollout, decision.state, seen))
            if place.ordinal > min(newly) and place.standing
        ]
        assert not behind, "a step was undone before a later one"


def _verified(world: World, turn: Turn) -> None:
    assert turn.state.revert is not None
    for place in places(turn):
        if place.phase_index < turn.state.revert.first_index:
            continue
        assert not place.standing
        if place.record.state is StepState.UNDONE:
            made = [run for run, one in world.runs.items() if _moved_by(one.plan, place)]
            for run in {*place.record.journals, *made}:
                assert _taken_back(world, run), f"{run} counts as reverted, but no verified revert has walked it"


def _nothing_forgotten(world: World, turn: Turn) -> None:
    """Whatever was written has a way back: it is remembered, or was taken back under a check."""
    known = {run for place in places(turn) for run in place.record.journals}
    known |= {run for left in turn.state.left for run in left.runs}
    for name, run in world.runs.items():
        if run.complete and run.plan.kind in {RunKind.MIGRATE, RunKind.SWEEP} and name not in known:
            assert _taken_back(world, name), f"{name} has written, is not taken back, and nobody remembers it"


def _moved_by(plan: RunPlan, place: Place) -> bool:
    mine = (plan.attempt, plan.phase, plan.step) == (place.state.attempt, place.phase.name, place.key)
    return mine and plan.kind in {RunKind.MIGRATE, RunKind.SWEEP}


def _taken_back(world: World, run: str) -> bool:
    walks = [
        other
        for other in world.runs.values()
        if other.complete and run in other.plan.subjects and other.plan.kind is not RunKind.VERIFY
    ]
    kinds = {walk.plan.kind for walk in walks}
    forward = world.runs[run]
    no_journal = forward.plan.kind is RunKind.VERIFY
    return no_journal or kinds == {RunKind.REVERT, RunKind.REVERT_VERIFY}


def check_cohorts(world: World, decision: Decision) -> None:
    """Who writes both shapes is published before anything moves; who reads the new one only behind it.

    Only for phases of write, migrate, verify, read, and where nobody else touches the flags.
    """
    flags = world.config_maps["app-flags"]
    writing, reading = int(flags.get("WRITE_BOTH", "0")), int(flags.get("READ_NEW", "0"))
    assert reading <= writing
    for intent in decision.intents:
        if not isinstance(intent, EnsureRun) or intent.plan.kind is RunKind.VERIFY:
            continue
        if intent.plan.kind is RunKind.MIGRATE:
            assert intent.plan.selection.to_bucket <= writing * 100
        if intent.plan.kind is RunKind.REVERT and ".migrate." in intent.plan.id:
            moved = max(world.runs[run].plan.selection.to_bucket for run in intent.plan.subjects)
            assert reading * 100 < moved, "data is taken back while somebody reads it"


def names(decision: Decision) -> list[str]:
    """The kinds of intent, without events."""
    return [type(intent).__name__ for intent in decision.intents if not isinstance(intent, EmitEvent)]


def _written(plan: RunPlan) -> frozenset[str]:
    """The collection groups that a run writes in."""
    deletes = plan.kind is RunKind.DELETE or any(kind_of(run) is RunKind.DELETE for run in plan.subjects)
    return frozenset({plan.migration.source_group}) if deletes else plan.migration.lock_groups
