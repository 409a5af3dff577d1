"""Revert and its verification, by a real worker on a database in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.moving import IN_PLACE, KIT, LEDGER, counts, everything, migration, plain, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.migration import MigrationSpec, OnRevertConflict
from firelift.api.run import RunKind, RunPlan
from firelift.migration.bounded import Fitting
from firelift.migration.entities.whose import Whose
from firelift.migration.errors import FailedPrecondition
from firelift.migration.imaged import Imager
from firelift.migration.ledger import paths
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.merge import Merge
from firelift.migration.processors.revert import Revert
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Create, Delete, Document, Update
from firelift.migration.work import Record
from firelift.stores.memory import MemoryStore

LOGS = {f"fitness_logs/{number}": {"userId": "u", "n": number, "type": "run"} for number in range(6)}
TASKS = {f"tasks/{number}": {"name": f"task {number}", "n": number} for number in range(6)}
COPIED = migration(transform={"rename": {"type": "logType"}})
CHANGED = migration(IN_PLACE)
COUNTED = migration(IN_PLACE, appliesWhen="doc.n < 10", transform={"set": {"n": "doc.n + 10"}})

TARGET = "users/u/fitness_logs/0"


def reverting(spec: MigrationSpec, *subjects: str, kind: RunKind = RunKind.REVERT, number: int = 0) -> RunPlan:
    return plan(kind, spec, number, subjects=subjects or ("migrate.0",))


def checking(spec: MigrationSpec, *subjects: str) -> RunPlan:
    return reverting(spec, *subjects, kind=RunKind.REVERT_VERIFY)


def dead_letters(store: MemoryStore) -> list[dict[str, Any]]:
    """The dead letters of the ledger, in the order of their names."""
    below = f"{paths.collection(LEDGER, paths.DEAD_LETTERS)}/"
    return [plain(fields) for path, fields in sorted(store.snapshot().items()) if path.startswith(below)]


async def _never(_: str) -> bool:
    return False


def edit(path: str, values: Mapping[str, object]) -> Update:
    return Update(path, stored(values), [(name,) for name in values], None)


@pytest.mark.parametrize(("spec", "documents"), [(COPIED, LOGS), (CHANGED, TASKS)])
def test_a_revert_leaves_exactly_what_was_there(spec: MigrationSpec, documents: Mapping[str, Any]) -> None:
    @in_virtual_time
    async def check() -> None:
        store = await seeded(documents)
        before = everything(store)
        await ran(store, plan(RunKind.MIGRATE, spec))
        assert everything(store) != before
        reverted = counts(await ran(store, reverting(spec)))
        assert reverted == {"read": 6, ("updated" if spec.in_place else "deleted"): 6}
        assert everything(store) == before
        assert counts(await ran(store, checking(spec))) == {"read": 6, "unchanged": 6}

    check()


@in_virtual_time
async def test_live_edits_stay_and_conflicts_stay_whole() -> None:
    store = await seeded(TASKS)
    await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE, transform={"set": {"title": "doc.name + '!'"}})))
    store.apply([edit("tasks/0", {"n": 99}), edit("tasks/1", {"title": "the app's"}), Delete("tasks/2")])
    store.apply([Delete("tasks/3"), edit("tasks/4", {"more": 1})])
    store.apply([Create("tasks/3", stored({"name": "another"}))])
    progress = await ran(store, reverting(CHANGED))
    assert counts(progress) == {"read": 6, "updated": 3, "unchanged": 1, "kept": 2}
    assert await seen(store, "tasks/0") == {"name": "task 0", "n": 99}
    assert await seen(store, "tasks/1") == {"name": "task 1", "n": 1, "title": "the app's"}
    assert await seen(store, "tasks/2") is None
    assert await seen(store, "tasks/3") == {"name": "another"}
    assert await seen(store, "tasks/4") == {"name": "task 4", "n": 4, "more": 1}
    assert "tasks/1: the app has changed title since; it stays as it is" in progress.examples
    assert counts(await ran(store, checking(CHANGED))) == {"read": 6, "unchanged": 4, "kept": 2}


@in_virtual_time
async def test_a_conflict_is_listed_in_the_ledger() -> None:
    store = await seeded(LOGS)
    await ran(store, plan(RunKind.MIGRATE, COPIED))
    store.apply([edit(TARGET, {"n": 99})])
    await ran(store, reverting(COPIED))
    letter = await seen(store, paths.dead_letter(LEDGER, "revert.0", TARGET))
    assert letter
    assert (letter["rule"], letter["reason"]) == ("conflict", "the copy has been changed since, at n")
    assert await seen(store, TARGET) == {"userId": "u", "n": 99, "logType": "run"}


@in_virtual_time
async def test_restore_takes_back_what_the_app_has_changed() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    spec = migration(transform={"rename": {"type": "logType"}}, onRevertConflict="Restore")
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([edit(TARGET, {"n": 99})])
    assert counts(await ran(store, reverting(spec))) == {"read": 6, "deleted": 6}
    assert everything(store) == before


@in_virtual_time
async def test_quarantine_keeps_the_apps_version_in_the_ledger_and_restores() -> None:
    store = await seeded(TASKS)
    before = everything(store)
    spec = migration(IN_PLACE, transform={"set": {"title": "doc.name"}}, onRevertConflict="Quarantine")
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([edit("tasks/0", {"title": "the app's"})])
    assert counts(await ran(store, reverting(spec))) == {"read": 6, "updated": 6}
    assert everything(store) == before
    (letter,) = dead_letters(store)
    assert KIT.decode(KIT.loads(letter["document"])) == {"name": "task 0", "n": 0, "title": "the app's"}


@in_virtual_time
async def test_quarantine_keeps_the_apps_version_at_each_of_a_documents_images() -> None:
    store = await seeded(LOGS)
    spec = migration(onExisting="Overwrite", onRevertConflict="Quarantine")
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([edit("fitness_logs/0", {"n": 1})])
    await ran(store, plan(RunKind.SWEEP, spec))
    store.apply([edit(TARGET, {"n": 99, "more": "the app's"})])
    await ran(store, reverting(spec, "migrate.0", "sweep.0"))
    assert await seen(store, TARGET) is None
    versions = [KIT.decode(KIT.loads(letter["document"])) for letter in dead_letters(store)]
    assert sorted(version["n"] for version in versions) == [0, 99]
    assert all(version["more"] == "the app's" for version in versions)


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("spec", [COUNTED, COPIED], ids=["in-place", "copy"])
def test_a_document_that_stays_is_counted_once_however_many_images_it_has(spec: MigrationSpec, batch: int) -> None:
    @in_virtual_time
    async def check() -> None:
        source, target = ("tasks/0", "tasks/0") if spec is COUNTED else ("fitness_logs/0", TARGET)
        fields = {"name": "a", "userId": "u", "n": 1, "type": "run"}
        store = await seeded({source: fields})
        await ran(store, plan(RunKind.MIGRATE, spec))
        store.apply([Update(source, stored({"n": 2, "later": 1}), [("n",), ("later",)], None)])
        assert (await ran(store, plan(RunKind.SWEEP, spec))).totals.updated == 1
        store.apply([edit(target, {"n": 50, "later": "mine"})])
        made = reverting(spec, "migrate.0", "sweep.0")
        pace = made.pace.model_copy(update={"batch_size": batch})
        progress = await ran(store, made.model_copy(update={"pace": pace}))
        assert progress.totals.kept == len(dead_letters(store)) == 1

    check()


@in_virtual_time
async def test_a_document_that_two_runs_have_changed_goes_back_the_way_it_came() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    await ran(store, plan(RunKind.MIGRATE, COPIED))
    store.apply([edit("fitness_logs/0", {"later": 1})])
    store.apply([Create("fitness_logs/late", stored({"userId": "u"}))])
    assert counts(await ran(store, plan(RunKind.SWEEP, COPIED)))["updated"] == 1
    reverted = counts(await ran(store, reverting(COPIED, "migrate.0", "sweep.0")))
    assert (reverted["deleted"], reverted["updated"]) == (7, 1)
    assert everything(store).keys() == before.keys() | {"fitness_logs/late"}
    assert counts(await ran(store, checking(COPIED, "migrate.0", "sweep.0"))) == {"read": 8, "unchanged": 8}


@in_virtual_time
async def test_an_older_image_of_one_document_is_decided_on_what_the_newer_one_leaves_and_cannot_land_with_it() -> None:
    store = await seeded({"copies/1": {"a": 1}})
    (made,) = await store.get(["copies/1"])
    assert isinstance(made, Document)
    imager = Imager(KIT)
    created = imager.create("copies/1", made.fields, "logs/1")
    filled = imager.change(made, stored({"a": 1, "b": 2}))
    assert filled
    times = [made.update_time, (await store.commit([filled.write])).commit_time]
    images = [created.image, filled.image]
    walked = [JournalRecord(image, time) for image, time in zip(images[::-1], times[::-1], strict=True)]
    earlier = EarlierImages(ScannedEntries(Journal(store, LEDGER), Whose(store, "seed", None)), ())
    revert = Revert(Fitting(store), Merge(KIT, (), ()), earlier, imager, OnRevertConflict.KEEP, _never)
    newer, older = await revert.prepare([Record("2:1", walked[0]), Record("1:1", walked[1])], again=False)
    assert [change.tally.kept for change in (newer, older)] == [0, 0]
    assert older.writes == (Delete("copies/1", times[1]),)
    await store.commit(newer.writes)
    with pytest.raises(FailedPrecondition):
        await store.commit(older.writes)
    (anew,) = await revert.prepare([Record("1:1", walked[1])], again=True)
    await store.commit(anew.writes)
    assert everything(store) == {}


@pytest.mark.parametrize("policy", ["Keep", "Restore", "Quarantine"])
@pytest.mark.parametrize("last", [1, 2, 0], ids=["same", "other", "as-it-was"])
@pytest.mark.parametrize("between", [None, {"n": 7}, {"more": 7}], ids=str)
@pytest.mark.parametrize("after", [None, {"free": 8}], ids=str)
def test_a_second_pass_over_what_two_runs_have_changed_finds_nothing_to_do(
    policy: str, last: int, between: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> None:
    @in_virtual_time
    async def check() -> None:
        documents = {**LOGS, "fitness_logs/0": {"userId": "u", "n": 1}, TARGET: {"userId": "u", "n": 0, "type": "run"}}
        store = await seeded(documents)
        spec = migration(onExisting="Overwrite", onRevertConflict=policy)
        runs = ("migrate.0", "sweep.0")
        await ran(store, plan(RunKind.MIGRATE, spec))
        if between:
            store.apply([edit(TARGET, between)])
        store.apply([edit("fitness_logs/0", {"n": last, "swept": True})])
        await ran(store, plan(RunKind.SWEEP, spec))
        first = counts(await ran(store, reverting(spec, *runs)))
        left = everything(store)
        if after:
            store.apply([edit(TARGET, after)])
        second = counts(await ran(store, reverting(spec, *runs, number=1)))
        kept = first.get("kept", 0)
        assert second == {"read": first["read"], "unchanged": first["read"] - kept, **({"kept": kept} if kept else {})}
        assert counts(await ran(store, checking(spec, *runs))) == second
        if after:
            store.apply([Update(TARGET, {}, [(name,) for name in after], None)])
        assert everything(store) == left

    check()


@in_virtual_time
async def test_a_revert_can_be_reverted() -> None:
    store = await seeded(TASKS | LOGS)
    await ran(store, plan(RunKind.MIGRATE, CHANGED))
    await ran(store, plan(RunKind.MIGRATE, COPIED, 1))
    migrated = everything(store)
    await ran(store, reverting(CHANGED))
    await ran(store, reverting(COPIED, "migrate.1", number=1))
    assert everything(store) != migrated
    await ran(store, reverting(CHANGED, "revert.0", number=2))
    await ran(store, reverting(COPIED, "revert.1", number=3))
    assert everything(store) == migrated


@in_virtual_time
async def test_an_unfinished_revert_is_found() -> None:
    store = await seeded(TASKS)
    await ran(store, plan(RunKind.MIGRATE, CHANGED))
    progress = await ran(store, checking(CHANGED))
    assert counts(progress) == {"read": 6, "different": 6}
    assert progress.examples[0] == "tasks/5 has not been taken back"
