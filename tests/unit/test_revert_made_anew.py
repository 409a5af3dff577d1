"""A document that the app made anew between two runs is the later run's: the earlier one takes nothing of it back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, counts, migration, plan, ran, seeded, seen, stored

from firelift.api.migration import OnRevertConflict
from firelift.api.run import RunKind
from firelift.migration.store import Create, Delete, Update
from firelift.stores.memory import MemoryStore

RUNS = ("migrate.0", "sweep.0")
POLICIES = pytest.mark.parametrize("policy", OnRevertConflict)


async def swept_and_reverted(
    store: MemoryStore, made: dict[str, dict[str, Any]], base: dict[str, Any]
) -> dict[str, int]:
    """The counts of the revert; the app makes documents anew behind the first run."""
    await ran(store, plan(RunKind.MIGRATE, migration(base)))
    for path, fields in made.items():
        await store.commit([Delete(path)])
        await store.commit([Create(path, stored(fields))])
    await ran(store, plan(RunKind.SWEEP, migration(base)))
    found = counts(await ran(store, plan(RunKind.REVERT, migration(base), subjects=RUNS)))
    again = counts(await ran(store, plan(RunKind.REVERT_VERIFY, migration(base), subjects=RUNS)))
    assert not again.keys() & {"kept", "different"}
    return found


@POLICIES
async def test_in_place_what_was_made_anew_goes_back_to_itself(policy: OnRevertConflict) -> None:
    store = await seeded({"tasks/1": {"name": "old"}})
    base = {**IN_PLACE, "onRevertConflict": policy}
    found = await swept_and_reverted(store, {"tasks/1": {"name": "new"}}, base)
    assert found == {"read": 2, "updated": 1, "unchanged": 1}
    assert await seen(store, "tasks/1") == {"name": "new"}


@POLICIES
async def test_a_copy_that_the_app_made_anew_and_a_sweep_filled_stays(policy: OnRevertConflict) -> None:
    store = await seeded({"fitness_logs/1": {"userId": "ada", "kcal": 5}})
    base = {**COPY, "onRevertConflict": policy}
    target = "users/ada/fitness_logs/1"
    found = await swept_and_reverted(store, {target: {"mine": True}}, base)
    assert found == {"read": 2, "updated": 1, "unchanged": 1}
    assert await seen(store, target) == {"mine": True}


async def test_what_was_made_anew_and_changed_since_is_one_conflict() -> None:
    store = await seeded({"tasks/1": {"n": 1}})
    spec = migration(IN_PLACE, appliesWhen="doc.n < 10", transform={"set": {"n": "doc.n + 10"}})
    await ran(store, plan(RunKind.MIGRATE, spec))
    await store.commit([Delete("tasks/1")])
    await store.commit([Create("tasks/1", stored({"n": 2}))])
    await ran(store, plan(RunKind.SWEEP, spec))
    await store.commit([Update("tasks/1", stored({"n": 50}), [("n",)], None)])
    found = counts(await ran(store, plan(RunKind.REVERT, spec, subjects=RUNS)))
    assert found == {"read": 2, "kept": 1, "unchanged": 1}
    assert await seen(store, "tasks/1") == {"n": 50}
