"""A ledger of another format is refused with a sentence, and never misread."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.simple_work import LEDGER, begin, plan
from tests.virtual_time import VirtualClock

from firelift.api.run import FORMAT
from firelift.migration.errors import LedgerBroken
from firelift.migration.image import Image, Operation
from firelift.migration.ledger import locks, paths, root
from firelift.migration.ledger.entries import Entry, EntryKind, entry_writes
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map, read_lane_map
from firelift.migration.ledger.listings import Listings
from firelift.migration.ledger.runs import RunStore
from firelift.migration.store import Put, Source, Update
from firelift.migration.work import Lane, LaneMap
from firelift.stores.memory import MemoryStore

IMAGE = Image("c/1", Operation.CREATE, "s/1", 0, 0, {}, {("a",): b"0" * 16})
ENTRY = Entry("r1", 0, 1, EntryKind.CHUNK, "nonce", start=None, end="c/1", images=(IMAGE,))
ME = locks.Claimant(LEDGER, "team/move", 1, datetime(2027, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Kept:
    """A kind of document that is kept, the format it has, and who reads it."""

    path: str
    read: Callable[[MemoryStore], Awaitable[object]]
    format: int = FORMAT


KEPT = {
    "root": Kept(paths.root(LEDGER), lambda store: root.read_root(store, LEDGER)),
    "run": Kept(paths.run(LEDGER, "r1"), lambda store: RunStore(store, LEDGER).plan("r1")),
    "runs listed": Kept(paths.run(LEDGER, "r1"), lambda store: RunStore(store, LEDGER).listed()),
    "lane map": Kept(paths.lane_map(LEDGER, "r1"), lambda store: read_lane_map(store, LEDGER, "r1")),
    "entry": Kept(paths.entry(LEDGER, "r1", 0, 1), lambda store: Journal(store, LEDGER).last("r1", 0)),
    "before-images": Kept(
        paths.entry(LEDGER, "r1", 0, 1),
        lambda store: Journal(store, LEDGER).entries("r1", 0, newest_first=True, start=None),
    ),
    "listing": Kept(paths.listing(LEDGER, "all"), lambda store: Listings(store, LEDGER, "seed").read("all")),
    "lock": Kept(paths.lock("things"), lambda store: locks.read(store, "things"), locks.FORMAT),
}


@pytest.fixture
async def store() -> MemoryStore:
    """A ledger with a document of each kind."""
    made = MemoryStore()
    made.apply([Put("users/a", {})])
    await root.create_root(made, LEDGER, root.RootOwner("cluster-1", "uid-1", "team/move", 1), "db-1")
    await begin(made, plan("r1"))
    await adopt_lane_map(made, LEDGER, "r1", LaneMap([Lane(0)]))
    await made.commit(entry_writes(made.values, LEDGER, ENTRY))
    await Listings(made, LEDGER, "seed").ensure("all", Source("users"), VirtualClock().sleep)
    await locks.acquire(made, "things", ME)
    return made


each_kind = pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT.keys())


@each_kind
async def test_everything_that_is_kept_says_its_format(store: MemoryStore, kept: Kept) -> None:
    assert store.values.decode(store.snapshot()[kept.path]["format"]) == kept.format
    assert await kept.read(store)


@each_kind
@pytest.mark.parametrize(
    ("off", "remedy"),
    [(-1, "finish or revert the rollout with the version that wrote it"), (1, "upgrade the operator and the workers'")],
    ids=["older", "newer"],
)
async def test_another_format_is_refused(store: MemoryStore, kept: Kept, off: int, remedy: str) -> None:
    other = kept.format + off
    store.apply([Update(kept.path, {"format": store.values.encode(other)}, [("format",)], None)])
    before = store.snapshot()
    with pytest.raises(LedgerBroken) as refused:
        await kept.read(store)
    assert f"has format {other}; this version of Firelift reads format {kept.format} and no other" in str(refused.value)
    remedy = "run one version everywhere" if kept is KEPT["lock"] else remedy
    assert remedy in str(refused.value)
    assert store.snapshot() == before


@each_kind
async def test_what_names_no_format_is_nothing_of_ours(store: MemoryStore, kept: Kept) -> None:
    store.apply([Update(kept.path, {}, [("format",)], None)])
    with pytest.raises(LedgerBroken, match=re.escape(kept.path) + "|ledger team.move") as refused:
        await kept.read(store)
    assert "has no format; this version" in str(refused.value)
