"""The environment machine under crashes, lost writes, killed applies, frozen leaders, locks, people, odd clocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.environment_plans import MODULES, index, spec_index
from tests.environment_world import START, World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.environment.status import PlanPurpose, ResourceState
from firelift.api.tenancy import UNBOUND, Tenancy
from firelift.environment.intents import Decision, StartRun
from firelift.environment.machine import decide, initial_state
from firelift.environment.observation import FieldSeen, Observation, RolloutSeen
from firelift.environment.state import EnvironmentState, RunKind
from firelift.environment.tenancy import barred

NOT_ALLOWED = Tenancy("shop", databases="gym-prod/*")
INDEXES = [
    spec_index("telemetry", "device", "-time"),
    spec_index("telemetry", "device", "tenant", "-time"),
    spec_index("users", "name", "age"),
]
COMPOSITE = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(INDEXES), max_size=3).filter(
    lambda found: len({str(each) for each in found.values()}) == len(found)
)
TTLS = st.sampled_from([{}, {"old": {"collection": "telemetry", "path": "expireAt"}}])
FIELDS = [FieldSeen({"timestamp": 3}), FieldSeen({"timestamp": 3}, expired=2), FieldSeen({"integer": 3})]


class EnvironmentMachine(RuleBasedStateMachine):
    """Random worlds; every decision is checked, and in the end everything comes to rest."""

    world: World
    frozen: tuple[EnvironmentState | None, Decision] | None = None

    @initialize(
        apply=st.sampled_from(["Auto", "Auto", "Manual"]),
        deletion=st.sampled_from(["Retain", "Destroy"]),
        composite=COMPOSITE,
        drift=st.sampled_from([0, 60, 3600]),
        pods=st.booleans(),
    )
    def begin(self, *, apply: str, deletion: str, composite: dict[str, Any], drift: int, pods: bool) -> None:
        self.world = world(
            terraform={"apply": apply, "deletionPolicy": deletion, "driftIntervalSeconds": drift},
            indexes={"composite": composite},
        )
        self.world.process.seen = pods

    # Turns, whole and broken

    @rule(turns=st.integers(1, 6), seconds=st.sampled_from([0, 1, 20, 90]))
    def turns(self, turns: int, seconds: int) -> None:
        for _ in range(turns):
            self._turn()
            self.world.finish()
            self.world.pass_time(seconds)

    @rule(turns=st.integers(1, 3))
    def turns_while_a_run_is_at_work(self, turns: int) -> None:
        for _ in range(turns):
            self._turn()

    @rule()
    def crash_before_recording(self) -> None:
        self._decide()
        self.world.crash()

    @rule(done=st.integers(0, 3))
    def crash_while_acting(self, done: int) -> None:
        before, _, decision = self._decide()
        if self.world.record(before, decision):
            self.world.act(decision.intents[:done])
        self.world.crash()

    @rule()
    def lose_the_status_write(self) -> None:
        before, _, decision = self._decide()
        if self.world.record(before, decision):
            self.world.act(decision.intents)

    @rule(steps=st.integers(0, 3))
    def killed_while_a_run_is_at_work(self, steps: int) -> None:
        self._turn()
        self.world.finish(steps)
        self.world.crash()

    @rule()
    def a_leader_freezes_before_it_records(self) -> None:
        before, _, decision = self._decide()
        self.frozen = before, decision

    @precondition(lambda self: self.frozen is not None)
    @rule()
    def the_frozen_leader_revives(self) -> None:
        assert self.frozen is not None
        before, decision = self.frozen
        current = self.world.state
        if (current.version if current else 0) != (before.version if before else 0):
            assert not self.world.record(before, decision), "a stale leader has recorded its decision"
        self.frozen = None

    @rule()
    def a_leader_loses_its_lease_while_its_run_goes_on(self) -> None:
        self._turn()
        self.world.lose_the_lease()

    @rule()
    def operators_that_do_not_lead_end(self) -> None:
        self.world.end_others()

    @precondition(lambda self: not self.world.strangers)
    @rule(steps=st.integers(0, 3))
    def killed_and_started_again_on_its_host(self, steps: int) -> None:
        self._turn()
        self.world.finish(steps, others=False)
        self.world.restart()

    # Others who lock the state

    @rule(where=st.sampled_from(["laptop", "pod-1", "pod-2"]))
    def somebody_else_locks_the_state(self, where: str) -> None:
        self.world.lock_by_stranger(where)

    @precondition(lambda self: not self.world.gone)
    @rule()
    def somebody_on_the_same_host_is_faster(self) -> None:
        before, _, decision = self._decide()
        if self.world.record(before, decision):
            self.world.pass_time(1)
            self.world.lock_by_stranger(self.world.process.host)
            self.world.act(decision.intents)

    @rule()
    def somebody_else_releases_the_state(self) -> None:
        self.world.stranger_ends()

    @rule()
    def the_memory_is_lost(self) -> None:
        if not self.world.at_work:
            self.world.state, self.frozen = None, None

    # The world

    @rule(seconds=st.sampled_from([-300, 5, 60, 600, 4000]))
    def the_clock_moves(self, seconds: int) -> None:
        self.world.pass_time(seconds)
        self.world.now = max(self.world.now, START)

    @rule(failing=st.sampled_from(["", "Error: 503"]), turns=st.integers(0, 3))
    def google_fails_or_recovers(self, failing: str, turns: int) -> None:
        self.world.failing = failing
        self.turns(turns, 20)

    @rule(busy=st.booleans(), turns=st.integers(0, 2))
    def all_places_are_taken_or_free(self, *, busy: bool, turns: int) -> None:
        self.world.busy = busy
        self.turns(turns, 20)

    @rule(unsavable=st.booleans(), turns=st.integers(0, 3))
    def the_backend_takes_no_state_or_takes_it_again(self, *, unsavable: bool, turns: int) -> None:
        self.world.unsavable = unsavable
        self.turns(turns, 20)

    @rule(error=st.sampled_from(["", "UNAVAILABLE"]))
    def the_admin_api_goes_or_comes(self, error: str) -> None:
        self.world.ground_error = error

    @rule(missing=st.sampled_from(["", "ConfigMap rules is not there"]))
    def an_input_goes_or_comes(self, missing: str) -> None:
        self.world.missing = missing

    @rule(found=st.sampled_from(FIELDS))
    def the_documents_change(self, found: FieldSeen) -> None:
        self.world.fields = found

    @rule(working=st.booleans(), key=st.sampled_from([None, "a"]))
    def a_rollout_works_or_rests(self, *, working: bool, key: str | None) -> None:
        needs = frozenset({key}) if key else frozenset()
        self.world.rollouts = (RolloutSeen("users", working=working, indexes=needs),)

    @rule(number=st.integers(0, 5), value=st.sampled_from(["console", None]))
    def somebody_changes_the_ground(self, number: int, value: str | None) -> None:
        here = [each for each in sorted(self.world.real) if each in self.world.known and "database" not in each]
        if not here:
            return
        if value is None:
            self.world.real.pop(here[number % len(here)])
        else:
            self.world.real[MODULES + "google_firestore_database.this"]["concurrency_mode"] = value

    @rule(number=st.integers(0, 2))
    def somebody_makes_an_index_by_hand(self, number: int) -> None:
        found = INDEXES[number]
        paths = ("-" * (each["order"] == "DESCENDING") + each["path"] for each in found["fields"])
        made = index(found["collection"], *paths)
        if self.world.real and made not in self.world.real.values():
            self.world.real[f"projects/p/indexes/{number}"] = made

    @rule(steps=st.integers(0, 2))
    def an_apply_breaks_off(self, steps: int) -> None:
        for _ in range(6):
            self._turn()
            run = self.world.state.run if self.world.state else None
            if run is not None and run.kind is RunKind.APPLY and run.id in self.world.process.running:
                self.world.finish(steps)
                self.world.crash()
                return
            self.world.finish()
            self.world.pass_time(20)

    # People

    @rule(
        decision=st.sampled_from([ApprovalDecision.APPROVE, ApprovalDecision.APPROVE, ApprovalDecision.REJECT]),
        stale=st.booleans(),
        during=st.booleans(),
        expired=st.booleans(),
    )
    def somebody_decides(self, *, decision: ApprovalDecision, stale: bool, during: bool, expired: bool) -> None:
        digest = "sha256:" + "0" * 64 if stale else ""
        self.world.decide(decision, digest=digest, during_rollouts=during, expires=self.world.now if expired else None)

    @rule(turns=st.integers(0, 3))
    def somebody_approves_everything(self, turns: int) -> None:
        self.world.approve_all()
        self.turns(turns, 20)

    @rule(composite=COMPOSITE, ttls=TTLS, recovers=st.sampled_from([True, True, False]), turns=st.integers(0, 4))
    def somebody_edits_the_spec(
        self, *, composite: dict[str, Any], ttls: dict[str, Any], recovers: bool, turns: int
    ) -> None:
        self.world.edit(
            indexes={"composite": composite},
            ttls=ttls,
            database={"location": "nam5", "pointInTimeRecovery": recovers},
        )
        self.turns(turns, 20)

    @rule(suspend=st.booleans())
    def somebody_suspends(self, *, suspend: bool) -> None:
        self.world.edit(suspend=suspend)
        self.turns(2, 20)

    @rule(turns=st.integers(1, 4))
    def the_namespace_may_not_touch_the_database_for_a_while(self, turns: int) -> None:
        self.world.environment = replace(self.world.environment, tenancy=NOT_ALLOWED)
        self.turns(turns, 20)
        self.world.environment = replace(self.world.environment, tenancy=UNBOUND)

    @rule()
    def somebody_raises_the_attempt(self) -> None:
        self.world.edit(attempt=self.world.environment.spec.attempt + 1)

    @precondition(lambda self: not self.world.environment.deleting)
    @rule(really=st.sampled_from([False, False, False, True]))
    def somebody_deletes_it(self, *, really: bool) -> None:
        if really:
            self.world.delete()

    # What always holds

    def _decide(self) -> tuple[EnvironmentState | None, Observation, Decision]:
        before, seen = self.world.state, self.world.observe()
        decision = decide(self.world.environment, before or initial_state(self.world.environment), seen)
        self._check(before, seen, decision)
        return before, seen, decision

    def _turn(self) -> None:
        if self.world.gone:
            return
        before, _, decision = self._decide()
        if not self.world.record(before, decision):
            return
        self.world.status = decision.status
        self.world.act(decision.intents)
        self.world.gone = not decision.finalizer
        self._check_world()

    def _check(self, before: EnvironmentState | None, seen: Observation, decision: Decision) -> None:
        again = decide(self.world.environment, decision.state, seen)
        assert again.state == decision.state, "a repeated turn has decided something new"
        starts = [intent.run for intent in decision.intents if isinstance(intent, StartRun)]
        assert [intent.run for intent in again.intents if isinstance(intent, StartRun)] == starts
        assert len(starts) <= 1
        assert all(run == decision.state.run for run in starts), "a run was begun that is not remembered"
        assert decision.due > seen.now
        fresh = [run for run in starts if before is None or before.run is None or before.run.id != run.id]
        for run in fresh:
            self._check_begun(run.kind, decision, seen)
        self._check_ready(decision, seen)
        EnvironmentState.model_validate_json(decision.state.model_dump_json())

    def _check_begun(self, kind: RunKind, decision: Decision, seen: Observation) -> None:
        assert barred(self.world.environment) is None, "a run was begun where the namespace may not touch"
        assert not decision.state.unsaved, "a run was begun on a state that does not know of what was made"
        deleting = self.world.environment.deleting
        assert deleting or not self.world.environment.spec.suspend, "a run was begun while suspended"
        assert deleting or not seen.inputs.missing, "a run was begun without its inputs"
        plan = decision.state.plan
        if kind is not RunKind.APPLY:
            return
        assert plan is not None
        assert deleting or plan.inputs == seen.inputs.digest, "a plan of another spec is applied"
        approved = [
            each
            for each in seen.approvals
            if each.digest == plan.digest and each.decision is ApprovalDecision.APPROVE and self._open(each.expires)
        ]
        auto = self.world.environment.spec.terraform.apply == "Auto" and plan.purpose is not PlanPurpose.DESTROY
        assert auto or approved or plan.bookkeeping, "applied without an approval"
        if any(each.working for each in seen.rollouts):
            assert any(each.during_rollouts for each in approved), "applied while a rollout was mid-phase"
        if plan.purpose is not PlanPurpose.DESTROY and any(each.composite for each in plan.gone_indexes):
            assert seen.ground is not None
            states = {each.state for each in decision.status.indexes}
            assert states <= {ResourceState.READY}, "an index goes before its successors serve"
        assert not any(each.unsafe for each in plan.verdicts)

    def _open(self, expires: Any) -> bool:
        return expires is None or expires > self.world.now

    def _check_ready(self, decision: Decision, seen: Observation) -> None:
        says = {each.type.value: each.status.value for each in decision.status.conditions}
        if says["Ready"] == "True":
            assert seen.ground is not None
            assert not seen.ground.error
            assert says["IndexesReady"] == says["TTLActive"] == says["Applied"] == "True"
        if says["Stalled"] == "True":
            assert says["Ready"] == "False"
            assert says["Reconciling"] == "False"

    def _check_world(self) -> None:
        for digest, address in self.world.losing:
            named = [each for each in self.world.approvals if each.digest == digest and address in each.loses]
            assert named, f"{address} lost data without its address approved"

    def teardown(self) -> None:
        """Once people and Google do their part, it comes to rest: ready, or gone."""
        if not hasattr(self, "world"):
            return
        made = self.world
        made.unsavable = made.busy = False
        made.failing = made.ground_error = made.missing = ""
        made.fields, made.rollouts = FieldSeen({"timestamp": 3}, expired=2), ()
        made.stranger_ends()
        made.end_others()
        made.edit(suspend=False, attempt=made.environment.spec.attempt + 1)
        for _ in range(200):
            self._turn()
            made.finish()
            made.pass_time(30)
            if made.gone or (made.status and made.status.reason == "Ready" and not made.at_work):
                break
            reason = made.status.reason if made.status else ""
            if reason == "AwaitingApproval":
                made.approve_all()
            if made.status and made.status.lock and not made.at_work:
                made.lock = None  # a person has looked at a lock of which the memory was lost, or whose run nobody sees
            if made.status and "nothing can be seen from here: it is no pod" in made.status.message:
                made.edit(attempt=made.environment.spec.attempt + 1)
            if reason == "StateUnsaved":
                made.push()
            if reason in {"ApplyFailed", "Rejected", "PlanFailed", "StateUnsaved"}:
                made.edit(attempt=made.environment.spec.attempt + 1)
        assert made.status is not None
        deleting = made.environment.deleting
        assert made.gone if deleting else made.status.reason == "Ready", f"{made.status.reason}: {made.status.message}"


TestEnvironmentMachine = EnvironmentMachine.TestCase
TestEnvironmentMachine.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("apply", ["Auto", "Manual"])
def test_the_world_itself_comes_to_rest(apply: str) -> None:
    machine = EnvironmentMachine()
    machine.begin(apply=apply, deletion="Destroy", composite={"a": INDEXES[0]}, drift=3600, pods=True)
    machine.turns(3, 20)
    machine.teardown()
