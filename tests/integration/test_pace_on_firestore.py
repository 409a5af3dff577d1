"""Two runs with worker processes of their own on one database: together they keep within its write budget."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from tests.fault_proxy import Code, Fault, fault_proxy
from tests.integration.wrong_clock import compiler, environment, wrong_clock
from tests.rollout_specs import migrate, phase, spec
from tests.simple_work import plan

from firelift.api.migration import SourceSpec
from firelift.api.run import RunControl, RunPlan, RunState
from firelift.migration.budget import START
from firelift.migration.budget_leases import SECOND
from firelift.migration.ledger import budgets
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.progress import Progress
from firelift.migration.pressure import STUCK
from firelift.migration.store import Put
from firelift.operator.observe import run_seen
from firelift.operator.pace import ensure, give_back
from firelift.rollout.observation import LedgerSeen, Observation, PaceSeen, Rollout
from firelift.stores.firestore.store import FirestoreStore, open_firestore

CAP, BATCH, DOCUMENTS = 200, 10, 1400
LEASE_SECONDS = 4
WINDOW = 3 * SECOND
SECONDS = 120


@dataclass
class Run:
    """A rollout's run, its worker processes, and an operator that may be replaced at any time."""

    store: FirestoreStore
    emulator: str
    project: str
    name: str
    workers: int
    epoch: int = 1
    shares: list[float] = field(default_factory=list)
    processes: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    clock: dict[int, dict[str, str]] = field(default_factory=dict)
    """What a worker is started with besides, by its index."""
    operator_wrong_by: timedelta = timedelta()

    def __post_init__(self) -> None:
        pace = {"maxWritesPerSecond": CAP, "batchSize": BATCH}
        worker = {"parallelism": self.workers}
        self.rollout = Rollout(
            "shop", self.name, self.name, 1, spec(phase("p", migrate(100)), pace=pace, worker=worker)
        )
        made = plan("r1", ledger=self.rollout.ledger_id, workers=self.workers, pace=self.rollout.spec.pace)
        source = made.migration.model_copy(update={"source": SourceSpec(collection=self.name)})
        self.plan: RunPlan = made.model_copy(update={"migration": source})
        self.progress = self.fresh()

    def fresh(self) -> Progress:
        return Progress(self.store, self.plan.ledger, self.plan.id)

    def operator_restarts(self) -> None:
        self.epoch, self.progress = self.epoch + 1, self.fresh()

    async def seed(self) -> None:
        encode = self.store.values.encode
        for start in range(0, DOCUMENTS, 350):
            numbers = range(start, start + 350)
            await self.store.commit([Put(f"{self.name}/d{number:04d}", {"n": encode(number)}) for number in numbers])

    async def turn(self) -> bool:
        """What an operator's turn does with a run; whether the run is complete."""
        done = await self.progress.update()
        seen = run_seen(self.plan.id, RunState.RUN, done)
        look = Observation(
            now=datetime.now(UTC) + self.operator_wrong_by, ledger=LedgerSeen(), runs={self.plan.id: seen}
        )
        wanted = RunControl(state=RunState.RUN, epoch=self.epoch, lease_seconds=LEASE_SECONDS)
        agreed = await ensure(self.store, self.rollout, self.plan, look, wanted)
        assert isinstance(agreed.told, PaceSeen)
        assert agreed.lease is not None
        self.shares.append(agreed.told.share)
        if done.complete:
            await give_back(self.store, agreed.lease, look, {})
        return done.complete

    async def start(self, index: int) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "FIRESTORE_EMULATOR_HOST": self.emulator,
            "FIRELIFT_LEDGER": self.plan.ledger,
            "FIRELIFT_RUN": self.plan.id,
            "FIRELIFT_PROJECT": self.project,
            "FIRELIFT_DATABASE": "(default)",
            "FIRELIFT_WORKERS": str(self.workers),
            "JOB_COMPLETION_INDEX": str(index),
            **self.clock.get(index, {}),
        }
        command = (sys.executable, "-m", "firelift.worker")
        self.processes[index] = await asyncio.create_subprocess_exec(
            *command, env=environment, stderr=asyncio.subprocess.DEVNULL
        )

    async def worker_restarts(self, index: int) -> None:
        self.processes[index].kill()
        await self.processes[index].wait()
        await self.start(index)

    async def commits(self) -> list[tuple[int, int]]:
        """When each of its Commits happened, by the database's clock, and how many documents it wrote."""
        journal, found = Journal(self.store, self.plan.ledger), []
        for lane in range(self.workers * 4):
            written = 0
            for entry in await journal.walk(self.plan.id, lane, after=0, limit=1000):
                found.append((entry.commit_time, entry.totals.written - written + 1))
                written = entry.totals.written
        return found


@pytest_asyncio.fixture
async def runs(emulator: str) -> AsyncIterator[list[Run]]:
    project = f"pace-{secrets.token_hex(6)}"
    store = open_firestore(project, emulator_host=emulator)
    made = [Run(store, emulator, project, "users", 2), Run(store, emulator, project, "tasks", 1)]
    yield made
    for process in (process for run in made for process in run.processes.values()):
        if process.returncode is None:
            process.kill()
        await process.wait()
    await store.close()


def most(commits: list[tuple[int, int]]) -> int:
    """Documents of the busiest window."""
    ordered = sorted(commits)
    return max(sum(count for time, count in ordered if begin <= time < begin + WINDOW) for begin, _ in ordered)


async def frozen(run: Run) -> tuple[int, int]:
    """No operator's turn for a lease and three seconds more; the time in which no worker may write."""
    stopped = (await budgets.read(run.store)).read_time
    await asyncio.sleep(LEASE_SECONDS + 3)
    return stopped + (LEASE_SECONDS + 1) * SECOND, (await budgets.read(run.store)).read_time


async def test_two_runs_keep_within_one_budget_through_restarts_of_operators_and_workers(runs: list[Run]) -> None:
    one, other = runs
    await asyncio.gather(one.seed(), other.seed())
    for run in runs:
        await run.turn()
        for index in range(run.workers):
            await run.start(index)
    turns, complete, quiet = 0, [False, False], (0, 0)
    async with asyncio.timeout(SECONDS):
        while not all(complete):
            complete = [done or await run.turn() for run, done in zip(runs, complete, strict=True)]
            turns += 1
            if turns in {8, 16}:
                one.operator_restarts()
                await one.worker_restarts(0)
            if turns == 12:
                quiet = await frozen(one)
            await asyncio.sleep(0.4)

    commits = [await run.commits() for run in runs]
    budget = (await budgets.read(one.store)).budget
    assert sum(count - 1 for each in commits for _, count in each) == 2 * DOCUMENTS
    # On a busy machine commits may take so long that the budget is cut, as it should be; it never grows here.
    assert budget.rate == 500 or "p95" in budget.cause
    assert other.shares[0] == 0, "the first had all of it, and its workers had not heard of the second"
    assert {one.shares[-1], other.shares[-1]} <= {100.0, 200.0}
    together = [*commits[0], *commits[1]]
    slack = 4 * (BATCH + 1)
    whole = CAP * WINDOW / SECOND
    assert whole / 2 < most(together) <= whole + slack
    assert quiet[0] < quiet[1]
    assert not [time for time, _ in together if quiet[0] <= time < quiet[1]], "without an operator nobody writes"
    times = sorted(time for time, _ in together)
    assert all(later - earlier < 10 * SECOND for earlier, later in pairwise(times)), "nobody stands still"


WRONG_BY = 300
LONGEST_GAP = 2 * SECOND
"""Between two Commits of a worker that has its share all the time; a Commit of eleven at half of 200 takes 0.1 s."""


@pytest.mark.skipif(compiler() is None, reason="a clock is made wrong by a library that a C compiler has to make")
@pytest.mark.parametrize("operator", [-WRONG_BY, WRONG_BY])
async def test_clocks_that_are_minutes_apart_neither_pass_the_budget_nor_stop_anybody(
    runs: list[Run], tmp_path: Path, operator: int
) -> None:
    run, library = runs[0], wrong_clock(tmp_path)
    run.clock = {0: environment(library, WRONG_BY), 1: environment(library, -WRONG_BY)}
    run.operator_wrong_by = timedelta(seconds=operator)
    shown = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; print(time.time())", env=run.clock[0], stdout=asyncio.subprocess.PIPE
    )
    seconds = float((await shown.communicate())[0])
    assert abs(seconds - datetime.now(UTC).timestamp() - WRONG_BY) < WRONG_BY / 10, "the clock is wrong indeed"
    await run.seed()
    await run.turn()
    for index in range(run.workers):
        await run.start(index)
    async with asyncio.timeout(SECONDS):
        while not await run.turn():  # noqa: ASYNC110 - an operator's turns
            await asyncio.sleep(0.4)

    commits = await run.commits()
    assert sum(count - 1 for _, count in commits) == DOCUMENTS
    whole = CAP * WINDOW / SECOND
    assert whole / 2 < most(commits) <= whole + 3 * (BATCH + 1)
    times = sorted(time for time, _ in commits)
    assert max(later - earlier for earlier, later in pairwise(times)) < LONGEST_GAP


async def test_an_operator_hears_of_pressure_while_no_entry_of_a_worker_lands(emulator: str, runs: list[Run]) -> None:
    run = runs[1]
    await run.seed()
    async with fault_proxy(emulator) as proxy:
        run.emulator = proxy.host
        await run.turn()
        await run.start(0)
        while not (await run.commits()):
            await run.turn()
            await asyncio.sleep(0.1)
        refused = Fault(Code.RESOURCE_EXHAUSTED, deliveries=0)
        proxy.decide = lambda call: refused if call.is_entry else None
        began = asyncio.get_running_loop().time()
        while (budget := (await budgets.read(run.store)).budget).rate == START:
            assert asyncio.get_running_loop().time() < began + SECONDS
            await run.turn()
            await asyncio.sleep(0.3)
    assert (budget.rate, budget.cause) == (CAP / 2, STUCK)
