"""Workers, operators and the budget together, on a database that asks to slow down: minutes in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.rollout_specs import migrate, phase, spec
from tests.rollout_world import START
from tests.simple_work import SOURCE, build, plan, seed
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.run import RunControl, RunState
from firelift.migration.budget import Budget
from firelift.migration.errors import LeaseLost, Pressure
from firelift.migration.ledger import budgets, paths
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.store import Write
from firelift.migration.worker import Share, work
from firelift.operator.observe import run_seen
from firelift.operator.pace import ensure
from firelift.rollout.observation import LedgerSeen, Observation, Rollout
from firelift.rollout.pace import text
from firelift.stores.memory import MemoryStore
from firelift.stores.memory.store import BIRTH

BATCH = 20


def now() -> float:
    return asyncio.get_running_loop().time()


class Scene:
    """A rollout of 6,000 documents, two workers, and an operator with a turn a second."""

    def __init__(self, cap: int = 100) -> None:
        self.store = MemoryStore()
        pace = {"maxWritesPerSecond": cap, "batchSize": BATCH}
        self.rollout = Rollout("shop", "users", "uid", 1, spec(phase("p", migrate(100)), pace=pace))
        self.plan = plan("r1", ledger=self.rollout.ledger_id, pace=self.rollout.spec.pace, workers=2)
        self.progress = self.fresh()
        self.lines: list[str] = []
        self.commits: list[float] = []
        self.pressed_until = 0.0
        self.answers = 0

    def fresh(self) -> Progress:
        return Progress(self.store, self.plan.ledger, self.plan.id)

    async def begin(self, documents: int = 6_000) -> list[asyncio.Task[None]]:
        await seed(self.store, {f"{SOURCE}/d{number:04d}": {"n": number} for number in range(documents)})
        self.store.faults.before_read = self.tell_time
        self.store.faults.before_commit = self.answer
        await self.turn()
        shares = (Share(self.plan.ledger, self.plan.id, index, 2) for index in range(2))
        return [asyncio.create_task(work(self.store, each, build(500), clock=VirtualClock())) for each in shares]

    async def turn(self) -> RunProgress:
        done = await self.progress.update()
        seen = run_seen(self.plan.id, RunState.RUN, done)
        look = Observation(now=START, ledger=LedgerSeen(), runs={self.plan.id: seen})
        control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=30)
        agreed = await ensure(self.store, self.rollout, self.plan, look, control)
        self.lines.append(text(agreed.told))
        return done

    async def budget(self) -> Budget:
        return (await budgets.read(self.store)).budget

    async def turns(self, seconds: int) -> RunProgress:
        for _ in range(seconds):
            await asyncio.sleep(1)
            done = await self.turn()
        return done

    def written(self, start: float, end: float) -> int:
        return BATCH * sum(start <= time < end for time in self.commits)

    async def tell_time(self, _: str) -> None:
        self.store.now = max(self.store.now, BIRTH + int(now() * 1_000_000))

    async def answer(self, writes: Sequence[Write]) -> None:
        await self.tell_time("")
        if any(write.path.startswith(SOURCE) for write in writes):
            self.answers += 1
            if now() < self.pressed_until and self.answers % 5 == 0:
                raise Pressure("ABORTED", "too much contention")
            self.commits.append(now())


@in_virtual_time
async def test_pressure_cuts_the_budget_until_it_is_over_and_everything_moves_once() -> None:
    scene = Scene()
    workers = await scene.begin()
    await scene.turns(20)
    assert scene.lines[-1] == "100/s of 100/s, its maxWritesPerSecond"
    assert 85 * 10 <= scene.written(10, 20) <= 105 * 10
    scene.pressed_until = now() + 20
    await scene.turns(40)
    assert scene.lines[-1].startswith("50/s of 50/s, cut: ")
    assert 35 * 10 <= scene.written(50, 60) <= 55 * 10
    await asyncio.gather(*workers, scene.turns(200))
    progress = await scene.turn()
    assert (progress.complete, progress.totals.updated) == (True, 6_000)
    assert progress.totals.pressured == progress.totals.retries > 1
    assert (await scene.budget()).rate == 50, "it grows by what is written, five minutes after the cut"


@in_virtual_time
async def test_a_database_that_only_asks_to_slow_down_is_left_nearly_alone() -> None:
    scene = Scene()
    workers = await scene.begin(400)
    scene.pressed_until = now() + 300

    async def refuse(writes: Sequence[Write]) -> None:
        await scene.tell_time("")
        if now() < scene.pressed_until and any(write.path.startswith(SOURCE) for write in writes):
            scene.commits.append(now())
            raise Pressure("RESOURCE_EXHAUSTED", "quota")

    scene.store.faults.before_commit = refuse
    await scene.turns(300)
    assert 5 < len(scene.commits) < 40
    assert sum(100 < time < 300 for time in scene.commits) <= 16, "four lanes, each about once a minute"
    await asyncio.gather(*workers, scene.turns(120))
    assert (await scene.turn()).totals.updated == 400


@in_virtual_time
async def test_pressure_is_heard_of_within_a_minute_while_nothing_lands_and_a_quiet_run_says_nothing() -> None:
    scene = Scene(cap=1_000)
    workers = await scene.begin(60_000)
    words = [paths.failure(scene.plan.ledger, scene.plan.id, index) for index in range(2)]
    progress = await scene.turns(20)
    assert ((await scene.budget()).rate, [scene.store.history(word) for word in words]) == (500, [[], []])

    answer, over = scene.store.faults.before_commit, now() + 120

    async def refuse(writes: Sequence[Write]) -> None:
        await scene.tell_time("")
        if now() < over and any("firelift_journal" in write.path for write in writes):
            raise Pressure("RESOURCE_EXHAUSTED", "quota")

    scene.store.faults.before_commit = refuse
    before = (await scene.turns(60)).totals
    assert before.updated <= progress.totals.updated + 4 * BATCH * 2
    assert (await scene.budget()).rate <= 250
    assert scene.lines[-1].endswith("cut: commits were only asked to slow down, and none of a worker has landed")
    assert all(1 <= len(scene.store.history(word)) <= 3 for word in words)

    await scene.turns(60)
    scene.store.faults.before_commit = answer
    await scene.turns(120)
    assert (await scene.turn()).totals.updated > before.updated
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


@in_virtual_time
async def test_without_an_operator_shares_end_and_a_new_one_goes_on_at_the_same_rate() -> None:
    scene = Scene(cap=50)
    workers = await scene.begin(2_000)
    await scene.turns(10)
    before = (await scene.budget()).rate
    await asyncio.sleep(45)
    assert max(scene.commits) < 30.1, "the last renewal was at the beginning"
    scene.progress = scene.fresh()
    await scene.turns(10)
    assert (await scene.budget()).rate == before
    assert 35 * 8 <= scene.written(57, 65) <= 50 * 8 + 2 * BATCH
    for worker in workers:
        worker.cancel()
    ended = await asyncio.gather(*workers, return_exceptions=True)
    assert not any(isinstance(each, LeaseLost) for each in ended)
