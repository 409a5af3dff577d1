"""Documents that the app wrote in the new shape alone go back with a revert, and nothing of the app's is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.moving import KIT, LEDGER, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection, bucket
from firelift.api.migration import MigrationSpec, OnRevertConflict
from firelift.api.run import RunKind, RunPlan
from firelift.migration.ledger import paths
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lanes import ensure_lanes, lanes_before
from firelift.migration.store import Create, Update, Write
from firelift.migration.transform.check import problem
from firelift.stores.memory import MemoryStore

EVERYBODY = Selection(to_bucket=10_000)
WHEN = datetime.fromtimestamp(70, UTC)

SPEC = migration(
    transform={"rename": {"type": "logType"}, "set": {"created": "timestamp(doc.ts)"}, "remove": ["ts"]},
    reverse={"transform": {"set": {"ts": "int(doc.created)"}, "remove": ["created"]}},
)
IN_PLACE = migration(
    {"name": "tasks", "source": {"collection": "tasks"}, "target": {"inPlace": {}}},
    appliesWhen="has(doc.name)",
    transform={"rename": {"name": "title"}},
    reverse={},
)
BORN, OLD = "users/u/fitness_logs/born", "fitness_logs/born"
OLDER = "users/u/fitness_logs/older"
"""It was there before the first run."""

NEW_SHAPE = {"userId": "u", "logType": "swim", "created": WHEN}
OLD_SHAPE = {"userId": "u", "type": "swim", "ts": 70}


async def moved(spec: MigrationSpec = SPEC) -> MemoryStore:
    before: dict[str, dict[str, object]] = {
        "fitness_logs/1": {"userId": "u", "type": "run", "ts": 5},
        "tasks/1": {"name": "x"},
        OLDER: NEW_SHAPE,
    }
    store = await seeded(before)
    await ran(store, plan(RunKind.MIGRATE, spec))
    return store


def make(store: MemoryStore, path: str, values: dict[str, Any]) -> None:
    store.apply([Create(path, stored(values))])


def back(spec: MigrationSpec = SPEC, kind: RunKind = RunKind.REVERT, number: int = 0, **changes: Any) -> RunPlan:
    return plan(kind, spec, number, subjects=("migrate.0",), **{"selection": EVERYBODY, **changes})


async def checked(store: MemoryStore, spec: MigrationSpec = SPEC, number: int = 0) -> dict[str, int]:
    return counts(await ran(store, back(spec, RunKind.REVERT_VERIFY, number)))


async def letter(store: MemoryStore, path: str = BORN) -> str:
    found = await seen(store, paths.dead_letter(LEDGER, "revert.0", path))
    assert found
    return str(found["reason"])


@in_virtual_time
async def test_a_document_of_the_new_shape_moves_back_in_one_commit_and_a_second_pass_writes_nothing() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    # The copy is deleted, the other one made in the old shape and deleted in the new.
    assert counts(await ran(store, back())) == {"read": 3, "created": 1, "deleted": 2}
    assert await seen(store, OLD) == OLD_SHAPE
    assert {path for path in everything(store) if path.startswith("users/")} == {OLDER}
    assert await checked(store) == {"read": 1, "unchanged": 1}
    assert counts(await ran(store, back(number=1))) == {"read": 1, "unchanged": 1}


@in_virtual_time
async def test_a_revert_of_the_revert_brings_the_new_shape_back() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    await ran(store, back())
    again = plan(RunKind.REVERT, SPEC, 7, subjects=("revert.0",))
    await ran(store, again)
    assert await seen(store, BORN) == NEW_SHAPE
    assert await seen(store, OLD) is None


@in_virtual_time
async def test_without_a_way_back_they_stay_and_so_do_those_of_others_and_of_before() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    make(store, "users/v/other/born", NEW_SHAPE)
    make(store, "elsewhere/u/fitness_logs/born", NEW_SHAPE)
    cold = Selection(to_bucket=bucket("seed", "u"))
    assert counts(await ran(store, back(number=1, selection=cold)))["read"] == 1
    assert await seen(store, BORN) == NEW_SHAPE
    await ran(store, back(number=2))
    assert await seen(store, BORN) is None
    for path in (OLDER, "users/v/other/born", "elsewhere/u/fitness_logs/born"):
        assert await seen(store, path) == NEW_SHAPE


@in_virtual_time
async def test_what_the_app_wrote_in_both_shapes_alike_goes_from_the_new_one() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    make(store, OLD, {**OLD_SHAPE, "mine": 1})
    assert counts(await ran(store, back())) == {"read": 2, "deleted": 2}
    assert await seen(store, OLD) == {**OLD_SHAPE, "mine": 1}


@pytest.mark.parametrize("policy", OnRevertConflict)
@in_virtual_time
async def test_what_the_two_shapes_say_differently_is_a_conflict(policy: OnRevertConflict) -> None:
    spec = SPEC.model_copy(update={"on_revert_conflict": policy})
    store = await moved(spec)
    make(store, BORN, NEW_SHAPE)
    make(store, OLD, {**OLD_SHAPE, "type": "walk"})
    reverted = counts(await ran(store, back(spec)))
    kept = policy is OnRevertConflict.KEEP
    assert reverted == ({"read": 2, "deleted": 1, "kept": 1} if kept else {"read": 3, "deleted": 2, "updated": 1})
    assert (await seen(store, OLD) or {})["type"] == ("walk" if kept else "swim")
    assert (await seen(store, BORN) == NEW_SHAPE) is kept
    if kept:
        assert "fitness_logs/born is there in the old shape, and says something else at type" in await letter(store)
        assert (await checked(store, spec))["kept"] == 1
    if policy is OnRevertConflict.QUARANTINE:
        quarantined = await seen(store, paths.dead_letter(LEDGER, "revert.0", OLD))
        assert quarantined
        assert KIT.decode(KIT.loads(quarantined["document"]))["type"] == "walk"


@in_virtual_time
async def test_a_copy_that_the_app_has_changed_is_a_conflict_as_ever_and_no_document_of_its_own() -> None:
    store = await moved()
    store.apply([Update("users/u/fitness_logs/1", stored({"mine": 1}), [("mine",)], None)])
    assert counts(await ran(store, back())) == {"read": 1, "kept": 1}
    assert await checked(store) == {"read": 1, "kept": 1}


@in_virtual_time
async def test_a_way_back_that_does_not_lead_forth_again_keeps_the_document() -> None:
    spec = migration(transform=SPEC.transform.model_dump(exclude_defaults=True), reverse={})
    store = await moved(spec)
    make(store, BORN, NEW_SHAPE)
    assert counts(await ran(store, back(spec)))["kept"] == 1
    assert "cannot go back: the forward migration refuses what it becomes: transform.set.created" in await letter(store)
    assert await seen(store, BORN) == NEW_SHAPE


@in_virtual_time
async def test_a_field_that_the_new_shape_has_only_in_its_path_is_filled_from_there() -> None:
    store = await moved()
    make(store, BORN, {name: value for name, value in NEW_SHAPE.items() if name != "userId"})
    await ran(store, back())
    assert await seen(store, OLD) == OLD_SHAPE


def taken_home(doc: dict[str, Any], _: object) -> dict[str, Any]:
    return {"userId": doc["userId"], "type": doc["logType"].upper(), "ts": 1}


@in_virtual_time
async def test_a_function_may_be_the_way_back() -> None:
    python = {"transform": {"python": {"entrypoint": f"{__name__}:taken_home"}}}
    spec = migration(transform=SPEC.transform.model_dump(exclude_defaults=True), reverse=python)
    store = await moved(spec)
    make(store, BORN, NEW_SHAPE)
    await ran(store, back(spec))
    assert await seen(store, OLD) == {"userId": "u", "type": "SWIM", "ts": 1}


def failing_home(doc: dict[str, Any], _: object) -> dict[str, Any]:
    raise ValueError(f"no home for {doc['logType']}")


@in_virtual_time
async def test_what_a_function_says_of_a_document_that_stays_is_in_its_dead_letter_alone() -> None:
    python = {"transform": {"python": {"entrypoint": f"{__name__}:failing_home"}}}
    spec = migration(transform=SPEC.transform.model_dump(exclude_defaults=True), reverse=python)
    store = await moved(spec)
    make(store, BORN, NEW_SHAPE)
    told = await ran(store, back(spec)), await ran(store, back(spec, RunKind.REVERT_VERIFY))
    assert [len(each.examples) for each in told] == [1, 1]
    assert not any("swim" in example for each in told for example in each.examples)
    assert (await letter(store)).endswith("cannot go back: ValueError: no home for swim")


@in_virtual_time
async def test_in_place_a_document_of_the_new_shape_is_changed_back() -> None:
    store = await moved(IN_PLACE)
    make(store, "tasks/new", {"title": "y", "mine": 1})
    make(store, "tasks/old", {"name": "z"})
    assert counts(await ran(store, back(IN_PLACE))) == {"read": 2, "updated": 2}
    found = {path: await seen(store, path) for path in ("tasks/1", "tasks/new", "tasks/old")}
    assert found == {"tasks/1": {"name": "x"}, "tasks/new": {"name": "y", "mine": 1}, "tasks/old": {"name": "z"}}
    assert await checked(store, IN_PLACE) == {"read": 1, "unchanged": 1}


@in_virtual_time
async def test_a_live_write_between_the_look_and_the_commit_is_taken_along() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    races: list[Write] = [Update(BORN, stored({"mine": 2}), [("mine",)], None)]

    async def race(writes: Sequence[Write]) -> None:
        if races and any(write.path == BORN for write in writes):
            store.apply([races.pop()])

    store.faults.before_commit = race
    assert counts(await ran(store, back()))["conflicts"] == 1
    assert await seen(store, OLD) == {**OLD_SHAPE, "mine": 2}


@in_virtual_time
async def test_what_is_missed_fails_the_check_and_what_came_after_the_revert_does_not() -> None:
    store = await moved()
    make(store, BORN, NEW_SHAPE)
    await ran(store, back(selection=Selection()))
    await ran(store, back(number=1, selection=Selection(ids=("nobody",))))
    assert await checked(store) == {"read": 2, "unchanged": 1, "different": 1}
    await ran(store, back(number=2))
    make(store, BORN, NEW_SHAPE)
    assert await checked(store, number=1) == {"read": 1, "unchanged": 1}


@in_virtual_time
async def test_these_lanes_come_behind_all_images() -> None:
    store = await moved()
    made = back()
    lanes = await ensure_lanes(Journal(store, LEDGER), made)
    assert [lane.subject for lane in lanes.lanes] == ["migrate.0", None]
    assert lanes_before(made, lanes, lanes.lanes[1]) == [0]


@pytest.mark.parametrize(
    ("reverse", "sentence"),
    [
        ({"transform": {"set": {"ts": "int("}}}, "transform.set.ts: 'int(' is not valid CEL"),
        ({"document": "fitness_logs/{doc.`a}"}, "no placeholder"),
    ],
)
def test_a_way_back_that_cannot_be_compiled_is_refused_before_the_way_forward(
    reverse: dict[str, Any], sentence: str
) -> None:
    assert sentence in problem(migration(reverse=reverse), KIT)
