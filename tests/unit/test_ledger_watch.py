"""Who may write: a worker follows the operator's word, and nobody's when there is no operator."""

import asyncio

import pytest
from tests import moving
from tests.simple_work import LEDGER, SOURCE, begin, build, plan, seed
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.errors import Denied, LeaseLost, LedgerBroken, MigrationError, RunStopped, UnknownOutcome
from firelift.migration.ledger import paths
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build as build_real
from firelift.migration.store import Delete
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore
from firelift.stores.memory.store import BIRTH


class Scene:
    """A slow run of 40 documents, one commit of four a second, on a database whose clock is the loop's."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.commits: list[float] = []
        self.said: list[str] = []
        self.leave = asyncio.Event()
        self.plan: RunPlan = plan("r1")
        self.worker: asyncio.Task[None] | None = None

    async def begin(self, lease_seconds: int = 1_000_000) -> None:
        await seed(self.store, {f"{SOURCE}/d{number:02d}": {"n": number} for number in range(40)})
        pace = self.plan.pace.model_copy(update={"max_writes_per_second": 5})
        self.plan = await begin(self.store, self.plan.model_copy(update={"pace": pace}))
        await self.say(RunState.RUN, lease_seconds)
        self.store.faults.before_read = self.tell_time
        self.store.faults.before_commit = self.note
        share = Share(LEDGER, "r1", 0, 1)
        self.worker = asyncio.create_task(
            work(self.store, share, build(40), leave=self.leave, clock=VirtualClock(), say=self.said.append)
        )

    async def say(self, state: RunState, lease_seconds: int = 1_000_000) -> float:
        control = RunControl(state=state, epoch=1, lease_seconds=lease_seconds)
        await RunStore(self.store, LEDGER).ensure(self.plan, control)
        return self.now

    async def ended(self) -> Exception | None:
        assert self.worker is not None
        (answer,) = await asyncio.gather(self.worker, return_exceptions=True)
        return answer if isinstance(answer, Exception) else None

    async def tell_time(self, _: str) -> None:
        self.store.now = max(self.store.now, BIRTH + int(self.now * 1_000_000))

    async def note(self, writes: object) -> None:
        await self.tell_time("")
        if any(write.path.startswith(SOURCE) for write in writes):  # type: ignore[attr-defined]
            self.commits.append(self.now)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()


@in_virtual_time
async def test_a_run_that_may_run_runs_to_its_end() -> None:
    scene = Scene()
    await scene.begin()
    assert await scene.ended() is None
    assert len(scene.commits) == 10
    assert scene.commits[-1] - scene.commits[0] == pytest.approx(9, abs=0.5)


@in_virtual_time
async def test_no_commit_begins_half_a_second_after_a_stop() -> None:
    scene = Scene()
    await scene.begin()
    await asyncio.sleep(4.95)
    told = await scene.say(RunState.STOP)
    ended = await scene.ended()
    assert isinstance(ended, RunStopped)
    assert str(ended) == "run r1 is told to Stop"
    assert max(scene.commits) < told + 0.5
    assert scene.now < told + 1


@in_virtual_time
async def test_a_held_run_idles_and_goes_on_when_it_may() -> None:
    scene = Scene()
    await scene.begin()
    await asyncio.sleep(4.95)
    held = await scene.say(RunState.HOLD)
    await asyncio.sleep(20)
    assert max(scene.commits) < held + 0.5
    again = await scene.say(RunState.RUN)
    assert await scene.ended() is None
    assert len(scene.commits) == 10
    assert min(each for each in scene.commits if each > held + 0.5) < again + 0.5
    assert [line for line in scene.said if "lane" not in line][-2:] == ["run r1 is told to Hold", "run r1 goes on"]


@in_virtual_time
async def test_a_run_that_stays_on_hold_is_left_after_half_a_minute() -> None:
    scene = Scene()
    await scene.begin()
    held = await scene.say(RunState.HOLD)
    ended = await scene.ended()
    assert type(ended) is RunStopped
    assert 30 <= scene.now - held < 31
    assert (await Progress(scene.store, LEDGER, "r1").update()).said.failure == ""


@in_virtual_time
async def test_without_an_operator_the_lease_runs_out_and_nothing_is_written_any_more() -> None:
    scene = Scene()
    await scene.begin(lease_seconds=4)
    began = scene.now
    ended = await scene.ended()
    assert isinstance(ended, LeaseLost)
    assert "4 s are allowed" in str(ended)
    assert max(scene.commits) <= began + 4
    assert 34 <= scene.now - began < 36


@in_virtual_time
async def test_a_lease_that_is_kept_fresh_lasts() -> None:
    scene = Scene()
    await scene.begin(lease_seconds=4)
    for _ in range(6):
        await asyncio.sleep(2)
        await scene.tell_time("")
        await scene.say(RunState.RUN, 4)
    assert await scene.ended() is None
    assert len(scene.commits) == 10


@in_virtual_time
async def test_a_view_of_the_control_that_grows_old_stops_commits_until_it_is_fresh() -> None:
    scene = Scene()
    await scene.begin()
    await asyncio.sleep(3)
    began = scene.now

    async def no_answer(_: str) -> None:
        await scene.tell_time("")
        if scene.now - began < 10:
            raise UnknownOutcome("UNAVAILABLE", "no answer")

    scene.store.faults.before_read = no_answer
    assert await scene.ended() is None
    assert not [each for each in scene.commits if began + 2.5 < each < began + 10]
    assert len(scene.commits) == 10


@in_virtual_time
async def test_a_process_that_is_told_to_leave_leaves_after_its_commit() -> None:
    scene = Scene()
    await scene.begin()
    await asyncio.sleep(3)
    told = scene.now
    scene.leave.set()
    assert isinstance(await scene.ended(), RunStopped)
    assert scene.now < told + 0.5


@pytest.mark.parametrize(("fate", "error"), [("deleted", LedgerBroken), ("denied", Denied)], ids=["deleted", "denied"])
@in_virtual_time
async def test_a_control_that_will_never_be_readable_ends_the_worker(fate: str, error: type[MigrationError]) -> None:
    scene = Scene()
    await scene.begin()
    await asyncio.sleep(0.1)
    if fate == "deleted":
        scene.store.apply([Delete(paths.run(LEDGER, "r1"))])
    else:
        scene.store.faults.before_read = _deny
    assert type(await scene.ended()) is error


async def _deny(_: str) -> None:
    raise Denied("PERMISSION_DENIED", "no")


@in_virtual_time
async def test_a_verify_that_waits_to_look_again_leaves_when_it_is_told_to() -> None:
    store = await moving.seeded({"fitness_logs/0": {"userId": "u"}})
    verify = VerifyPlan(recheck_seconds=300)
    made = moving.plan(RunKind.VERIFY, moving.migration(), verify=verify)
    runs = RunStore(store, moving.LEDGER)
    await runs.ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000))
    worker = asyncio.create_task(work(store, Share(moving.LEDGER, made.id, 0, 1), build_real, clock=VirtualClock()))
    await asyncio.sleep(10)
    await runs.ensure(made, RunControl(state=RunState.STOP, epoch=1, lease_seconds=1_000_000))
    (ended,) = await asyncio.gather(worker, return_exceptions=True)
    assert isinstance(ended, RunStopped)
    assert asyncio.get_running_loop().time() < 10 + 1
