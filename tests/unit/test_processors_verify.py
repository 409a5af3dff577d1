"""Verify, by a real worker on a database in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.moving import IN_PLACE, KIT, LEDGER, counts, migration, plan, ran, seeded, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import BUCKETS, Selection
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.imaged import Imager
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.progress import RunProgress
from firelift.migration.processors.build import build
from firelift.migration.processors.findings import differences
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Create, Delete, Document, Update
from firelift.migration.tempo import Tempo
from firelift.migration.work import Lane, Record
from firelift.stores.memory import MemoryStore

LOGS = {f"fitness_logs/{number}": {"userId": "u", "n": number, "type": "run"} for number in range(5)}
TASKS = {f"tasks/{number}": {"name": f"task {number}"} for number in range(5)}
RENAMED = migration(transform={"rename": {"type": "logType"}})

VECTOR = KIT.new_map({"__type__": KIT.encode("__vector__"), "value": KIT.encode([1.0])})

TARGET = "users/u/fitness_logs/0"


async def copied() -> MemoryStore:
    store = await seeded(LOGS)
    await ran(store, plan(RunKind.MIGRATE, RENAMED))
    return store


def verifying(spec: Any = RENAMED, authority: Authority = Authority.SOURCE, **changes: Any) -> RunPlan:
    changes.setdefault("subjects", ("migrate.0",))
    return plan(RunKind.VERIFY, spec, verify=VerifyPlan(authority=authority), **changes)


def edit(path: str, values: Mapping[str, object]) -> Update:
    return Update(path, stored(values), [(name,) for name in values], None)


def mismatches(progress: RunProgress) -> dict[str, int]:
    return {name: count for name, count in counts(progress).items() if name in {"missing", "extra", "different"}}


@in_virtual_time
async def test_what_was_moved_as_it_should_be_has_no_mismatch() -> None:
    assert counts(await ran(await copied(), verifying())) == {"read": 5, "unchanged": 5}


@in_virtual_time
async def test_a_copy_that_is_not_there_is_missing() -> None:
    store = await copied()
    store.apply([Delete(TARGET)])
    progress = await ran(store, verifying())
    assert mismatches(progress) == {"missing": 1}
    assert progress.examples == (f"fitness_logs/0: there is no {TARGET}",)


@in_virtual_time
async def test_a_copy_that_differs_is_told_by_field_and_type_and_never_by_value() -> None:
    store = await copied()
    store.apply([edit(TARGET, {"n": 0.0, "logType": "walk", "more": 1})])
    progress = await ran(store, verifying())
    assert mismatches(progress) == {"different": 1}
    (sentence,) = progress.examples
    assert sentence.startswith(f"fitness_logs/0 and {TARGET}: ")
    assert "n is a double instead of an integer" in sentence
    assert "logType is another string" in sentence


@in_virtual_time
async def test_fields_that_the_transform_does_not_make_are_the_apps() -> None:
    store = await copied()
    store.apply([edit(TARGET, {"more": 1})])
    assert mismatches(await ran(store, verifying())) == {}


@in_virtual_time
async def test_ignored_fields_may_differ() -> None:
    store = await copied()
    store.apply([edit(TARGET, {"n": 99})])
    spec = migration(transform={"rename": {"type": "logType"}}, ignoreFields=["n"])
    assert mismatches(await ran(store, verifying(spec))) == {}


@in_virtual_time
@pytest.mark.parametrize(("there", "found"), [({}, {"different": 1}), ({"stats": {"likes": 1}}, {})])
async def test_what_stands_beside_an_ignored_field_in_a_map_is_compared(
    there: dict[str, object], found: dict[str, int]
) -> None:
    store = await seeded({"fitness_logs/0": {"userId": "u", "stats": {"likes": 1, "views": 2}}})
    store.apply([Create(TARGET, stored({"userId": "u", **there}))])
    spec = migration(ignoreFields=["stats.views"])
    progress = await ran(store, verifying(spec, subjects=()))
    assert mismatches(progress) == found
    assert progress.examples == (f"fitness_logs/0 and {TARGET}: stats is absent instead of a map",) * len(found)


@in_virtual_time
async def test_a_copy_that_outlives_its_source_is_extra() -> None:
    store = await copied()
    store.apply([Delete("fitness_logs/0")])
    progress = await ran(store, verifying())
    assert mismatches(progress) == {"extra": 1}
    assert progress.examples == (f"{TARGET} is a copy of fitness_logs/0, which is gone",)


@in_virtual_time
async def test_a_copy_whose_source_belongs_to_somebody_else_now_is_extra_and_missing() -> None:
    store = await copied()
    store.apply([edit("fitness_logs/0", {"userId": "v"})])
    assert mismatches(await ran(store, verifying())) == {"missing": 1, "extra": 1}


@in_virtual_time
async def test_what_the_app_makes_of_a_target_is_its_own_once_reads_have_switched() -> None:
    store = await copied()
    store.apply([edit(TARGET, {"n": 99}), Delete("fitness_logs/1")])
    assert mismatches(await ran(store, verifying(authority=Authority.TARGET))) == {}
    assert mismatches(await ran(store, verifying(number=1))) == {"different": 1, "extra": 1}


BOTH = pytest.mark.parametrize("authority", Authority)
NESTED = {"fitness_logs/0": {"userId": "u", "gone": 1, "prefs": {"a": 1, "b": 2}}}


@BOTH
@in_virtual_time
async def test_an_untouched_copy_whose_source_changed_is_different_once_whoever_is_read(authority: Authority) -> None:
    store = await copied()
    store.apply([edit("fitness_logs/0", {"n": 99})])
    progress = await ran(store, verifying(authority=authority))
    assert mismatches(progress) == {"different": 1}
    assert progress.examples[0].startswith(f"fitness_logs/0 and {TARGET}: n is another integer")


@BOTH
@in_virtual_time
async def test_a_field_that_the_source_lost_is_not_left_in_an_untouched_copy(authority: Authority) -> None:
    store = await seeded(NESTED)
    await ran(store, plan(RunKind.MIGRATE, migration()))
    store.apply([Update("fitness_logs/0", {}, [("gone",), ("prefs", "b")], None)])
    progress = await ran(store, verifying(migration(), authority))
    assert mismatches(progress) == {"different": 1}
    (sentence,) = progress.examples
    assert sentence.startswith(f"fitness_logs/0 and {TARGET}: gone is an integer instead of absent; prefs.b is an ")
    assert sentence.endswith(", and nobody has touched the copy since it was made")
    assert counts(await ran(store, plan(RunKind.SWEEP, migration()))) == {"read": 1, "updated": 1}
    assert mismatches(await ran(store, verifying(migration(), authority).model_copy(update={"id": "again"}))) == {}


@BOTH
@pytest.mark.parametrize("ignored", [["gone", "prefs"], ["gone", "prefs.b"]])
@in_virtual_time
async def test_an_ignored_field_may_be_stale_in_an_untouched_copy(authority: Authority, ignored: list[str]) -> None:
    store = await seeded(NESTED)
    spec = migration(ignoreFields=ignored)
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([Update("fitness_logs/0", {}, [("gone",), ("prefs", "b")], None)])
    assert mismatches(await ran(store, verifying(spec, authority))) == {}


@BOTH
@pytest.mark.parametrize(("policy", "found"), [("FillMissing", {}), ("Overwrite", {"different": 1})])
@in_virtual_time
async def test_what_the_app_had_in_a_target_is_its_own_where_we_only_filled(
    authority: Authority, policy: str, found: dict[str, int]
) -> None:
    store = await seeded({"fitness_logs/0": {"userId": "u", "n": 1, "old": 1}, TARGET: {"old": 1, "userId": "u"}})
    spec = migration(onExisting=policy)
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([Update("fitness_logs/0", {}, [("old",)], None)])
    assert mismatches(await ran(store, verifying(spec, authority))) == found


@BOTH
@pytest.mark.parametrize("changed", [{"n": 2}, {"new": 1}])
@in_virtual_time
async def test_what_we_filled_in_a_target_is_compared(authority: Authority, changed: dict[str, object]) -> None:
    store = await seeded({"fitness_logs/0": {"userId": "u", "n": 1}, TARGET: {"own": 1, "userId": "u"}})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    store.apply([edit("fitness_logs/0", changed)])
    assert mismatches(await ran(store, verifying(migration(), authority))) == {"different": 1}


@in_virtual_time
async def test_a_difference_of_a_source_that_the_scan_leaves_out_is_counted_by_its_image() -> None:
    store = await copied()
    store.apply([edit("fitness_logs/0", {"n": 99})])
    assert mismatches(await ran(store, verifying(selection=Selection(ids=("nobody",))))) == {"different": 1}


@in_virtual_time
async def test_a_difference_that_heals_before_the_second_look_does_not_count() -> None:
    store = await copied()
    store.apply([edit("fitness_logs/0", {"n": 7})])
    slept: list[float] = []

    async def second_write_of_the_app(seconds: float) -> None:
        slept.append(seconds)
        store.apply([edit(TARGET, {"n": 7})])

    reader, processor = build(verifying(), store, Journal(store, LEDGER), Lane(0), Tempo(second_write_of_the_app))
    changes = await processor.prepare((await reader.read(None)).records, again=False)
    assert slept == [VerifyPlan().recheck_seconds]
    assert [change.tally.mismatches for change in changes] == [0] * len(LOGS)


@in_virtual_time
async def test_dead_letters_are_no_missing_copies() -> None:
    store = await seeded(LOGS | {"fitness_logs/odd": {"userId": "a/b"}})
    await ran(store, plan(RunKind.MIGRATE, RENAMED))
    assert counts(await ran(store, verifying())) == {"read": 6, "unchanged": 5, "dead_letters": 1}


@in_virtual_time
async def test_in_place_what_still_applies_is_missing_and_a_broken_rule_is_different() -> None:
    store = await seeded(TASKS)
    spec = migration(IN_PLACE, validate=[{"rule": "out.title != ''", "message": "a title is needed"}])
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([Create("tasks/late", stored({"name": "late"})), edit("tasks/0", {"title": ""})])
    progress = await ran(store, verifying(spec))
    assert mismatches(progress) == {"missing": 1, "different": 1}
    assert set(progress.examples) == {"tasks/late has not been migrated", "tasks/0: a title is needed"}


@in_virtual_time
async def test_a_sample_looks_at_its_share_of_the_documents() -> None:
    store = await seeded({f"fitness_logs/{number}": {"userId": "u"} for number in range(200)})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    made = plan(RunKind.VERIFY, migration(), verify=VerifyPlan(sample_buckets=BUCKETS // 4))
    looked_at = counts(await ran(store, made))["read"]
    assert 30 <= looked_at <= 70


@in_virtual_time
async def test_only_the_cohort_is_verified() -> None:
    store = await seeded(LOGS)
    assert counts(await ran(store, verifying(subjects=(), selection=Selection(ids=("nobody",))))) == {}


@in_virtual_time
async def test_a_document_that_nobody_touched_and_that_is_not_what_we_wrote_is_different() -> None:
    store = await seeded({TARGET: {"n": 1, "m": 2}})
    (found,) = await store.get([TARGET])
    assert isinstance(found, Document)
    written = Imager(KIT).create(TARGET, stored({"n": 1, "m": 3}), None).image
    _, processor = build(verifying(), store, Journal(store, LEDGER), Lane(0, subject="migrate.0"))
    (change,) = await processor.prepare([Record("1:1", JournalRecord(written, found.update_time))], again=False)
    assert (change.tally.different, change.example) == (1, f"{TARGET} is not what was committed, at m")


@in_virtual_time
async def test_a_verify_that_has_to_try_again_reads_again() -> None:
    store = await copied()
    reader, processor = build(verifying(), store, Journal(store, LEDGER), Lane(0))
    records = (await reader.read(None)).records
    store.apply([Delete(TARGET), Delete("fitness_logs/0")])
    changes = await processor.prepare(records, again=True)
    assert [change.tally.skipped for change in changes] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ({}, "a is absent instead of an integer"),
        ({"a": 2}, "a is another integer"),
        ({"a": {}}, "a is a map instead of an integer"),
        ({"a": []}, "a is a list instead of an integer"),
        ({"a": None}, "a is null instead of an integer"),
        ({"a": VECTOR}, "a is a vector instead of an integer"),
    ],
)
def test_a_difference_is_told_by_its_type(there: Mapping[str, object], sentence: str) -> None:
    assert differences(KIT, stored(there), stored({"a": 1}), [("a",)]) == sentence


def test_a_long_list_of_differences_is_cut() -> None:
    wanted = {f"f{number}": 1 for number in range(9)}
    assert differences(KIT, {}, stored(wanted), [(name,) for name in wanted]).endswith("and 4 more")
