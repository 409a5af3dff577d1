"""One source, many documents, under workers that die and an app that writes: each element has its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crashing import Crashes, ran_on
from tests.moving import KIT, counts, migration, plain, plan, stored
from tests.virtual_time import run

from firelift.api.cohort import Selection
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

NAMES = "abcd"
SKUS = st.lists(st.sampled_from("pqrstuvwxyz"), unique=True, max_size=9)

SPEC = migration(
    {
        "name": "items",
        "source": {"collection": "orders"},
        "target": {"document": "orders/{id}/items/{item.sku}", "forEach": "doc.items"},
        "onExisting": "Overwrite",
        "transform": {"rename": {"n": "count"}, "set": {"place": "index"}},
    }
)

Edits = list[tuple[str, list[str] | None]]


@dataclass
class App:
    """Writes orders, by their items; None deletes one. `races` happen just before commits that touch documents."""

    store: MemoryStore
    races: Edits = field(default_factory=list)
    turn: int = 0

    def __post_init__(self) -> None:
        self.store.faults.before_commit = self._race

    async def _race(self, writes: Sequence[Write]) -> None:
        if self.races and any(not write.path.startswith("_firelift/") for write in writes):
            self.edit(*self.races.pop())

    def edit(self, name: str, skus: list[str] | None) -> None:
        self.turn += 1
        path = f"orders/{name}"
        there = path in self.store.snapshot()
        if skus is None:
            self.store.apply([Delete(path)] if there else [])
            return
        fields = stored({"items": [{"sku": sku, "n": self.turn} for sku in skus]})
        self.store.apply([Update(path, fields, [("items",)], None) if there else Create(path, fields)])


def below(store: MemoryStore, part: str) -> dict[str, dict[str, Any]]:
    app_data = {path: fields for path, fields in store.snapshot().items() if not path.startswith("_firelift/")}
    return {path: plain(fields) for path, fields in app_data.items() if part in path}


def wanted(store: MemoryStore) -> dict[str, dict[str, Any]]:
    """Recomputed from the sources as they are now."""
    found: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        fields = store.snapshot().get(f"orders/{name}")
        for place, item in enumerate(KIT.decode(fields["items"]) if fields else ()):
            document = {"sku": item["sku"], "count": item["n"], "place": place}
            found[f"orders/{name}/items/{item['sku']}"] = document
    return found


def made(kind: RunKind, number: int, batch: int, **changes: Any) -> RunPlan:
    base = plan(kind, SPEC, number, **changes)
    return base.model_copy(update={"pace": base.pace.model_copy(update={"batch_size": batch})})


WHO = [Selection(to_bucket=10_000), Selection(ids=tuple(NAMES))]
"""Everybody: read in the order of paths, and entity by entity."""

EDITS = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | SKUS), max_size=6)
CRASHES = st.lists(st.integers(1, 4) | st.integers(-4, -1), max_size=5)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SKUS), EDITS, EDITS, CRASHES, st.integers(1, 5), st.sampled_from(WHO))
def test_after_a_sweep_there_is_just_what_the_sources_lead_to_and_after_a_revert_nothing(
    orders: dict[str, list[str]], races: Edits, later: Edits, crashes: list[int], batch: int, who: Selection
) -> None:
    store = MemoryStore()
    app = App(store)
    for name, skus in orders.items():
        app.edit(name, skus)
    app.races = races
    Crashes(store, crashes)

    async def check() -> None:
        await ran_on(store, made(RunKind.MIGRATE, 0, batch, selection=who))
        app.races = []
        for edit in later:
            app.edit(*edit)
        await ran_on(store, made(RunKind.SWEEP, 0, batch, selection=who))
        await ran_on(store, made(RunKind.SWEEP, 1, batch, selection=who))
        subjects = ("migrate.0", "sweep.0", "sweep.1")
        there, right = below(store, "/items/"), wanted(store)
        orphans = {path for path in there if path.partition("/items/")[0] not in store.snapshot()}
        assert {path: fields for path, fields in there.items() if path not in orphans} == right
        check_all = made(RunKind.VERIFY, 0, batch, verify=VerifyPlan(), subjects=subjects, selection=who)
        verified = counts(await ran_on(store, check_all))
        assert verified.get("unchanged", 0) == len(right)
        assert verified.get("extra", 0) == len(orphans)
        assert verified.keys() <= {"read", "unchanged", "extra", "skipped"}
        before = {path: fields for path, fields in below(store, "orders/").items() if "/items/" not in path}
        reverted = counts(await ran_on(store, made(RunKind.REVERT, 0, batch, subjects=subjects)))
        assert "kept" not in reverted
        assert below(store, "orders/") == before
        checked = counts(await ran_on(store, made(RunKind.REVERT_VERIFY, 0, batch, subjects=subjects)))
        assert checked.keys() <= {"read", "unchanged"}

    run(check())


MARKS = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from("pqrst")), st.booleans(), max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SKUS), MARKS, EDITS, CRASHES, st.integers(1, 5))
def test_what_the_app_wrote_into_a_document_is_never_lost(
    orders: dict[str, list[str]], marks: dict[tuple[str, str], bool], later: Edits, crashes: list[int], batch: int
) -> None:
    store = MemoryStore()
    app = App(store)
    for name, skus in orders.items():
        app.edit(name, skus)
    Crashes(store, crashes)

    async def check() -> None:
        spec = {"migration": SPEC.model_copy(update={"ignore_fields": ("mine",)})}
        await ran_on(store, made(RunKind.MIGRATE, 0, batch).model_copy(update=spec))
        marked: set[str] = set()
        deleted: set[str] = set()
        for (name, sku), kept in marks.items():
            path = f"orders/{name}/items/{sku}"
            if path in store.snapshot():
                store.apply([Update(path, stored({"mine": 1}), [("mine",)], None) if kept else Delete(path)])
                (marked if kept else deleted).add(path)
        for edit in later:
            app.edit(*edit)
        await ran_on(store, made(RunKind.SWEEP, 0, batch).model_copy(update=spec))
        after = below(store, "/items/")
        assert all(after[path]["mine"] == 1 for path in marked)
        # A source that was itself deleted and made anew is a new one.
        anew = {name for name, skus in later if skus is None}
        assert {path for path in deleted & after.keys() if path.split("/")[1] not in anew} == set()

    run(check())
