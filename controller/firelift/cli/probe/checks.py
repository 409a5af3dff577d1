"""The claims about Firestore that its emulator cannot prove, or that only a real project can refute.

Each check writes some documents in the scratch collection and returns what it observed; the docs list the claims in
docs/proven.md. `needed` are those that the data plane's promises rest on.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from firelift.cli.probe.outcome import Outcome, Refuted, Unanswered, Verdict
from firelift.cli.probe.scratch import Scratch, chunks
from firelift.migration.errors import FailedPrecondition, Poison, StoreError
from firelift.migration.path_order import order
from firelift.migration.store import Create, Source, Update, Verify
from firelift.stores.firestore.splitting import partition_cursors

Check: TypeAlias = Callable[[Scratch], Awaitable[str]]

KIBIBYTE = 1024
ENTRY_BYTES = 900 * KIBIBYTE
PARTITIONED = 600
"""Documents: PartitionQuery makes no partition of fewer than about 128."""

ODD_IDS = (
    "__id9__",
    "__id-5__",
    "!",
    "-1",
    "0",
    "10",
    "9",
    "A",
    "Z",
    "_",
    "a",
    "a!",
    "aa",
    "~",
    "é",
    "z\u0301",
    "中",
    "😀",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that holds or does not, and the way to find out."""

    check: str
    says: str
    needed: bool
    find_out: Check

    async def outcome(self, scratch: Scratch) -> Outcome:
        """Find out; a database that fails in any way is an answer too."""
        try:
            verdict, observed = Verdict.PROVEN, await self.find_out(scratch)
        except Refuted as refuted:
            verdict, observed = Verdict.REFUTED, str(refuted)
        except Unanswered as unanswered:
            verdict, observed = Verdict.UNANSWERED, str(unanswered)
        except StoreError as error:
            verdict, observed = Verdict.UNANSWERED, f"the database answered {error}"
        return Outcome(self.check, self.says, verdict, observed, self.needed)


async def one_time(scratch: Scratch) -> str:
    """All update times of a Commit."""
    committed = await scratch.commit(*(scratch.create("time", number, n=number) for number in range(20)))
    found = [await scratch.read("time", number) for number in range(20)]
    times = {committed.commit_time, *committed.update_times, *(each.update_time for each in found if each)}
    if len(times) != 1:
        raise Refuted(f"20 writes of one Commit have {len(times)} different times")
    return f"20 writes, their documents and the Commit have the one time {committed.commit_time}"


async def guard(scratch: Scratch) -> str:
    """A `verify` write: fresh, stale, and what it does to the document."""
    first = await scratch.commit(scratch.create("guard", "source", n=1))
    path = scratch.path("guard", "source")
    fresh = await scratch.commit(Verify(path, first.commit_time), scratch.create("guard", "copy", n=1))
    source = await scratch.read("guard", "source")
    if source is None or source.update_time != first.commit_time:
        raise Refuted("a fresh guard changed the document that it guards")
    if fresh.update_times[0] == fresh.commit_time:
        raise Refuted("a guard answers the Commit's time, as if it had written")
    await scratch.commit(Update(path, {"n": scratch.store.values.encode(2)}, [("n",)], first.commit_time))
    try:
        await scratch.commit(Verify(path, first.commit_time), scratch.create("guard", "stale", n=1))
    except FailedPrecondition:
        if await scratch.read("guard", "stale"):
            raise Refuted("a stale guard failed its Commit, and another write of it was applied") from None
        return (
            "fresh passes and leaves its document alone, stale fails the whole Commit; see the usage page for the bill"
        )
    raise Refuted("a stale guard let the Commit pass")


async def unchanged(scratch: Scratch) -> str:
    """A write that changes nothing."""
    first = await scratch.commit(scratch.create("unchanged", "one", n=1))
    path = scratch.path("unchanged", "one")
    again = await scratch.commit(Update(path, {"n": scratch.store.values.encode(1)}, [("n",)], None))
    found = await scratch.read("unchanged", "one")
    if found is None or found.update_time != first.commit_time:
        raise Refuted("the document has a new update time")
    return f"the document keeps its time; the answer has {again.update_times[0]}, the Commit {again.commit_time}"


async def partitions(scratch: Scratch) -> str:
    """In which order partition cursors come."""
    writes = [scratch.create(f"part{number % 3}", f"{number:04}", n=number) for number in range(PARTITIONED)]
    for some in chunks(writes, 300):
        await scratch.commit(*some)
    group = Source(scratch.collection, all_descendants=True)
    try:
        cursors = await partition_cursors(scratch.name, scratch.transport, group, 8, page_size=2)
    except StoreError as error:
        if error.code != "UNIMPLEMENTED":
            raise
        raise Unanswered("PartitionQuery is not implemented here") from None
    if not cursors:
        raise Unanswered(f"{PARTITIONED} documents are one partition")
    if cursors != sorted(cursors, key=order):
        raise Refuted(f"{len(cursors)} cursors on pages of 2 come in no order")
    return f"{len(cursors)} cursors on pages of 2 came sorted this time; Firelift sorts them anyway"


async def many_writes(scratch: Scratch) -> str:
    """A Commit above the limit that Firestore long had."""
    try:
        await scratch.commit(*(scratch.create("many", number, n=number) for number in range(501)))
    except Poison as error:
        raise Refuted(f"501 writes are refused: {error}") from None
    return "501 writes in one Commit are taken"


async def large_entry(scratch: Scratch) -> str:
    """A document as large as a journal entry may be, beside 20 others."""
    began = time.monotonic()
    entry = scratch.create("entry", "journal", images=bytes(ENTRY_BYTES))
    await scratch.commit(entry, *(scratch.create("entry", number, n=number) for number in range(20)))
    took = (time.monotonic() - began) * 1000
    return f"{ENTRY_BYTES // KIBIBYTE} KiB beside 20 documents were committed in {took:.0f} ms"


async def large_commit(scratch: Scratch) -> str:
    """A Commit of nearly ten mebibytes."""
    writes = [scratch.create("large", number, blob=bytes(ENTRY_BYTES)) for number in range(10)]
    try:
        await scratch.commit(*writes)
    except Poison as error:
        raise Refuted(f"{len(writes) * ENTRY_BYTES // KIBIBYTE} KiB are refused: {error.code}") from None
    return f"{len(writes) * ENTRY_BYTES // KIBIBYTE} KiB in one Commit are taken"


async def before_image(scratch: Scratch) -> str:
    """Reading at a microsecond before a Commit."""
    path = scratch.path("before", "one")
    await scratch.commit(scratch.create("before", "one", n=1))
    second = await scratch.commit(Update(path, {"n": scratch.store.values.encode(2)}, [("n",)], None))
    found = await scratch.read("before", "one", read_time=second.commit_time - 1)
    if found is None or scratch.store.values.decode(found.fields["n"]) != 1:
        raise Refuted("a read one microsecond before a Commit does not see what was there before it")
    return "a read one microsecond before a Commit sees what it changed"


async def twice(scratch: Scratch) -> str:
    """Two writes to one document in one Commit."""
    path = scratch.path("twice", "one")
    create = scratch.create("twice", "one", n=1)
    try:
        await scratch.commit(create, Update(path, {"n": scratch.store.values.encode(2)}, [("n",)], None))
    except Poison as error:
        raise Refuted(f"it is refused: {error.code}") from None
    found = await scratch.read("twice", "one")
    if found is None or scratch.store.values.decode(found.fields["n"]) != 2:  # noqa: PLR2004 - as written above
        raise Refuted("the second write was not applied")
    return "both are applied in order"


async def listing(scratch: Scratch) -> str:
    """The order of documents by name."""
    await scratch.commit(*(scratch.create("order", each, n=1) for each in ODD_IDS))
    page = await scratch.store.page(scratch.source("order"), limit=100)
    found, wanted = (
        [each.path for each in page.documents],
        sorted((scratch.path("order", e) for e in ODD_IDS), key=order),
    )
    if found != wanted:
        raise Refuted(f"the order is {[each.rpartition('/')[2] for each in found]}")
    return f"{len(ODD_IDS)} odd ids come in the order that cursors and lanes assume"


async def long_masks(scratch: Scratch) -> str:
    """A field path of twenty names in a mask."""
    names = tuple(f"m{level}" for level in range(20))
    value: object = 1
    for name in reversed(names[1:]):
        value = {name: value}
    await scratch.commit(Create(scratch.path("mask", "one"), {names[0]: scratch.store.values.encode(value)}))
    await scratch.commit(Update(scratch.path("mask", "one"), {}, [names], None))
    found = await scratch.read("mask", "one")
    if found is None or b"m19" in scratch.store.values.dumps(found.fields["m0"]):
        raise Refuted("the field at the end of it is still there")
    return "it reaches its field"


CLAIMS = (
    Claim("one-time", "all writes of a Commit have its time", True, one_time),
    Claim("guard", "a verify write guards its Commit and writes nothing", True, guard),
    Claim("unchanged", "a write that changes nothing keeps the update time", True, unchanged),
    Claim("order", "documents are listed in the order of the bytes of their names", True, listing),
    Claim("large-entry", "a Commit takes a journal entry of 900 KiB", True, large_entry),
    Claim("long-masks", "a mask takes paths of twenty names", True, long_masks),
    Claim("before-image", "a read at the time before a Commit has the before-image", False, before_image),
    Claim("partitions", "partition cursors come sorted across pages", False, partitions),
    Claim("many-writes", "a Commit takes more than 500 writes", False, many_writes),
    Claim("large-commit", "a Commit takes nine mebibytes", False, large_commit),
    Claim("twice", "a Commit takes two writes to one document", False, twice),
)
