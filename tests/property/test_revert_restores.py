"""Forward and back: what we did is taken back exactly, and what the app did since is never lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.moving import COPY, KIT, counts, everything, migration, plan, ran
from tests.property.moved_documents import DOCUMENTS, EDITS, TRANSFORMS, Edit
from tests.virtual_time import run

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind
from firelift.migration.store import Create, Delete, Fields, Update, Write
from firelift.stores.memory import MemoryStore

Database = dict[str, dict[str, bytes]]


def in_place(transform: dict[str, Any]) -> MigrationSpec:
    return migration(
        {"name": "m", "source": {"collection": "c"}, "target": {"inPlace": {}}},
        marker={"field": "migrated", "value": "yes"},
        transform=transform,
    )


def copying(transform: dict[str, Any]) -> MigrationSpec:
    target = {"document": "users/{id}/copies/{id}"}
    return migration(COPY, source={"collection": "c"}, target=target, entityKey=None, transform=transform)


def filled(documents: dict[str, Fields]) -> MemoryStore:
    store = MemoryStore()
    store.apply([Create(f"c/{name}", fields) for name, fields in documents.items()])
    return store


def live(edits: dict[str, Edit], store: MemoryStore, at: str) -> dict[str, str]:
    """Let the app edit the documents that there are; the marks that it left, by path."""
    marks: dict[str, str] = {}
    for name, edit in edits.items():
        path = at.format(name)
        if path in store.snapshot():
            marks[path] = f"the app was at {path}"
            for write in app_writes(edit, path, marks[path]):
                store.apply([write])
    return marks


def app_writes(edit: Edit, path: str, mark: str) -> list[Write]:
    value = {edit.field: KIT.encode(mark)}
    match edit.kind:
        case "set":
            return [Update(path, value, [(edit.field,)], None)]
        case "remove":
            return [Update(path, {}, [(edit.field,)], None)]
        case "delete":
            return [Delete(path)]
        case _:
            return [Delete(path), Create(path, value)]


async def forth_and_back(spec: MigrationSpec, store: MemoryStore, edits: dict[str, Edit], at: str) -> dict[str, str]:
    await ran(store, plan(RunKind.MIGRATE, spec))
    marks = live(edits, store, at)
    await ran(store, plan(RunKind.REVERT, spec, subjects=("migrate.0",)))
    return marks


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, TRANSFORMS, st.booleans())
def test_without_live_writes_a_revert_leaves_every_byte_as_it_was(
    documents: dict[str, Fields], transform: dict[str, Any], copies: object
) -> None:
    spec = copying(transform) if copies else in_place(transform)
    store = filled(documents)
    before = everything(store)

    async def check() -> None:
        await forth_and_back(spec, store, {}, "")
        progress = counts(await ran(store, plan(RunKind.REVERT_VERIFY, spec, subjects=("migrate.0",))))
        assert progress.keys() <= {"read", "unchanged"}

    run(check())
    assert everything(store) == before


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, TRANSFORMS, EDITS)
def test_in_place_live_edits_of_other_fields_are_all_that_is_left_and_no_live_write_is_lost(
    documents: dict[str, Fields], transform: dict[str, Any], edits: dict[str, Edit]
) -> None:
    store, twin = filled(documents), filled(documents)
    marks = run(forth_and_back(in_place(transform), store, edits, "c/{}"))
    # The twin lived through the same edits and was never migrated.
    live(edits, twin, "c/{}")
    after, unmoved = everything(store), everything(twin)
    for name in documents:
        path, edit = f"c/{name}", edits.get(name)
        if edit is None or edit.free or edit.kind in {"delete", "recreate"}:
            assert after.get(path) == unmoved.get(path)
        elif edit.kind == "set":
            assert any(marks[path].encode() in value for value in after[path].values())
        else:
            assert path in after


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, TRANSFORMS, EDITS)
def test_copies_that_the_app_has_changed_stay_whole_and_all_others_go(
    documents: dict[str, Fields], transform: dict[str, Any], edits: dict[str, Edit]
) -> None:
    store = filled(documents)
    sources = everything(store)
    at = "users/{0}/copies/{0}"

    async def check() -> tuple[Database, dict[str, str]]:
        spec = copying(transform)
        await ran(store, plan(RunKind.MIGRATE, spec))
        untouched = everything(store)
        marks = live(edits, store, at)
        edited = everything(store)
        await ran(store, plan(RunKind.REVERT, spec, subjects=("migrate.0",)))
        changed = {path: fields for path, fields in edited.items() if path in marks and fields != untouched[path]}
        return changed, marks

    changed, _ = run(check())
    remade = {path for path in everything(store) if path not in sources and path not in changed}
    assert {path: fields for path, fields in everything(store).items() if path not in remade} == sources | changed
    # A copy that was deleted and made anew is the app's even when it looks like ours.
    assert all(edits[path[-1]].kind == "recreate" for path in remade)
