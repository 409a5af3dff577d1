"""A world for the environment machine: a memory, Terraform with its state and lock, and a Firestore behind it.

What operators do is done in steps, so that a test can crash one between any two. Everything durable is a field here;
what a process knows is in `Process` and goes with it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.environment_plans import DATABASE, MODULES, database, difference, document, index, index_address, ttl
from tests.environment_plans import ttl_address as _ttl

from firelift.api.approval import ApprovalDecision
from firelift.api.digest import digest
from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentStatus, ResourceState
from firelift.environment.document import short
from firelift.environment.holders import Pod
from firelift.environment.indexes import from_terraform
from firelift.environment.intents import Decision, DropMemory, EmitEvent, Intent, StartRun
from firelift.environment.machine import decide, idle, initial_state, wanted, withdrawn
from firelift.environment.neighbours import Neighbour
from firelift.environment.observation import (
    Applied,
    ApprovalSeen,
    Environment,
    Existing,
    FieldSeen,
    FieldWanted,
    GroundSeen,
    IndexSeen,
    Inputs,
    LockSeen,
    Observation,
    Operator,
    Outcome,
    Planned,
    RolloutSeen,
    RunFailed,
    RunSeen,
    TtlSeen,
    Unlocked,
    Withdrawn,
)
from firelift.environment.state import EnvironmentState, Run, RunKind, Variant
from firelift.environment.tenancy import barred

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
Ground = dict[str, dict[str, Any]]

SPEC: dict[str, Any] = {"project": {"id": "prod-1"}, "database": {"location": "nam5"}}


def spec(**changes: Any) -> EnvironmentSpec:
    """The shortest spec, with these fields."""
    return EnvironmentSpec.model_validate({**SPEC, **changes})


@dataclass
class Process:
    """One life of an operator."""

    id: str
    host: str
    started: datetime
    seen: bool = True
    """Whether the others can tell that it lives, or that it does not."""
    waiting: dict[str, Run] = field(default_factory=dict)
    """Runs that wait for a place among those that may be at work at once."""
    running: dict[str, Run] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@dataclass
class Saved:
    """A saved plan."""

    document: dict[str, Any]
    serial: int
    want: Ground
    moved: dict[str, str]
    importing: dict[str, str]


@dataclass
class Lock:
    """The state's lock."""

    id: str
    run: str
    by: str
    host: str
    created: datetime


@dataclass
class World:
    """See the module."""

    environment: Environment
    now: datetime = START
    state: EnvironmentState | None = None
    status: EnvironmentStatus | None = None
    process: Process = field(default_factory=lambda: Process("life-1", "pod-1", START))
    others: list[Process] = field(default_factory=list)
    """Operators that no longer lead and still live, with what they have at work."""
    lives: int = 1
    strangers: set[str] = field(default_factory=set)
    """Locks of somebody who lives and is none of the operators."""
    real: Ground = field(default_factory=dict)
    known: Ground = field(default_factory=dict)
    """Terraform's state."""
    serial: int = 0
    saved: dict[str, Saved] = field(default_factory=dict)
    bundle: Ground | None = None
    """What was given to Terraform for the last apply."""
    lock: Lock | None = None
    building: dict[str, datetime] = field(default_factory=dict)
    build_seconds: int = 60
    fields: FieldSeen = field(default_factory=lambda: FieldSeen({"timestamp": 3}))
    rollouts: tuple[RolloutSeen, ...] = ()
    approvals: list[ApprovalSeen] = field(default_factory=list)
    missing: str = ""
    invalid: str = ""
    unidentified: str = ""
    ground_error: str = ""
    failing: str = ""
    unsavable: bool = False
    """Whether the state's backend takes nothing at the moment."""
    busy: bool = False
    """Whether runs of other environments have all places."""
    rescued: tuple[Ground, int] | None = None
    """The state that it did not take."""
    unwritten: str = ""
    elder: Neighbour | None = None
    file: dict[str, CompositeIndex] = field(default_factory=dict)
    """Indexes that a ConfigMap declares."""
    comment: str = ""
    """What else it says, of which nothing is made."""
    gone: bool = False
    applied_digests: list[str] = field(default_factory=list)
    events: list[EmitEvent] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    losing: list[tuple[str, str]] = field(default_factory=list)
    """Digest and address of what was done to the ground that can lose data."""
    removed: list[str] = field(default_factory=list)
    """Addresses that an apply took away or replaced, in order."""

    # What an operator does

    def observe(self, state: EnvironmentState | None = None) -> Observation:
        """One read of everything, for the memory or another one in its place."""
        self.now += timedelta(microseconds=1)
        state = state or self.state
        run = state.run if state is not None else None
        seen = Observation(
            now=self.now,
            operator=self._operator(),
            inputs=self.inputs(),
            run=self._run(run) if run is not None else None,
            ground=self.ground() if barred(self.environment) is None else None,
            rollouts=self.rollouts,
            approvals=tuple(self.approvals),
            made=self.bundle is not None or self.serial > 0,
            unwritten=self.unwritten,
            elder=self.elder,
            conditions=self.status.conditions if self.status is not None else (),
        )
        asked = wanted(self.environment, state or initial_state(self.environment), seen).fields
        return replace(seen, fields={each: self._field(each) for each in asked})

    def _operator(self) -> Operator:
        """Who decides, and what can be told from here of the others."""
        mine, worked = self.process, self.state.worked if self.state is not None else ()
        known = {each.id for each in (mine, *self.others) if each.seen or each is mine}
        unseen = {each.by for each in worked if each.ended is None and each.pod is None} - {mine.id}
        pod = Pod(namespace="system", name=mine.host, uid=mine.id) if mine.seen else None
        return Operator(
            id=mine.id,
            host=mine.host,
            alive=frozenset(known | unseen),
            hosts=frozenset(each.host for each in (mine, *self.others) if each.id in known),
            unseen=frozenset(unseen),
            pod=pod,
        )

    def turn(self) -> Decision:
        """Observe, decide, record, act."""
        before = self.state
        decision = self.decided(self.observe())
        if self.record(before, decision):
            self.status = decision.status
            self.act(decision.intents)
            if not decision.finalizer:
                self.gone = True
        return decision

    def decided(self, seen: Observation) -> Decision:
        """What follows from it."""
        return decide(self.environment, self.state or initial_state(self.environment), seen)

    def record(self, before: EnvironmentState | None, decision: Decision) -> bool:
        """Keep the memory, unless somebody else has changed it since `before`."""
        version = self.state.version if self.state is not None else 0
        if version != (before.version if before is not None else 0):
            return False
        self.state = decision.state
        return True

    def act(self, intents: tuple[Intent, ...], process: Process | None = None) -> None:
        """Do what was decided."""
        process = process or self.process
        for intent in intents:
            match intent:
                case StartRun(run=run):
                    if not any(run.id in known for known in (process.waiting, process.running, process.outcomes)):
                        process.waiting[run.id] = run
                        self._admit(process)
                case EmitEvent():
                    self.events.append(intent)
                case DropMemory(state_too=True):
                    self.known, self.serial, self.bundle = {}, 0, None
                case _:
                    pass

    def settle(self, turns: int = 30, seconds: int = 1) -> EnvironmentStatus:
        """Turns, each run ending at once, until nothing changes."""
        for _ in range(turns):
            before, waiting = self.state, bool(self.process.waiting)
            self.turn()
            self.finish()
            self.pass_time(seconds)
            if self.state == before and not self.process.running and not waiting:
                break
        assert self.status is not None
        return self.status

    # Terraform

    def finish(self, steps: int | None = None, *, others: bool = True) -> None:
        """Let the runs at work end; with `steps`, after so many changes the process dies and its runs with it."""
        for process in (self.process, *(self.others if others else ())):
            self._admit(process)
            for run in list(process.running.values()):
                outcome = self._work(run, steps)
                if outcome is not None:
                    self._release(run)
                    process.outcomes[run.id] = outcome
                    del process.running[run.id]

    def crash(self) -> None:
        """The operator is killed, its runs with it and all else on its host; a new one begins on another host."""
        self._dies(self.process)
        self._begin(seen=self.process.seen)

    def restart(self) -> None:
        """The operator is killed, its runs with it; a new one begins where it was."""
        self._begin(self.process.host, seen=self.process.seen)

    def lose_the_lease(self) -> None:
        """The operator stands still while its runs go on; another one leads."""
        self.others.append(self.process)
        self._begin(seen=self.process.seen)

    def end_others(self) -> None:
        """The operators that do not lead die."""
        for each in self.others:
            self._dies(each)
        self.others.clear()

    def _begin(self, host: str = "", *, seen: bool) -> None:
        self.lives += 1
        self.process = Process(f"life-{self.lives}", host or f"pod-{self.lives}", self.now, seen=seen)

    def _dies(self, process: Process) -> None:
        if self.lock is not None and self.lock.host == process.host:
            self.strangers.discard(self.lock.id)

    def lock_by_stranger(self, host: str) -> None:
        """Somebody works on the state who is none of the operators; on the host of one, or on another.

        On a host where a run was killed and nobody has noticed yet, nobody could tell them from that run.
        """
        run = self.state.run if self.state is not None else None
        living = {each.id for each in (self.process, *self.others)}
        if self.lock is None and (run is None or run.by in living or run.host != host):
            self.lock = Lock(f"lock-of-grace-{self.now.isoformat()}", "grace", "grace", host, self.now)
            self.strangers.add(self.lock.id)

    def stranger_ends(self) -> None:
        """They release their lock, if it is theirs."""
        if self.lock is not None and self.lock.id in self.strangers:
            self.lock = None
        self.strangers.clear()

    @property
    def at_work(self) -> list[Run]:
        """Every run of every operator that lives."""
        return [run for process in (self.process, *self.others) for run in process.running.values()]

    def _admit(self, process: Process) -> None:
        """Let the runs that wait have their turn, those of them that still hold."""
        if self.busy:
            return
        for run in list(process.waiting.values()):
            del process.waiting[run.id]
            if why := self._withdrawn(process, run):
                process.outcomes[run.id] = Withdrawn(why)
            else:
                self._start(process, run)

    def _withdrawn(self, process: Process, run: Run) -> str:
        if process is not self.process:
            return "the Lease was not renewed in time"
        if self.state is None or self.state.run is None or self.state.run.id != run.id:
            return "it is not what the memory says"
        return withdrawn(self.environment, self.state, self.observe(idle(self.state)))

    def _start(self, process: Process, run: Run) -> None:
        deleting = self.environment.deleting
        assert deleting or not self.environment.spec.suspend, "a run began while suspended"
        assert barred(self.environment) is None, "a run began in a database that the namespace may not touch"
        assert deleting or run.kind is RunKind.UNLOCK or run.inputs == self.inputs().digest, (
            "a run of another spec began"
        )
        lock = self.lock
        if run.kind is RunKind.UNLOCK:
            if lock is not None and lock.id == run.lock:
                assert lock.run not in {each.id for each in self.at_work}, "the lock of a run at work was released"
                assert lock.id not in self.strangers, "the lock of somebody who works was released"
                self.lock = None
            process.outcomes[run.id] = Unlocked()
            return
        if lock is not None:
            seen = LockSeen(lock.id, f"firelift@{lock.host}", lock.host, "OperationTypePlan", lock.created)
            process.outcomes[run.id] = RunFailed("Error acquiring the state lock", lock=seen)
            return
        assert not self.at_work, "two runs of Terraform are at work on one state"
        assert run.id not in self.begun, "a run was begun twice"
        self.begun.add(run.id)
        self.lock = Lock(f"lock-of-{run.id}", run.id, process.id, process.host, self.now)
        process.running[run.id] = run

    def _release(self, run: Run) -> None:
        if self.lock is not None and self.lock.run == run.id:
            self.lock = None

    def _work(self, run: Run, steps: int | None) -> Outcome | None:
        if self.failing:
            return RunFailed(self.failing)
        if run.kind is RunKind.PLAN:
            return self._plan(run)
        return self._apply(run, steps)

    def _plan(self, run: Run) -> Outcome:
        destroys = run.purpose == "Destroy" and run.variant is Variant.LAST_APPLIED
        want = {} if destroys else self.wanted(run)
        moved = {each.target: each.source for each in run.moves}
        importing = {each.address: each.id for each in run.imports}
        have = {address: self.real[address] for address in self.known if address in self.real}
        for new, old in moved.items():
            if old in have:
                have[new] = have.pop(old)
        for address, name in importing.items():
            if name not in self.real:
                return RunFailed(f"Cannot import non-existent remote object {name}")
            have[address] = self.real[name]
        if run.targets:
            have, want = ({at: each for at, each in ground.items() if at in run.targets} for ground in (have, want))
        shown = document(*difference(have, want, moved=moved, importing=importing))
        self.saved[run.id] = Saved(shown, self.serial, want, moved, importing)
        return Planned(shown, "lineage", self.serial)

    def _apply(self, run: Run, steps: int | None) -> Outcome | None:
        if not self.unsavable:
            return self._applied(run, steps)
        before = copy.deepcopy(self.known), self.serial
        outcome = self._applied(run, None)
        if self.serial == before[1]:
            return outcome
        self.rescued = self.known, self.serial
        self.known, self.serial = before
        return RunFailed("could not write its state", unsaved="Secret rescued-state")

    def push(self) -> None:
        """Somebody pushes the state that was not taken."""
        if self.rescued is not None and self.rescued[1] > self.serial:
            self.known, self.serial = self.rescued
        self.rescued = None

    def _applied(self, run: Run, steps: int | None) -> Outcome | None:
        plan = self.saved.get(run.plan)
        if plan is None:
            return RunFailed("the saved plan is gone")
        if plan.serial != self.serial:
            return RunFailed("Saved plan is stale", stale=True)
        self.applied_digests.append(run.digest)
        if self.bundle is None or run.purpose != "Destroy":
            self.bundle = copy.deepcopy(plan.want)
        self._rename(plan)
        done = 0
        for entry in plan.document["resource_changes"]:
            if entry["change"]["actions"] == ["no-op"]:
                continue
            if steps is not None and done >= steps:
                self.serial += 1
                return None
            if _loses(entry):
                self.losing.append((run.digest, short(entry["address"])))
            failed = self._change(entry)
            if failed is not None:
                self.serial += 1
                return failed
            done += 1
        self.serial += 1
        return Applied("lineage", self.serial)

    def _rename(self, plan: Saved) -> None:
        for new, old in plan.moved.items():
            if old in self.known:
                self.known[new] = self.known.pop(old)
            if old in self.real:
                self.real[new] = self.real.pop(old)
                self.building.update({new: self.building.pop(old)} if old in self.building else {})
        for address, name in plan.importing.items():
            if name in self.real:
                self.known[address] = self.real[address] = self.real.pop(name)

    def _change(self, entry: dict[str, Any]) -> RunFailed | None:
        address, actions = entry["address"], entry["change"]["actions"]
        if "delete" in actions:
            protected = self.real.get(address, {}).get("delete_protection_state") == "DELETE_PROTECTION_ENABLED"
            if protected:
                return RunFailed("the database is protected against deletion")
            self.removed.append(short(address))
            self.real.pop(address, None)
            self.known.pop(address, None)
        if actions == ["delete"]:
            return None
        after = copy.deepcopy(entry["change"]["after"])
        if "create" in actions:
            twin = next((name for name, each in self.real.items() if each == after and name != address), None)
            if twin is not None and "google_firestore_index" in address:
                return RunFailed("Error 409: index already exists", existing=(Existing(address),))
            if "google_firestore_index" in address:
                self.building[address] = self.now + timedelta(seconds=self.build_seconds)
        self.real[address] = self.known[address] = after
        return None

    # The ground

    def wanted(self, run: Run) -> Ground:
        """What is rendered for a run."""
        declared = rendered(self._declared())
        want = declared if run.variant is Variant.DECLARED or self.bundle is None else copy.deepcopy(self.bundle)
        if run.variant is Variant.UNPROTECTED:
            want[MODULES + DATABASE] |= {"delete_protection_state": "DELETE_PROTECTION_DISABLED"}
            want[MODULES + DATABASE] |= {"deletion_policy": "DELETE"}
        for move in run.moves:
            want.pop(move.source, None)
        for kept in run.kept:
            want[MODULES + index_address(kept.key)] = _terraform(kept.index)
        return want

    def inputs(self) -> Inputs:
        """What the spec comes to."""
        declared = self._declared()
        if self.missing or self.invalid:
            return Inputs("", missing=self.missing, invalid=self.invalid, unidentified=self.unidentified)
        said = {"ConfigMap indexes": digest([self.file, self.comment])}
        return Inputs(digest(rendered(declared)), composite=declared.indexes.composite, said=said)

    def _declared(self) -> EnvironmentSpec:
        spec = self.environment.spec
        composite = {**spec.indexes.composite, **self.file}
        return spec.model_copy(update={"indexes": spec.indexes.model_copy(update={"composite": composite})})

    def ground(self) -> GroundSeen:
        """What Firestore says."""
        if self.ground_error:
            return GroundSeen(error=self.ground_error)
        if MODULES + DATABASE not in self.real:
            return GroundSeen(absent=True)
        return GroundSeen(
            indexes=tuple(
                IndexSeen(address, found, self.index_state(address))
                for address, each in self.real.items()
                if "fields" in each and (found := from_terraform(each)) is not None
            ),
            ttls=tuple(
                TtlSeen(each["collection"], each["field"], ResourceState.ACTIVE)
                for each in self.real.values()
                if each.get("ttl_config")
            ),
        )

    def index_state(self, address: str) -> ResourceState:
        """Whether an index is built."""
        done = self.building.get(address, self.now)
        return ResourceState.READY if done <= self.now else ResourceState.CREATING

    def _run(self, run: Run) -> RunSeen:
        running = run.id in self.process.running or run.id in self.process.waiting
        outcome = self.process.outcomes.get(run.id)
        if run.by != self.process.id:
            kept = self.saved.get(run.id) if run.kind is RunKind.PLAN else None
            planned = Planned(kept.document, "lineage", kept.serial) if kept is not None else None
            return RunSeen(run.id, outcome=planned)
        return RunSeen(run.id, running=running, outcome=outcome)

    def _field(self, _: FieldWanted) -> FieldSeen:
        return self.fields

    # People and time

    def pass_time(self, seconds: float) -> None:
        """The clock moves."""
        self.now += timedelta(seconds=seconds)

    def edit(self, **changes: Any) -> None:
        """Somebody edits the spec."""
        before = self.environment.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
        after = EnvironmentSpec.model_validate({**before, **changes})
        self.environment = replace(self.environment, spec=after, generation=self.environment.generation + 1)

    def delete(self) -> None:
        """Somebody deletes the object."""
        self.environment = replace(self.environment, deleting=True)

    def decide(
        self,
        decision: ApprovalDecision = ApprovalDecision.APPROVE,
        *loses: str,
        digest: str = "",
        during_rollouts: bool = False,
        expires: datetime | None = None,
    ) -> None:
        """Somebody decides about the plan that is shown."""
        shown = self.status.plan if self.status is not None else None
        self.approvals.append(
            ApprovalSeen(
                name=f"approval-{len(self.approvals)}",
                digest=digest or (shown.digest if shown is not None else "sha256:" + "0" * 64),
                decision=decision,
                approver="ada",
                created=self.now,
                loses=frozenset(loses),
                during_rollouts=during_rollouts,
                expires=expires,
            )
        )

    def approve_all(self) -> None:
        """Somebody approves the plan that is shown and names all that it loses."""
        shown = self.status.plan if self.status is not None else None
        losing = [each.address for each in shown.changes if each.can_lose_data] if shown is not None else []
        self.decide(ApprovalDecision.APPROVE, *losing)


def _loses(entry: dict[str, Any]) -> bool:
    """The world's own opinion, for resources that it knows: nobody's rules are asked."""
    before, after = entry["change"]["before"] or {}, entry["change"]["after"] or {}
    guards = ("delete_protection_state", "point_in_time_recovery_enablement")
    weaker = any(str(before.get(each)).endswith("_ENABLED") and before.get(each) != after.get(each) for each in guards)
    return "google_firestore_database" in entry["address"] and weaker


def rendered(declared: EnvironmentSpec) -> Ground:
    """The resources of a spec by their full addresses: a database, its indexes and its TTLs."""
    recovers = declared.database.point_in_time_recovery
    ground = {
        DATABASE: database(
            point_in_time_recovery_enablement=f"POINT_IN_TIME_RECOVERY_{'ENABLED' if recovers else 'DISABLED'}"
        )
    }
    ground |= {index_address(key): _terraform(each) for key, each in declared.indexes.composite.items()}
    ground |= {_ttl(key): ttl(each.collection, each.path) for key, each in declared.ttls.items()}
    return {MODULES + address: attributes for address, attributes in ground.items()}


def _terraform(declared: CompositeIndex) -> dict[str, Any]:
    paths = ("-" * (each.order == "DESCENDING") + each.path for each in declared.fields)
    return index(declared.collection, *paths)


def world(**changes: Any) -> World:
    """A world in which nothing has happened yet to an environment with this spec."""
    return World(Environment("team", "prod", "uid-1", 1, spec(**changes)))
