"""One worker on a quiet database, and on one that answers badly."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.simple_work import LEDGER, SOURCE, TARGET, begin, build, plain, plan, seed
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.run import RunPlan
from firelift.migration.errors import (
    Denied,
    LedgerBroken,
    MigrationError,
    Poison,
    Pressure,
    RetriesExhausted,
    UnknownOutcome,
)
from firelift.migration.ledger.entries import Entry
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.store import Committed, Create, Put, Source, Update, Write
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore


async def worked(store: MemoryStore, made: RunPlan) -> RunProgress:
    await begin(store, made)
    await work(store, Share(LEDGER, made.id, 0, 1), build(), clock=VirtualClock())
    return await Progress(store, LEDGER, made.id).update()


async def seeded(count: int) -> MemoryStore:
    store = MemoryStore()
    await seed(store, {f"{SOURCE}/d{number:03d}": {"n": number} for number in range(count)})
    return store


async def everything(store: MemoryStore, collection: str) -> list[dict[str, object] | None]:
    page = await store.page(Source(collection), limit=10_000)
    return [plain(store, document) for document in page.documents]


async def entries(store: MemoryStore, run_id: str) -> list[Entry]:
    return await Journal(store, LEDGER).walk(run_id, 0, after=0, limit=1000, images=True)


@in_virtual_time
async def test_each_document_is_changed_once_and_the_lane_is_sealed() -> None:
    store = await seeded(23)
    progress = await worked(store, plan("r1"))
    assert await everything(store, SOURCE) == [{"n": number + 1} for number in range(23)]
    assert (progress.complete, progress.totals.updated, progress.totals.read) == (True, 23, 23)
    assert (progress.scanned, progress.estimate, progress.lanes, progress.sealed) == (23, 23, 1, 1)


@in_virtual_time
async def test_a_second_worker_finds_nothing_to_do() -> None:
    store = await seeded(9)
    first, second = await worked(store, plan("r1")), await worked(store, plan("r1"))
    assert first == second
    assert await everything(store, SOURCE) == [{"n": number + 1} for number in range(9)]


@in_virtual_time
async def test_entries_chain_from_cursor_to_cursor_and_hold_what_was_before() -> None:
    store = await seeded(11)
    await worked(store, plan("r1"))
    chain = await entries(store, "r1")
    assert [each.start for each in chain[1:]] == [each.end for each in chain[:-1]]
    assert [each.sealed for each in chain] == [False] * (len(chain) - 1) + [True]
    images = [image for each in chain for image in each.images or ()]
    assert [store.values.decode(image.before["n",]) for image in images if image.before["n",]] == list(range(11))


@in_virtual_time
async def test_a_copy_guards_its_source_and_leaves_it() -> None:
    store = await seeded(7)
    progress = await worked(store, plan("r1", copy=True))
    assert await everything(store, TARGET) == await everything(store, SOURCE) == [{"n": n} for n in range(7)]
    assert progress.totals.created == 7


@in_virtual_time
async def test_a_lost_reply_changes_nothing_twice() -> None:
    store = await seeded(12)
    lost = 0

    async def lose(writes: Sequence[Write], _: Committed) -> None:
        nonlocal lost
        if any(isinstance(write, Update) and write.path.startswith(SOURCE) for write in writes):
            lost += 1
            raise UnknownOutcome("UNAVAILABLE", "the connection broke")

    store.faults.after_commit = lose
    progress = await worked(store, plan("r1"))
    assert lost == 4
    assert await everything(store, SOURCE) == [{"n": number + 1} for number in range(12)]
    assert progress.totals.updated == 12


@in_virtual_time
async def test_pressure_is_waited_out_and_counted() -> None:
    store = await seeded(3)
    left = 3

    async def press(writes: Sequence[Write]) -> None:
        nonlocal left
        if left and any(write.path.startswith(SOURCE) for write in writes):
            left -= 1
            raise Pressure("ABORTED", "too much contention")

    store.faults.before_commit = press
    progress = await worked(store, plan("r1"))
    assert (progress.totals.retries, progress.totals.pressured, progress.totals.updated) == (3, 3, 3)


@pytest.mark.parametrize(
    ("answer", "raised", "tries"),
    [
        (UnknownOutcome("UNAVAILABLE", "gone"), RetriesExhausted, 6),
        (Denied("PERMISSION_DENIED", "no"), Denied, 1),
    ],
)
@in_virtual_time
async def test_a_database_that_keeps_refusing_ends_the_worker_with_a_sentence(
    answer: MigrationError, raised: type[MigrationError], tries: int
) -> None:
    store = await seeded(3)
    tried = 0

    async def refuse(writes: Sequence[Write]) -> None:
        nonlocal tried
        if any(write.path.startswith(SOURCE) for write in writes):
            tried += 1
            raise answer

    store.faults.before_commit = refuse
    with pytest.raises(raised):
        await worked(store, plan("r1"))
    progress = await Progress(store, LEDGER, "r1").update()
    assert tried == tries
    assert str(answer) in progress.said.failure
    assert progress.totals.updated == 0


@pytest.mark.parametrize(("code", "fewest", "most"), [("RESOURCE_EXHAUSTED", 14, 30), ("ABORTED", 24, 60)])
@in_virtual_time
async def test_pressure_is_no_failure_but_ends_after_ten_minutes_of_nothing_else(
    code: str, fewest: int, most: int
) -> None:
    store = await seeded(3)
    times: list[float] = []

    async def press(writes: Sequence[Write]) -> None:
        if any(write.path.startswith(SOURCE) for write in writes):
            times.append(asyncio.get_running_loop().time())
            raise Pressure(code, "slow down")

    store.faults.before_commit = press
    with pytest.raises(RetriesExhausted, match="and 600 s are allowed; its process was down to") as ended:
        await worked(store, plan("r1"))
    assert 600 < times[-1] - times[0] < 670
    assert fewest <= len(times) <= most
    assert f"the last answer was {code}: slow down. The Job tries again; a quota that is used up" in str(ended.value)
    assert (await Progress(store, LEDGER, "r1").update()).totals.updated == 0


@in_virtual_time
async def test_what_is_asked_to_slow_down_again_and_again_is_tried_in_ever_smaller_commits() -> None:
    store = await seeded(4)
    sizes: list[int] = []

    async def press(writes: Sequence[Write]) -> None:
        size = sum(write.path.startswith(SOURCE) for write in writes)
        sizes.append(size)
        if size > 1:
            raise Pressure("ABORTED", "too much contention")

    store.faults.before_commit = press
    progress = await worked(store, plan("r1"))
    assert [size for size in sizes if size] == [4, 4, 2, 1, 3, 3, 1, 2, 2, 1, 1]
    assert (progress.totals.updated, progress.totals.pressured) == (4, 7)


@in_virtual_time
async def test_a_document_that_the_database_refuses_becomes_a_dead_letter_and_the_others_move() -> None:
    store = await seeded(13)

    async def refuse(writes: Sequence[Write]) -> None:
        if any(isinstance(write, Create) and write.path == f"{TARGET}/d006" for write in writes):
            raise Poison("INVALID_ARGUMENT", "too many index entries")

    store.faults.before_commit = refuse
    progress = await worked(store, plan("r1", copy=True))
    letters = await everything(store, f"_firelift/{LEDGER}/firelift_deadletters")
    assert (progress.totals.created, progress.totals.dead_letters, progress.totals.read) == (12, 1, 13)
    assert [(each["path"], each["rule"], each["run"]) for each in letters if each] == [
        (f"{SOURCE}/d006", "database", "r1")
    ]
    assert progress.examples == (f"{SOURCE}/d006: INVALID_ARGUMENT: too many index entries",)
    assert len(await everything(store, TARGET)) == 12


@in_virtual_time
async def test_a_document_that_is_written_between_read_and_commit_keeps_the_write_and_moves() -> None:
    store = await seeded(10)
    raced = 0

    async def race(writes: Sequence[Write]) -> None:
        nonlocal raced
        if raced < 7 and any(isinstance(write, Update) and write.path == f"{SOURCE}/d002" for write in writes):
            raced += 1
            store.apply([Put(f"{SOURCE}/d002", {"n": store.values.encode(100 * raced)})])

    store.faults.before_commit = race
    progress = await worked(store, plan("r1"))
    assert (await everything(store, SOURCE))[2] == {"n": 701}
    assert (progress.totals.updated, progress.totals.conflicts) == (10, 7)


@pytest.mark.parametrize(
    ("changed", "conflicts"),
    [pytest.param([39], 1, id="age alone reads nothing again"), pytest.param([0, 39], 1, id="a lost race does")],
)
@in_virtual_time
async def test_what_was_read_long_ago_is_read_again_behind_a_lost_race(changed: list[int], conflicts: int) -> None:
    store = await seeded(40)
    pace = plan("r1").pace.model_copy(update={"max_writes_per_second": 2})
    await begin(store, plan("r1", pace=pace))
    waiting = [Put(f"{SOURCE}/d{number:03d}", {"n": store.values.encode(500)}) for number in changed]

    async def app_writes(writes: Sequence[Write]) -> None:
        if any(write.path.startswith(SOURCE) for write in writes):
            store.apply([waiting.pop() for _ in [*waiting]])

    store.faults.before_commit = app_writes
    await work(store, Share(LEDGER, "r1", 0, 1), build(40), clock=VirtualClock())
    progress = await Progress(store, LEDGER, "r1").update()
    moved = await everything(store, SOURCE)
    assert [moved[number] for number in changed] == [{"n": 501}] * len(changed)
    assert (progress.totals.updated, progress.totals.conflicts) == (40, conflicts)


class Unshared(MemoryStore):
    """A database whose commits have a time for each write."""

    async def commit(self, writes: Sequence[Write]) -> Committed:
        committed = await super().commit(writes)
        return Committed(committed.commit_time, [time - place for place, time in enumerate(committed.update_times)])


@in_virtual_time
async def test_a_commit_whose_writes_do_not_share_one_time_stops_the_run_loudly() -> None:
    store = Unshared()
    await seed(store, {f"{SOURCE}/d{number}": {"n": number} for number in range(3)})
    with pytest.raises(LedgerBroken, match="a revert could not tell it from a live write"):
        await worked(store, plan("r1"))


async def test_a_database_that_was_opened_anew_is_told_from_the_one_that_was_closed() -> None:
    closed, opened = MemoryStore(), MemoryStore()
    progress = Progress(closed, LEDGER, "r1")
    assert (progress.reads(closed), progress.reads(opened)) == (True, False)
