"""How fast a process writes: as its share says, less while it is asked to slow down, and never in bursts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.simple_work import LEDGER, SOURCE, build, plan, seed
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunState
from firelift.migration.errors import RunStopped
from firelift.migration.ledger.runs import RunStore
from firelift.migration.pace import LOWEST_FACTOR, Allowance, Pacer
from firelift.migration.store import Write
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore
from firelift.stores.memory.store import BIRTH


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("pauses", "seconds"),
    [
        ((), 0),
        ((60,), 0),
        ((1, 60), 0),
        ((600,) * 20, 0),
        ((2, 4, 8), 14),
        ((600, 2, 4, 8), 14),
        ((2, 4, 8, 16, 32, 60, 60), 182),
        ((2, 4, 8, 16, 32, 60, 600), 0),
        ((2, 4, 8, 16, 32, 60, 600, 60), 60),
    ],
)
@in_virtual_time
async def test_only_waits_for_having_been_asked_to_slow_down_belong_to_one_stretch(
    pauses: tuple[int, ...], seconds: float
) -> None:
    pacer = Process().pacer
    pacer.pressed(now())
    for pause in pauses:
        await asyncio.sleep(pause)
        pacer.pressed(now())
    assert pacer.pressed_seconds == seconds
    pacer.rest()
    assert pacer.pressed_seconds == 0


@dataclass
class Process:
    """A pacer whose allowance the test changes."""

    rate: float = 100.0
    processes: int = 1
    pace: PaceSpec = field(default_factory=lambda: PaceSpec(batch_size=50))
    written: int = 0

    def __post_init__(self) -> None:
        self.pacer = Pacer(self.pace, lambda: Allowance(self.rate, self.processes, 30.0), VirtualClock())

    async def batch(self) -> None:
        reserved = await self.pacer.turn(asyncio.sleep)
        self.pacer.spend(self.pacer.batch + 1 - reserved)
        self.written += self.pacer.batch + 1
        self.pacer.rest()

    async def lane(self) -> None:
        while True:
            await self.batch()

    async def run(self, seconds: float, lanes: int = 4) -> int:
        """What so many lanes write in this time."""
        before = self.written
        tasks = [asyncio.create_task(self.lane()) for _ in range(lanes)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.written - before


@pytest.mark.parametrize(("rate", "lanes"), [(100.0, 1), (100.0, 4), (2.5, 4), (5_000.0, 4)])
@in_virtual_time
async def test_all_lanes_together_keep_to_the_rate(rate: float, lanes: int) -> None:
    process = Process(rate)
    for _ in range(10):
        assert await process.run(20, lanes) == pytest.approx(rate * 20, rel=0.1, abs=51)


@in_virtual_time
async def test_a_process_begins_in_debt_so_that_restarts_write_no_more() -> None:
    written = 0
    for _ in range(100):
        written += await Process(100).run(0.6)
    assert written <= 100 * 60


@in_virtual_time
async def test_an_idle_process_saves_nothing() -> None:
    process = Process(100)
    await process.run(5)
    await asyncio.sleep(1000)
    assert await process.run(5) <= 100 * 5 + 51


@in_virtual_time
async def test_what_was_reserved_and_not_written_is_not_waited_for() -> None:
    process = Process(10, pace=PaceSpec(batch_size=400))
    began = now()
    for _ in range(20):
        process.pacer.spend(1 - await process.pacer.turn(asyncio.sleep))
    assert now() - began == pytest.approx(5 + 20 / 10, abs=1)


@in_virtual_time
async def test_a_share_that_changes_counts_at_once_and_none_stops_everything() -> None:
    process = Process(100)
    for rate, expected in ((100, 2000), (10, 200), (0, 0), (50, 1000)):
        process.rate = rate
        assert await process.run(20) == pytest.approx(expected, abs=102)


@in_virtual_time
async def test_a_commit_is_never_larger_than_five_seconds_of_the_rate() -> None:
    assert [Process(rate, pace=PaceSpec(batch_size=200)).pacer.batch for rate in (1000, 41, 10, 1, 0.01, 0)] == [
        200,
        200,
        49,
        4,
        1,
        1,
    ]


@in_virtual_time
async def test_pressure_halves_the_rate_at_once_and_wears_off_within_the_lease() -> None:
    process = Process(100)
    process.pacer.pressed(now())
    assert process.pacer.rate == 50
    await asyncio.sleep(15)
    assert process.pacer.rate == 75
    process.pacer.pressed(now())
    assert process.pacer.rate == 37.5
    await asyncio.sleep(30)
    assert process.pacer.rate == 100


@in_virtual_time
async def test_calls_that_were_under_way_together_slow_the_process_down_once() -> None:
    process = Process(100)
    began = now()
    await asyncio.sleep(1)
    for _ in range(4):
        process.pacer.pressed(began)
    assert process.pacer.rate == 50


@in_virtual_time
async def test_a_process_that_is_pressed_all_the_time_never_stands_still() -> None:
    process = Process(100)
    for _ in range(50):
        process.pacer.pressed(now())
    assert process.pacer.rate == 100 * LOWEST_FACTOR


@in_virtual_time
async def test_a_pause_is_one_between_the_batches_of_the_whole_run() -> None:
    process = Process(100, processes=3, pace=PaceSpec(batch_size=25, pause_between_batches_seconds=2))
    await process.batch()
    began = now()
    for _ in range(10):
        await process.batch()
    assert now() - began == pytest.approx(10 * 3 * 2)


class Scene:
    """A run of 60 documents on a database whose clock is the loop's."""

    def __init__(self, **pace: Any) -> None:
        self.store = MemoryStore()
        self.plan = plan("r1", pace=PaceSpec.model_validate(pace))
        self.commits: list[float] = []

    async def begin(self, **control: Any) -> None:
        await seed(self.store, {f"{SOURCE}/d{number:02d}": {"n": number} for number in range(60)})
        self.store.faults.before_read = self.tell_time
        self.store.faults.before_commit = self.note
        await self.say(**control)

    async def say(self, seconds: float = 1_000_000, **control: Any) -> None:
        await self.tell_time("")
        until = self.store.now + int(seconds * 1_000_000)
        made = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000, share_until=until, **control)
        await RunStore(self.store, LEDGER).ensure(self.plan, made)

    async def work(self, index: int = 0, count: int = 1) -> None:
        await work(self.store, Share(LEDGER, "r1", index, count), build(100), clock=VirtualClock())

    async def tell_time(self, _: str) -> None:
        self.store.now = max(self.store.now, BIRTH + int(now() * 1_000_000))

    async def note(self, writes: Sequence[Write]) -> None:
        await self.tell_time("")
        if any(write.path.startswith(SOURCE) for write in writes):
            self.commits.append(now())


@in_virtual_time
async def test_a_run_keeps_to_its_share_and_not_to_its_plan() -> None:
    scene = Scene(maxWritesPerSecond=1000, batchSize=4)
    await scene.begin(writes_per_second=5.0)
    await scene.work()
    assert len(scene.commits) == 15
    assert scene.commits[-1] - scene.commits[0] == pytest.approx(14, abs=0.5)


@in_virtual_time
async def test_a_share_is_divided_by_the_processes_that_work() -> None:
    scene = Scene(batchSize=4)
    await scene.begin(writes_per_second=10.0, processes=2)
    await scene.work(count=2)
    assert scene.commits[-1] - scene.commits[0] == pytest.approx(14, abs=0.5)


@in_virtual_time
async def test_a_worker_whose_share_has_run_out_idles_until_it_has_one_again() -> None:
    scene = Scene(batchSize=4)
    await scene.begin(writes_per_second=5.0, seconds=4)
    worker = asyncio.create_task(scene.work())
    await asyncio.sleep(100)
    assert max(scene.commits) < 4.1
    await scene.say(writes_per_second=50.0)
    await worker
    assert len(scene.commits) == 15


@in_virtual_time
async def test_a_run_without_a_share_waits_and_still_leaves_when_it_is_told_to() -> None:
    scene = Scene()
    await scene.begin(writes_per_second=0.0)
    worker = asyncio.create_task(scene.work())
    await asyncio.sleep(60)
    stop = RunControl(state=RunState.STOP, epoch=1, lease_seconds=1_000_000)
    await RunStore(scene.store, LEDGER).ensure(scene.plan, stop)
    (ended,) = await asyncio.gather(worker, return_exceptions=True)
    assert isinstance(ended, RunStopped)
    assert scene.commits == []


@in_virtual_time
async def test_25_documents_every_2_seconds_are_that_for_the_whole_run() -> None:
    scene = Scene(batchSize=25, pauseBetweenBatchesSeconds=2)
    await scene.begin(writes_per_second=500.0, processes=1)
    await scene.work()
    between = [later - earlier for earlier, later in zip(scene.commits, scene.commits[1:], strict=False)]
    assert len(scene.commits) == 3
    assert between == pytest.approx([2, 2], abs=0.2)
