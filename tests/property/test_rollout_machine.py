"""The rollout machine under crashes, duplicates, stale leaders, outages, people and a jumping clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.rollout_rules import check_cohorts, check_decision, check_world
from tests.rollout_specs import APPROVE, DELETE, VERIFY, flags, gate, migrate, migration, phase, soak, spec
from tests.rollout_world import STAGING, START, World, completed, ground, unplanned, world

from firelift.api.approval import ApprovalDecision
from firelift.api.measurement import Measurement
from firelift.api.plan import Check, CheckVerdict
from firelift.api.run import RunKind, Totals
from firelift.api.status import PromotionStatus
from firelift.api.tenancy import UNBOUND, Tenancy
from firelift.rollout.ground import RolloutKey, RolloutSeen
from firelift.rollout.intents import Decision
from firelift.rollout.machine import decide
from firelift.rollout.observation import Observation, Owner, PlanMapSeen
from firelift.rollout.runs import SWEEPS
from firelift.rollout.state import Mode, RolloutState

GROUND = "ground"
EXPORT: dict[str, Any] = {"backup": {"export": {"bucket": "gs://shop-backups"}}}
GATE = gate(intervalSeconds=10, windowSeconds=10, failAfter={"failures": 2, "of": 3})
SETTLED = {Mode.PAUSED, Mode.ABORTED, Mode.REVERT_FAILED, Mode.SUCCEEDED, Mode.REVERTED}
NOT_ALLOWED = Tenancy("demo", databases="gym-prod/*")
SOMEBODY = Owner("c", "somebody", "demo/other")
PERCENTS = (1, 10, 50, 100)


def cohort_phase(percent: int, *extra: dict[str, Any]) -> dict[str, Any]:
    """Write both, migrate, verify, read the new one."""
    write = flags("WRITE_BOTH", set={}, publishCohort={"WRITE_BOTH": percent})
    read = flags("READ_NEW", set={}, publishCohort={"READ_NEW": percent})
    asked = [{"name": "may-delete", **APPROVE}] if DELETE in extra else []
    return phase(f"p{percent}", write, migrate(percent, "logs", "tasks"), VERIFY, read, *asked, *extra)


def unjudged(step: dict[str, Any]) -> dict[str, Any]:
    """The step, a soak without gates."""
    return {**step, "soak": {**step["soak"], "evidence": "None"}} if "soak" in step else step


EXTRAS = st.lists(
    st.sampled_from(
        [
            soak(30),
            {**soak(50), "name": "long-soak"},
            APPROVE,
            {"sweep": {"pauseSeconds": 5}},
            {"name": "last-sweep", "sweep": {"maxPasses": 1}},
            {**soak(20), "name": "second-soak", "onRevert": "Keep"},
            {"name": "last-word", "approve": {"count": 2}, "timeoutSeconds": 300, "onTimeout": "Pause"},
            {**flags("WINDOW", maxSeconds=40), "onRevert": "Undo"},
            {**flags("FINAL"), "irreversible": True},
            {"indexes": {"environment": GROUND, "minReadySeconds": 20}},
            EXPORT,
            {**EXPORT, "timeoutSeconds": 60},
            DELETE,
        ]
    ),
    max_size=3,
    unique_by=lambda step: step.get("name") or next(iter(step)),
)


OTHERS = [
    *(completed(reason) for reason in ("Completed", "Migrating", "Reverting", "Reverted", "Aborted")),
    completed(deleting=True),
    completed(observed_generation=0),
    *[completed(promotion=PromotionStatus(digest="sha256:another", completed_time=START))] * 5,
    completed("Migrating", requires=(RolloutKey("demo", "users"),)),
    completed(invalid="spec.phases: Field required"),
    RolloutSeen(error="GET: 403"),
    RolloutSeen(),
]
MOSTLY_THERE = [*[completed("Completed")] * 20, *OTHERS]
"""What waits shows little else: most worlds must get further than their first phase."""
SELDOM = st.sampled_from([True, False, False])


class RolloutMachine(RuleBasedStateMachine):
    """Random worlds; every decision is checked, and in the end everything comes to rest."""

    world: World
    gate_answer: float | None = 0.0
    gate_error: str = ""
    mismatch = False
    noisy = False
    disturbed = False
    stale: tuple[RolloutState, Observation, Decision] | None = None

    @initialize(
        percents=st.lists(st.sampled_from(PERCENTS), min_size=1, max_size=3, unique=True).map(sorted),
        extras=st.lists(EXTRAS, min_size=3, max_size=3),
        action=st.sampled_from(["Revert", "Pause"]),
        to=st.sampled_from(["PhaseStart", "RolloutStart"]),
        deletion=st.sampled_from(["Retain", "Revert"]),
        gated=st.sampled_from([True, True, False]),
        limit=st.sampled_from([None, None, 1, 40, 100_000]),
        rehearse=st.booleans(),
        grounded=SELDOM,
        backed=SELDOM,
        promoted=SELDOM,
        other=st.sampled_from(MOSTLY_THERE),
        exporting=SELDOM,
    )
    def begin(
        self,
        *,
        percents: list[int],
        extras: list[list[dict[str, Any]]],
        action: str,
        to: str,
        deletion: str,
        gated: bool,
        limit: int | None,
        rehearse: bool,
        grounded: bool,
        backed: bool,
        promoted: bool,
        other: RolloutSeen,
        exporting: bool,
    ) -> None:
        steps = extras if gated else [[unjudged(step) for step in more] for more in extras]
        phases = [cohort_phase(percent, *more) for percent, more in zip(percents, steps, strict=False)]
        phases[0]["rehearse"] = rehearse
        if exporting:
            phases[0]["steps"].insert(0, {**EXPORT, "name": "first-export"})
        self.world = unplanned(
            *phases,
            migrations=[migration("logs"), migration("tasks")],
            gates=[GATE] if gated else [],
            onFailure={"action": action, "to": to},
            deletionPolicy=deletion,
            progressDeadlineSeconds=600,
            maxRevertSeconds=limit,
            requires={
                **({"environment": {"name": GROUND}} if grounded else {}),
                **({"backup": {"maxAgeSeconds": 600}} if backed else {}),
                "rollouts": [{"name": "users", "namespace": "staging", "soakedSeconds": 30}] if promoted else [],
            },
        )
        self.world.copies.back_up(START)
        self.world.environments = {GROUND: ground()}
        self.world.rollouts = {STAGING: other}
        self.world.quick_plans = False
        self.world.measure = self._measure
        self.world.totals = self._totals

    # Turns, whole and broken

    @rule(turns=st.integers(1, 4), seconds=st.sampled_from([0, 1, 11, 60]))
    def turns(self, turns: int, seconds: int) -> None:
        for _ in range(turns):
            self._turn()
            self.world.work(0.4)
            self.world.pass_time(seconds)

    @rule(turns=st.sampled_from([10, 20, 40]))
    def a_long_while(self, turns: int) -> None:
        self.turns(turns, 11)

    @rule()
    def until_something_soaks(self) -> None:
        for _ in range(60):
            self.turns(1, 11)
            if self.world.status and self.world.status.reason in {"Soaking", "AwaitingApproval", "Completed"}:
                return

    @rule()
    def crash_before_recording(self) -> None:
        self._decide()

    @rule(done=st.integers(0, 3))
    def crash_while_acting(self, done: int) -> None:
        before, _, decision = self._decide()
        if self.world.record(before, decision):
            self.world.act(decision.intents[:done])

    @rule()
    def lose_the_status_write(self) -> None:
        before, _, decision = self._decide()
        if self.world.record(before, decision):
            self.world.act(decision.intents)

    @rule()
    def a_leader_freezes(self) -> None:
        self.stale = self._decide()

    @precondition(lambda self: self.stale is not None)
    @rule()
    def the_frozen_leader_revives(self) -> None:
        assert self.stale is not None
        before, _, decision = self.stale
        current = self.world.state
        newer = current is not None and current.version != before.version
        if newer:
            assert not self.world.record(before, decision), "a stale leader has recorded its decision"
        self.stale = None

    # Time, workers and metrics

    @rule(seconds=st.sampled_from([-30, 5, 30, 120, 4000]))
    def the_clock_moves(self, seconds: int) -> None:
        self.world.pass_time(seconds)
        self.world.now = max(self.world.now, START)

    @rule(number=st.integers(0, 3))
    def a_job_fails(self, number: int) -> None:
        for _ in range(30):
            every = (*self.world.runs.values(), *self.world.plan_runs.values())
            working = [run for run in every if run.job and not run.complete]
            if working:
                run = working[number % len(working)]
                run.job_failed, run.failure = True, "PERMISSION_DENIED on logs/1"
                break
            self.turns(1, 11)
        self.turns(1, 1)

    @rule(number=st.integers(0, 3), stuck=st.booleans())
    def a_node_goes_or_comes_back(self, number: int, *, stuck: bool) -> None:
        runs = list(self.world.runs.values())
        if runs:
            runs[number % len(runs)].stuck = stuck
        self.turns(3, 11)

    @rule(number=st.integers(0, 3))
    def somebody_removes_a_job(self, number: int) -> None:
        working = [run for run in self.world.runs.values() if run.job]
        if working:
            working[number % len(working)].going = True
        self.turns(1, 1)

    @rule(number=st.integers(0, 3), blameless=st.booleans())
    def pods_are_killed(self, number: int, *, blameless: bool) -> None:
        working = [run for run in self.world.runs.values() if run.job and not run.going]
        if working:
            run = working[number % len(working)]
            run.job_pods, run.job_blameless = 0, blameless
        self.turns(2, 1)

    @rule(message=st.sampled_from(["", "the worker may not write"]), turns=st.integers(0, 4))
    def what_a_plan_finds_changes(self, message: str, turns: int) -> None:
        failing = Check(check="write", verdict=CheckVerdict.FAIL, message=message)
        self.world.checks = (failing,) if message else ()
        self.turns(turns, 11)

    @rule(turns=st.integers(1, 3))
    def somebody_elses_config_map_has_the_name_of_the_plans(self, turns: int) -> None:
        if not self.world.plan_map.exists:
            self.world.plan_map = PlanMapSeen(exists=True)
            self.turns(turns, 11)
            self.world.plan_map = PlanMapSeen(exists=False)

    @rule(answer=st.sampled_from([0.0, 0.5, None, float("nan")]), error=st.sampled_from(["", "", "", "UNAVAILABLE"]))
    def the_metric_changes(self, answer: float | None, error: str) -> None:
        self.gate_answer, self.gate_error = answer, error
        self.turns(4, 11)

    @rule(mismatch=st.booleans(), noisy=st.booleans())
    def the_app_misbehaves(self, *, mismatch: bool, noisy: bool) -> None:
        self.mismatch, self.noisy = mismatch, noisy

    @rule(turns=st.integers(1, 3), seconds=st.sampled_from([1, 900]))
    def the_database_goes_for_a_while(self, turns: int, seconds: int) -> None:
        self.world.ledger_error = "UNAVAILABLE: connection refused"
        self.turns(turns, seconds)
        self.world.ledger_error = ""

    @rule(
        ready=st.sampled_from(["True", "True", "True", "True", "False", "Unknown"]),
        behind=SELDOM,
        there=st.sampled_from([True, True, True, False]),
        turns=st.integers(1, 6),
    )
    def the_environment_changes(self, ready: str, turns: int, *, behind: bool, there: bool) -> None:
        self.world.environments = {GROUND: ground(ready, observed=1 if behind else 2)} if there else {}
        self.turns(turns, 11)

    @rule(state=st.sampled_from(["SUCCESSFUL", "SUCCESSFUL", "FAILED", "CANCELLED"]), turns=st.integers(0, 3))
    def exports_end(self, state: str, turns: int) -> None:
        self.world.copies.operate(state=state, documents=100, size=5000)
        self.turns(turns, 11)

    @rule(there=st.booleans(), told=st.booleans(), turns=st.integers(1, 8))
    def backups_come_and_go(self, turns: int, *, there: bool, told: bool) -> None:
        if there:
            self.world.copies.back_up(self.world.now)
        self.world.copies.tell(told=told)
        self.turns(turns, 11)
        self.world.copies.tell(told=True)

    @rule(turns=st.integers(1, 6), revert=SELDOM)
    def the_namespace_may_not_touch_the_database_for_a_while(self, turns: int, *, revert: bool) -> None:
        self.world.rollout = replace(self.world.rollout, tenancy=NOT_ALLOWED)
        self.turns(1, 11)
        if revert:
            self.world.edit(intent="Revert", revertTo=None)
        self.turns(turns, 11)
        self.world.rollout = replace(self.world.rollout, tenancy=UNBOUND)

    @rule(
        other=st.sampled_from(MOSTLY_THERE),
        turns=st.integers(1, 6),
    )
    def the_required_rollout_changes(self, other: RolloutSeen, turns: int) -> None:
        self.world.rollouts = {STAGING: other}
        self.turns(turns, 11)

    @rule(group=st.sampled_from(["logs", "tasks"]), turns=st.integers(1, 6))
    def another_rollout_has_a_lock_for_a_while(self, group: str, turns: int) -> None:
        if self.world.locks.setdefault(group, "other") == "other":
            self.turns(turns, 11)
            del self.world.locks[group]

    @rule(key=st.sampled_from(["WRITE_BOTH", "READ_NEW", "WINDOW"]), value=st.sampled_from(["7", "0"]))
    def somebody_sets_a_flag(self, key: str, value: str) -> None:
        self.disturbed = True
        self.world.config_maps["app-flags"][key] = value
        self.world.owned["app-flags"].discard(key)

    # People

    @rule(
        decision=st.sampled_from(list(ApprovalDecision)),
        approver=st.sampled_from(["ada", "grace", f"system:serviceaccount:{'n' * 63}:{'s' * 167}"]),
        stale=st.booleans(),
        expires=st.sampled_from([None, None, 60]),
    )
    def somebody_decides(self, *, decision: ApprovalDecision, approver: str, stale: bool, expires: int | None) -> None:
        end = None if expires is None else self.world.now.replace(microsecond=0)
        digest = "sha256:" + "0" * 64 if stale else ""
        self.world.approve(decision, approver=approver, digest=digest, gate="error-rate", expires=end)

    @precondition(lambda self: self.world.status is not None and self.world.status.reason == "AwaitingApproval")
    @rule()
    def everybody_approves(self) -> None:
        for approver in ("ada", "grace"):
            self.world.approve(approver=approver)
        self.turns(2, 11)

    @precondition(lambda self: self.world.status is not None and self.world.status.reason == "RevertTooLong")
    @rule(by_limit=st.booleans())
    def somebody_opens_a_phase_whose_way_back_is_long(self, *, by_limit: bool) -> None:
        started = len(self.world.state.phases) if self.world.state else 0
        if by_limit:
            self.world.edit(maxRevertSeconds=None)
        else:
            self.world.approve(
                ApprovalDecision.OVERRIDE, gate="max-revert-seconds", expires=self.world.now.replace(year=2030)
            )
        self.turns(2, 11)
        assert self.world.status is not None
        opened = self.world.state is not None and len(self.world.state.phases) > started
        assert opened or self.world.status.reason != "RevertTooLong"

    @precondition(lambda self: self.world.state is not None and self.world.state.mode in SETTLED)
    @rule()
    def another_attempt_is_made(self) -> None:
        self.world.edit(intent=None, revertTo=None, attempt=self.world.rollout.spec.attempt + 1)
        self.turns(3, 11)

    @rule(suspend=st.booleans())
    def somebody_suspends(self, *, suspend: bool) -> None:
        self.world.edit(suspend=suspend)
        self.turns(2, 11)

    @rule(
        intent=st.sampled_from([None, None, "Revert", "Abort"]),
        to=st.sampled_from([None, "PhaseStart", "RolloutStart"]),
    )
    def somebody_intends(self, intent: str | None, to: str | None) -> None:
        self.world.edit(intent=intent, revertTo=to if intent == "Revert" else None)

    @precondition(lambda self: "PROCESSING" in self.world.copies.states)
    @rule(intent=st.sampled_from(["Revert", "Abort"]))
    def somebody_stops_an_export(self, intent: str) -> None:
        self.world.edit(intent=intent, revertTo=None)
        self.turns(3, 11)

    @rule(mode=st.sampled_from(["DryRun", "Validate", "Migrate"]), turns=st.integers(0, 12))
    def somebody_changes_the_mode(self, mode: str, turns: int) -> None:
        """What the API server allows: before the first phase, or with a higher attempt."""
        raised = bool(self.world.status and self.world.status.started_phases)
        if raised and self.world.state and self.world.state.mode is Mode.SUCCEEDED:
            return
        if mode != self.world.rollout.spec.mode:
            self.world.edit(mode=mode, attempt=self.world.rollout.spec.attempt + raised)
        self.turns(turns, 11)

    @rule()
    def somebody_raises_the_attempt(self) -> None:
        self.world.edit(attempt=self.world.rollout.spec.attempt + 1)

    @rule(percent=st.sampled_from(PERCENTS), extra=EXTRAS)
    def somebody_edits_the_last_phase(self, percent: int, extra: list[dict[str, Any]]) -> None:
        started = {record.name for record in self.world.state.phases} if self.world.state else set()
        phases = [each.model_dump(mode="json", by_alias=True) for each in self.world.rollout.spec.phases]
        new = cohort_phase(percent, *extra)
        taken = {each["name"] for each in phases[:-1]}
        grows = all(int(name[1:]) <= percent for name in taken - {"between"})
        judged = self.world.rollout.spec.gates or not any("soak" in step for step in extra)
        if phases[-1]["name"] not in started and new["name"] not in taken and grows and judged:
            self.world.edit(phases=[*phases[:-1], new])
            self.disturbed = True

    @rule()
    def somebody_puts_a_phase_before_the_last(self) -> None:
        """What the API server allows: neither among the phases that are frozen nor before them."""
        phases = [each.model_dump(mode="json", by_alias=True) for each in self.world.rollout.spec.phases]
        frozen = set(self.world.status.started_phases) if self.world.status else set()
        new = phase("between", soak(10, evidence="None"))
        fits = phases[-1]["name"] not in frozen and "between" not in {each["name"] for each in phases}
        if fits and not phases[-1]["rehearse"]:
            self.world.edit(phases=[*phases[:-1], new, phases[-1]])
            self.disturbed = True

    @rule()
    def somebody_adds_a_bad_phase(self) -> None:
        phases = [each.model_dump(mode="json", by_alias=True) for each in self.world.rollout.spec.phases]
        started = {record.name for record in self.world.state.phases} if self.world.state else set()
        if phases[-1]["name"] not in started:
            bad = gate("bad", limit={"condition": "value <"})
            self.world.edit(phases=[*phases[:-1], {**phases[-1], "gates": [bad]}])

    @precondition(lambda self: self.world.state is not None)
    @rule(turns=st.integers(1, 40), uid=st.sampled_from(["uid-2", "uid-3"]))
    def somebody_deletes_the_object_and_creates_it_again(self, turns: int, uid: str) -> None:
        self.world.delete()
        self.turns(turns, 11)
        if not self.world.finalizer:
            old = self.world.rollout
            self.world.rollout = type(old)(old.namespace, old.name, uid, 1, old.spec)
            self.world.status = None

    @precondition(lambda self: self.world.rollout.deleting and not self.world.finalizer)
    @rule()
    def somebody_creates_it_again(self) -> None:
        old = self.world.rollout
        self.world.rollout = type(old)(old.namespace, old.name, f"{old.uid}-again", 1, old.spec)
        self.world.status = None
        self.turns(3, 11)

    @precondition(lambda self: self.world.owner is None)
    @rule()
    def another_object_has_the_ledger_for_a_while(self) -> None:
        self.world.owner = SOMEBODY
        self.turns(2, 11)
        self.world.owner = None if self.world.owner == SOMEBODY else self.world.owner

    @rule()
    def the_ledger_came_along_with_a_restore(self) -> None:
        self.world.database_uid = "db-before"
        self.turns(2, 11)
        self.world.approve(ApprovalDecision.ADOPT)
        self.turns(2, 11)
        self.world.database_uid = "db"

    # How

    def _decide(self) -> tuple[RolloutState, Observation, Decision]:
        before, seen = self.world.observe()
        decision = decide(self.world.rollout, before, seen)
        check_decision(self.world, before, seen, decision)
        if not self.disturbed:
            check_cohorts(self.world, decision)
        return before, seen, decision

    def _turn(self) -> None:
        before, _, decision = self._decide()
        assert self.world.record(before, decision)
        self.world.status, self.world.finalizer = decision.status, decision.finalizer
        self.world.act(decision.intents)
        check_world(self.world, decision)

    def _measure(self, _gate: str, end: Any) -> Measurement:
        now = self.world.now
        return Measurement(self.gate_answer, 100, "1", "q", now, newest=end, error=self.gate_error or None)

    def _totals(self, plan: Any) -> Totals:
        verifying = plan.kind in {RunKind.VERIFY, RunKind.REVERT_VERIFY}
        if verifying:
            return Totals(read=100, different=int(self.mismatch))
        if plan.kind is RunKind.REVERT and not self.noisy and plan.pass_number:
            return Totals(read=100, unchanged=99, kept=1)
        if plan.kind is RunKind.SWEEP and not self.noisy:
            return Totals(
                read=100, unchanged=100 if plan.pass_number >= SWEEPS else 99, created=int(plan.pass_number < SWEEPS)
            )
        return Totals(read=100, updated=99, kept=1)

    def teardown(self) -> None:
        """Whatever has happened: when the faults are over, the rollout comes to rest, or waits for a person."""
        if not hasattr(self, "world"):
            return
        self.world.ledger_error = ""
        if self.world.owner == SOMEBODY:
            self.world.owner = None
        self.gate_answer, self.gate_error, self.noisy, self.mismatch = 0.0, "", False, False
        for run in self.world.runs.values():
            run.stuck = False
        self.world.locks = {group: uid for group, uid in self.world.locks.items() if uid != "other"}
        self.world.checks = ()
        self.world.environments = {GROUND: ground()}
        self.world.rollouts = {STAGING: completed()}
        self.world.edit(suspend=False)
        for _ in range(300):
            self._turn()
            if self._rests():
                return
            self.world.work()
            self.world.copies.operate(state="SUCCESSFUL", documents=100, size=5000)
            self.world.copies.back_up(self.world.now)
            self.world.pass_time(10)
        status = self.world.status
        raise AssertionError(f"never at rest: {status.reason} {status.message}" if status else "never at rest")

    def _rests(self) -> bool:
        state, status = self.world.state, self.world.status
        if self.world.rollout.deleting:
            return not self.world.finalizer or (state is not None and state.mode is Mode.REVERT_FAILED)
        if status is None:
            return False
        waits = status.reason in {
            *("AwaitingApproval", "InvalidSpec", "LedgerOwnedByAnother", "RevertTooLong", "PreflightFailed")
        }
        tried = status.reason in {"Completed", "StepFailed"} and self.world.rollout.spec.mode != "Migrate"
        return waits or tried or (state is not None and state.mode in SETTLED)


TestRolloutMachine = RolloutMachine.TestCase
TestRolloutMachine.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("percents", [(1,), (10, 100), (1, 10, 50, 100)])
def test_a_rollout_without_faults_succeeds_and_can_be_taken_back(percents: tuple[int, ...]) -> None:
    one = world(*(cohort_phase(percent, soak(30)) for percent in percents), gates=[GATE], migrations=_both())
    assert one.until("Completed").revertible_until is not None
    one.edit(intent="Revert", revertTo="RolloutStart")
    assert one.until("Reverted").started_phases == ()
    assert one.config_maps["app-flags"] == {}
    assert spec(cohort_phase(1), migrations=_both()).phases[0].name == "p1"


def _both() -> list[dict[str, Any]]:
    return [migration("logs"), migration("tasks")]
