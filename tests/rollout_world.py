"""A world for the rollout machine: a ledger with compare-and-swap, workers, an app's ConfigMap, gates and people.

It is what the operator and the cluster do, in memory and without a clock of its own. Every intent is carried out as its
docstring says; nothing here decides anything about a rollout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.rollout_copies import Copies
from tests.rollout_specs import spec

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import ConditionStatus
from firelift.api.gates import GateSpec
from firelift.api.measurement import Measurement, Window
from firelift.api.plan import Check, PhaseEstimate, PlanReport, SourceCount
from firelift.api.rollout import RolloutSpec
from firelift.api.run import RunKind, RunPlan, RunState, Totals
from firelift.api.status import PromotionStatus, RolloutStatus
from firelift.migration.preflight.estimate import estimate
from firelift.operator.answers import tried
from firelift.operator.measure import asked, measure_environment, measure_work
from firelift.operator.status import begun, dump
from firelift.rollout.ground import ConditionSeen, EnvironmentSeen, IndexSeen, RolloutKey, RolloutSeen
from firelift.rollout.intents import (
    AcquireLock,
    CancelTransfer,
    ClaimLedger,
    Decision,
    EmitEvent,
    EnsureJob,
    EnsureRun,
    ForgetRun,
    Intent,
    ReleaseLedger,
    ReleaseLock,
    RemoveJob,
    SetFlags,
    SetRunState,
    ShowPlan,
    StartTransfer,
)
from firelift.rollout.machine import decide, initial_state, wanted
from firelift.rollout.observation import (
    ApprovalSeen,
    ConfigMapSeen,
    JobSeen,
    LedgerSeen,
    LockSeen,
    MeasurementSeen,
    Observation,
    Owner,
    PaceSeen,
    PlanMapSeen,
    Rollout,
    RunSeen,
    Wanted,
)
from firelift.rollout.phase_work import PhaseWork, phase_work
from firelift.rollout.promotion import migrations_digest, promotion
from firelift.rollout.state import RolloutState
from firelift.rollout.turn import Turn

START = datetime(2026, 1, 1, tzinfo=UTC)
ME = Owner(cluster="c", uid="uid-1", name="demo/users")
DOCUMENTS = 100
TURNS_OF_A_PLAN = 10
FORWARD_KINDS = {RunKind.MIGRATE, RunKind.SWEEP, RunKind.VERIFY, RunKind.DELETE}
HARMLESS_KINDS = {RunKind.PLAN, RunKind.DRY_RUN, RunKind.VALIDATE}
WRITING_KINDS = {RunKind.MIGRATE, RunKind.SWEEP, RunKind.REVERT, RunKind.DELETE}


@dataclass
class Run:
    """A run document, its journal and its Job."""

    plan: RunPlan
    state: RunState
    done: int = 0
    complete: bool = False
    job: bool = False
    job_failed: bool = False
    job_pods: int = 1
    job_blameless: bool = False
    job_entries: int = 0
    jobs_made: int = 0
    going: bool = False
    stuck: bool = False
    failure: str = ""
    waiting: str = ""


@dataclass
class World:
    """Everything that is durable, and one operator that comes and goes."""

    rollout: Rollout
    state: RolloutState | None = None
    now: datetime = START
    owner: Owner | None = None
    expiring: bool = False
    ledger_error: str = ""
    database_uid: str = "db"
    """What the ledger was made in; `actual_uid` is what the database says of itself, empty when it does not."""
    actual_uid: str = "db"
    worker_image: str = "worker@sha256:1"
    pace: PaceSeen | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    plan_runs: dict[str, Run] = field(default_factory=dict)
    """Beside the others, so that a test which is not about plans does not meet them."""
    config_maps: dict[str, dict[str, str]] = field(default_factory=lambda: {"app-flags": {}})
    owned: dict[str, set[str]] = field(default_factory=lambda: {"app-flags": set()})
    locks: dict[str, str] = field(default_factory=dict)
    """The ledger that holds each, as a re-created object has the locks of the one before it."""
    queued: set[str] = field(default_factory=set)
    approvals: list[ApprovalSeen] = field(default_factory=list)
    status: RolloutStatus | None = None
    finalizer: bool = False
    events: list[EmitEvent] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    intents: tuple[Intent, ...] = ()
    environments: dict[str, EnvironmentSeen] = field(default_factory=dict)
    copies: Copies = field(default_factory=Copies)
    rollouts: dict[RolloutKey, RolloutSeen] = field(default_factory=dict)
    """One whose promotion has no digest has the plan of the world's own."""
    quick_plans: bool = True
    """Whether a turn that plans is followed at once by those that end the planning."""
    plan_map: PlanMapSeen = field(default_factory=lambda: PlanMapSeen(exists=False))
    shown: dict[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    """Documents of each source, as a plan run counts them; without any it counts nothing."""
    measure: Callable[[str, datetime], Measurement | float | None] = lambda _gate, _end: 0.0
    totals: Callable[[RunPlan], Totals] = lambda _plan: Totals(read=DOCUMENTS)
    estimate: int = DOCUMENTS
    due: datetime = START

    # What the operator does

    def observe(self) -> tuple[RolloutState, Observation]:
        """One read of everything that the machine wants, and of what the object's own status shows."""
        self.rollout = replace(self.rollout, begun=bool(self.status and begun(dump(self.status))))
        state = self.state or initial_state(self.rollout, self.now)
        wants = wanted(self.rollout, state, self.now)
        seen = self._seen(state, wants)
        alike = {key: self._alike(each, Turn(self.rollout, state, seen)) for key, each in self.rollouts.items()}
        looked = (*wants.rollouts, *alike) if wants.rollouts else ()
        return state, replace(seen, rollouts={key: alike.get(key, RolloutSeen()) for key in looked})

    def _alike(self, other: RolloutSeen, turn: Turn) -> RolloutSeen:
        if other.promotion is None or other.promotion.digest:
            return other
        own = promotion(turn).model_copy(update={"completed_time": other.promotion.completed_time})
        return replace(other, promotion=own, migrations_digest=migrations_digest(turn))

    def _seen(self, state: RolloutState, wants: Wanted) -> Observation:
        environments = {name: self.environments.get(name, EnvironmentSeen()) for name in wants.environments}
        return Observation(
            now=self.now,
            ledger=self._ledger(),
            runs={run: self._run(run) for run in wants.runs},
            measurements=self._measurements(state, wants),
            approvals=tuple(self.approvals),
            config_maps={name: self._config_map(name) for name in wants.config_maps},
            locks={group: self._lock(group) for group in wants.locks},
            answers={
                **{name: self._measured(ask.gate.name, ask.window.end) for name, ask in wants.queries.items()},
                **dict(tried(wants.queries, environments)),
            },
            plan_map=self.plan_map if wants.plan_map else None,
            environments=environments,
            backups=self.copies.told if wants.backups else None,
            refusals=self.copies.refusals,
            pace=self.pace,
            worker_image=self.worker_image,
            conditions=self.status.conditions if self.status else (),
        )

    def record(self, before: RolloutState, decision: Decision) -> bool:
        """Claim the ledger, and compare and swap the memory; False when somebody else was faster.

        Without a ledger there is no memory, and nothing is written to one of somebody else.
        """
        if self.state is not None and self.state.version != before.version:
            return False
        if self.ledger_error:
            return True
        claim = next((intent for intent in decision.intents if isinstance(intent, ClaimLedger)), None)
        if claim is not None and (self.owner is None or claim.adopt):
            self.owner, self.database_uid = replace(ME, uid=self.rollout.uid), self.actual_uid
        self.expiring = self.expiring and claim is None
        foreign = self.owner is not None and self.owner.uid != self.rollout.uid
        if not foreign and (self.state is not None or claim is not None):
            self.state = decision.state
        return True

    def act(self, intents: Iterable[Intent]) -> None:
        """Carry the intents out."""
        for intent in intents:
            if isinstance(intent, StartTransfer | CancelTransfer):
                self.copies.do(intent, self.now)
            else:
                self._do(intent)

    def turn(self) -> Decision:
        """One whole turn, and those in which nothing but a plan is made."""
        decision = self._turn()
        for _ in range(TURNS_OF_A_PLAN if self.quick_plans else 0):
            if decision.status.reason != "Planning":
                break
            self.finish_plans()
            decision = self._turn()
        return decision

    def finish_plans(self) -> None:
        """Every plan run answers."""
        for run in self.plan_runs.values():
            if run.job and run.state is RunState.RUN and not run.going:
                run.done, run.complete, run.job = DOCUMENTS, True, False

    def _turn(self) -> Decision:
        before, seen = self.observe()
        decision = decide(self.rollout, before, seen)
        assert self.record(before, decision)
        self.status, self.finalizer, self.due = decision.status, decision.finalizer, decision.due
        self.intents = decision.intents
        self.act(decision.intents)
        return decision

    # What time, people and workers do

    def work(self, share: float = 1.0) -> None:
        """Every worker moves its run on; one that was told to leave lands what it is at, unless its node is gone."""
        for run in (*self.runs.values(), *self.plan_runs.values()):
            if run.going and not run.stuck:
                run.job = run.going = False
                run.done = min(DOCUMENTS - 1, run.done + run.job_pods)
            elif run.job_pods and run.job and not run.job_failed and run.state is RunState.RUN and not run.complete:
                run.done = min(DOCUMENTS, run.done + max(1, int(DOCUMENTS * share)))
                if run.done == DOCUMENTS:
                    run.complete, run.job = True, False

    def pass_time(self, seconds: float) -> None:
        """The clock moves."""
        self.now += timedelta(seconds=seconds)

    def edit(self, **changes: Any) -> None:
        """Somebody edits the spec."""
        raw = self.rollout.spec.model_dump(mode="json", by_alias=True) | changes
        self.rollout = replace(
            self.rollout, spec=RolloutSpec.model_validate(raw), generation=self.rollout.generation + 1
        )

    def delete(self) -> None:
        """Somebody deletes the object."""
        self.rollout = replace(self.rollout, deleting=True)

    def approve(
        self,
        decision: ApprovalDecision = ApprovalDecision.APPROVE,
        *,
        approver: str = "ada",
        digest: str = "",
        gate: str = "",
        expires: datetime | None = None,
    ) -> None:
        """Somebody decides on what the status shows now."""
        shown = self.status.approval.digest if self.status and self.status.approval else ""
        self.approvals.append(
            ApprovalSeen(
                name=f"approval-{len(self.approvals)}",
                digest=digest or shown,
                decision=decision,
                approver=approver,
                created=self.now,
                gate=gate,
                expires=expires,
            )
        )

    def until(self, reason: str, *, turns: int = 400, seconds: float = 5.0) -> RolloutStatus:
        """Turns, work and time until the status says this reason."""
        for _ in range(turns):
            self.turn()
            if self.status is not None and self.status.reason == reason:
                return self.status
            self.work()
            self.pass_time(seconds)
        raise AssertionError(f"never {reason}, but {self.status.reason}: {self.status.message}" if self.status else "")

    @property
    def reason(self) -> str:
        """Of the status as it was last told."""
        assert self.status is not None
        return self.status.reason

    @property
    def message(self) -> str:
        """As `reason`."""
        assert self.status is not None
        return self.status.message

    # How intents are carried out

    def _do(self, intent: Intent) -> None:
        match intent:
            case EnsureRun() | ForgetRun() | SetRunState() | EnsureJob() | RemoveJob():
                self._lead(intent)
            case AcquireLock() | ReleaseLock():
                self._lock_up(intent)
            case SetFlags(name, values, seen):
                data = self.config_maps[name]
                if all(data.get(key) == value for key, value in seen.items()):
                    self._set_flags(name, dict(values))
            case ShowPlan(_, digest, data):
                if not self.plan_map.exists or self.plan_map.mine:
                    self.plan_map, self.shown = PlanMapSeen(True, mine=True, digest=digest), dict(data)
            case ClaimLedger():
                pass  # it was made with the record
            case ReleaseLedger(expire):
                self.owner, self.expiring = None, expire is not None
            case EmitEvent():
                self.events.append(intent)

    def _lock_up(self, intent: AcquireLock | ReleaseLock) -> None:
        mine, group = self.rollout.ledger_id, intent.group
        if isinstance(intent, ReleaseLock):
            self.queued.discard(group)
            self.locks = {held: ledger for held, ledger in self.locks.items() if (held, ledger) != (group, mine)}
        elif self.locks.setdefault(group, mine) != mine:
            self.queued.add(group)

    def _lead(self, intent: EnsureRun | ForgetRun | SetRunState | EnsureJob | RemoveJob) -> None:
        match intent:
            case EnsureRun(plan, state):
                runs = self._kept(plan.id)
                if plan.id not in runs:
                    self.order.extend([plan.id] if runs is self.runs else [])
                run = runs.setdefault(plan.id, Run(plan, state))
                run.state = state
            case ForgetRun(run_id):
                gone = self.plan_runs.pop(run_id, None)
                at_work = gone is not None and gone.job and not (gone.complete or gone.job_failed)
                assert not at_work, "a plan whose worker may still answer was forgotten"
            case SetRunState(run_id, state):
                if run_id in self._kept(run_id):
                    self._kept(run_id)[run_id].state = state
            case EnsureJob(run_id, again):
                run = self._kept(run_id)[run_id]
                if again and run.job:
                    run.going = True
                elif not run.job:
                    run.job, run.job_failed, run.job_pods, run.job_blameless = True, False, 1, False
                    run.job_entries, run.jobs_made = run.done, run.jobs_made + 1
            case RemoveJob(run_id):
                self._kept(run_id)[run_id].going = self._kept(run_id)[run_id].job

    def _kept(self, run: str) -> dict[str, Run]:
        return self.plan_runs if f".{RunKind.PLAN}." in run else self.runs

    def _set_flags(self, name: str, values: dict[str, str | None]) -> None:
        for key, value in values.items():
            if value is None:
                self.config_maps[name].pop(key, None)
                self.owned[name].discard(key)
            else:
                self.config_maps[name][key] = value
                self.owned[name].add(key)

    # What is seen

    def _ledger(self) -> LedgerSeen:
        if self.ledger_error:
            return LedgerSeen(error=self.ledger_error)
        mine = self.owner is not None and self.owner.uid == self.rollout.uid
        return LedgerSeen(
            owner=self.owner,
            mine=mine,
            expiring=self.expiring,
            database_uid=self.database_uid if self.state else "",
            actual_database_uid=self.actual_uid,
        )

    def _run(self, name: str) -> RunSeen:
        run = self._kept(name).get(name)
        if run is None:
            return RunSeen(name)
        whole = self.totals(run.plan)
        totals = whole if run.complete else Totals(read=run.done)
        job = JobSeen(
            run.job_pods,
            failed=run.job_failed,
            failure="backoff limit",
            entries=run.job_entries,
            blameless=run.job_blameless,
            going=run.going,
            going_since=START if run.going else None,
            pod="logs-1 on node n" if run.stuck else "",
        )
        return RunSeen(
            name,
            exists=True,
            state=run.state,
            complete=run.complete,
            totals=totals,
            scanned=run.done,
            estimate=self.estimate,
            failure=run.failure,
            waiting=run.waiting,
            waiting_since=START if run.waiting else None,
            entries=run.done,
            job=job if run.job else None,
            report=self._report(run.plan) if run.complete and run.plan.kind is RunKind.PLAN else None,
        )

    def _report(self, plan: RunPlan) -> PlanReport:
        assert plan.request is not None
        phases = tuple(PhaseEstimate(name=each.name, documents=DOCUMENTS) for each in plan.request.phases)
        counts = tuple(SourceCount(migration=name, source=name, documents=count) for name, count in self.counts.items())
        if counts:
            phases = estimate(plan.request, self.counts)
        return PlanReport(checks=self.checks, counts=counts, phases=phases, time=START)

    def _config_map(self, name: str) -> ConfigMapSeen:
        if name not in self.config_maps:
            return ConfigMapSeen(exists=False)
        return ConfigMapSeen(True, dict(self.config_maps[name]), frozenset(self.owned[name]))

    def _lock(self, group: str) -> LockSeen:
        holder = self.locks.get(group)
        if holder == self.rollout.ledger_id:
            return LockSeen(mine=True)
        return LockSeen(mine=False, holder=holder or "", position=int(group in self.queued), since=START)

    def _measurements(self, state: RolloutState, wants: Wanted) -> tuple[MeasurementSeen, ...]:
        runs = {run: self._run(run) for run in wants.runs}
        work = phase_work(self.rollout, state, runs, self.now)
        return tuple(
            MeasurementSeen(
                due.gate,
                due.window,
                self._measurement(gate, due.window, work),
            )
            for due, gate in asked(state, wants.measurements)
        )

    def _measurement(self, gate: GateSpec, window: Window, work: PhaseWork) -> Measurement:
        if gate.ledger is not None:
            return measure_work(gate, gate.ledger, window, work, self.now)
        if gate.environment is not None:
            return measure_environment(gate, gate.environment, window, self.environments, self.now)
        return self._measured(gate.name, window.end)

    def _measured(self, name: str, end: datetime) -> Measurement:
        answer = self.measure(name, end)
        if isinstance(answer, Measurement):
            return answer
        return Measurement(value=answer, samples=100, unit="1", query="q", time=self.now, newest=end)


def ground(ready: str = "True", *, observed: int = 2, **changes: Any) -> EnvironmentSeen:
    """An environment of the rollout's database at generation 2, with one condition of each kind."""
    message = "" if ready == "True" else "telemetry-by-device is CREATING, 41%"
    said = ConditionSeen(
        ConditionStatus(ready), "Ready" if not message else "IndexesBuilding", message, observed, START
    )
    seen = EnvironmentSeen(
        True,
        "demo-project",
        "(default)",
        2,
        observed,
        conditions={"Ready": said},
        indexes=(
            IndexSeen("by-device", "telemetry", "CREATING" if message else "READY", START, "41%" if message else ""),
        ),
    )
    return replace(seen, **changes)


STAGING = RolloutKey("staging", "users")


def completed(reason: str = "Completed", **changes: Any) -> RolloutSeen:
    """Another rollout with the world's own plan, at generation 1."""
    since = START if reason == "Completed" else None
    plan = PromotionStatus(digest="", completed_time=since)
    return replace(RolloutSeen(True, 1, 1, reason=reason, phase="everyone", promotion=plan), **changes)


def unplanned(*phases: dict[str, Any], **changes: Any) -> World:
    """A world with one rollout that nobody has looked at."""
    return World(Rollout("demo", "users", "uid-1", 1, spec(*phases, **changes)))


def world(*phases: dict[str, Any], **changes: Any) -> World:
    """A world with one rollout whose plan is made and shown: what comes next is its first phase."""
    one = unplanned(*phases, **changes)
    for _ in range(TURNS_OF_A_PLAN):
        before, seen = one.observe()
        decision = decide(one.rollout, before, seen)
        if decision.state.phases or decision.status.reason not in {"Starting", "Planning"}:
            break
        assert one.record(before, decision)
        one.act(decision.intents)
        one.finish_plans()
    one.events.clear()
    return one
