"""The store in memory and the emulator answer alike, whatever they are asked in whatever order."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from firelift.migration.errors import StoreError
from firelift.migration.store import Create, Delete, Document, Micros, Put, Source, Store, Update, Verify, Write
from firelift.stores.firestore.store import open_firestore
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory import MemoryStore

KIT = FirestoreValues()
PATHS = st.sampled_from(["a/1", "a/2", "a/1/a/1", "b/1"])
NAMES = st.sampled_from(["x", "y.z", "`"])
LEAVES: st.SearchStrategy[Any] = st.sampled_from([1, 1.0, -0.0, None, "s", [], [1], {}])
PLAIN = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=2), max_leaves=4)
FIELDS = st.dictionaries(NAMES, PLAIN, max_size=3).map(
    lambda plain: {name: KIT.encode(value) for name, value in plain.items()}
)
MASKS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=3, unique=True)

# A version is how many changes ago the document was read; the stores' own times go in for it.
VERSIONS = st.none() | st.integers(0, 3)
WRITES = st.one_of(
    st.builds(Create, PATHS, FIELDS),
    st.builds(Put, PATHS, FIELDS),
    st.builds(Update, PATHS, FIELDS, MASKS, VERSIONS),
    st.builds(Delete, PATHS, VERSIONS),
    st.builds(Verify, PATHS, VERSIONS),
)
COMMITS = st.lists(st.lists(WRITES, min_size=1, max_size=3, unique_by=lambda write: write.path), max_size=8)

Told: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class Twin:
    """One store, the times at which its commits were made, and those at which each document was changed."""

    store: Store
    times: list[Micros] = field(default_factory=list)
    versions: dict[str, list[Micros]] = field(default_factory=lambda: defaultdict(list))

    def dated(self, write: Write) -> Write:
        if isinstance(write, Update | Delete | Verify) and write.update_time is not None:
            versions = self.versions[write.path] or self.times
            return replace(write, update_time=versions[-1 - min(write.update_time, len(versions) - 1)])
        return write

    async def commit(self, writes: Sequence[Write]) -> Told:
        try:
            committed = await self.store.commit([self.dated(write) for write in writes])
        except StoreError as error:
            return (error.code,)
        self.times.append(committed.commit_time)
        for write, time in zip(writes, committed.update_times, strict=True):
            if time == committed.commit_time:
                self.versions[write.path].append(time)
        return tuple(self.age(time) for time in committed.update_times)

    def age(self, time: Micros) -> int | None:
        """A time as the number of the commit that made it, which is what the twins have in common."""
        return self.times.index(time) if time in self.times else None

    async def tell(self, read_time: Micros | None) -> list[Told]:
        sources = [Source("a"), Source("b"), Source("a", all_descendants=True), Source("a/1/a")]
        pages = [await self.store.page(source, limit=10, read_time=read_time) for source in sources]
        return [tuple(self.told(document) for document in page.documents) for page in pages]

    def told(self, document: Document) -> Told:
        fields = KIT.dumps(KIT.new_map(document.fields))
        return document.path, fields, self.age(document.create_time), self.age(document.update_time)


@settings(max_examples=60, deadline=None)
@given(COMMITS)
async def test_twins_answer_alike(emulator: str, commits: list[list[Write]]) -> None:
    real = Twin(open_firestore(f"twin-{secrets.token_hex(6)}", emulator_host=emulator))
    memory = Twin(MemoryStore())
    first: list[Write] = [Put("a/1", {"x": KIT.encode(1)})]
    for writes in [first, *commits]:
        assert await memory.commit(writes) == await real.commit(writes)
    assert await memory.tell(None) == await real.tell(None)
    for then in range(len(real.times)):
        assert await memory.tell(memory.times[then]) == await real.tell(real.times[then])
    await real.store.close()
