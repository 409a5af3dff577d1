"""What a revert did is taken back whole, also where it took back what two runs had made of one document."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan
from firelift.migration.store import Create, Update

SPEC = migration(COPY, onExisting="Overwrite")
LOGS = {f"fitness_logs/{number:02d}": {"userId": "ada", "n": number} for number in range(11)}
COPY_OF_0 = "users/ada/fitness_logs/00"
RUNS = ("migrate.0", "sweep.0")


def reverting(number: int, *subjects: str, **changes: Any) -> RunPlan:
    return plan(RunKind.REVERT, SPEC, number, subjects=subjects, **changes)


async def swept(policy: str = "Overwrite") -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A store with copies that one run has made and a sweep has changed; what it had before, and what it has now."""
    spec = migration(COPY, onExisting=policy)
    store = await seeded(LOGS)
    await ran(store, plan(RunKind.MIGRATE, spec))
    for path in LOGS:
        await store.commit([Update(path, stored({"n": 100}), [("n",)], None)])
    before = {path: fields for path, fields in everything(store).items() if path in LOGS}
    assert counts(await ran(store, plan(RunKind.SWEEP, spec))) == {"read": 11, "updated": 11}
    return store, before, everything(store)


@pytest.mark.parametrize("batch", [1, 4, 100])
@pytest.mark.parametrize("policy", ["Overwrite", "KeepNewer"])
def test_copies_that_a_sweep_has_changed_come_back_as_the_sweep_left_them(policy: str, batch: int) -> None:
    @in_virtual_time
    async def check() -> None:
        pace = PaceSpec(max_writes_per_second=100_000, batch_size=batch, max_retries=5)
        store, before, migrated = await swept(policy)
        subjects: tuple[str, ...] = RUNS
        expected = [before, migrated]
        for number in range(4):
            done = counts(await ran(store, reverting(number, *subjects, pace=pace)))
            assert "kept" not in done
            assert everything(store) == expected[number % 2]
            checked = await ran(store, plan(RunKind.REVERT_VERIFY, SPEC, number, subjects=subjects))
            assert counts(checked) == {"read": 22, "unchanged": 22}
            subjects = (f"revert.{number}",)

    check()


@in_virtual_time
async def test_a_second_pass_of_a_revert_of_a_revert_finds_nothing_to_do() -> None:
    store, _, migrated = await swept()
    await ran(store, reverting(0, *RUNS))
    await ran(store, reverting(1, "revert.0"))
    assert counts(await ran(store, reverting(2, "revert.0"))) == {"read": 22, "unchanged": 22}
    assert everything(store) == migrated


@in_virtual_time
async def test_a_copy_that_the_app_has_changed_between_the_passes_stays_as_the_app_left_it() -> None:
    store, _, _ = await swept()
    await ran(store, reverting(0, *RUNS))
    await ran(store, reverting(1, "revert.0"))
    await store.commit([Update(COPY_OF_0, stored({"n": 7, "mine": True}), [("n",), ("mine",)], None)])
    found = counts(await ran(store, reverting(2, "revert.0")))
    assert found == {"read": 22, "unchanged": 21, "kept": 1}
    assert await seen(store, COPY_OF_0) == {"userId": "ada", "n": 7, "mine": True}


@in_virtual_time
async def test_a_copy_that_the_app_made_anew_in_between_is_nobodys_but_the_apps() -> None:
    store, _, _ = await swept()
    await ran(store, reverting(0, *RUNS))
    await store.commit([Create(COPY_OF_0, stored({"mine": True}))])
    done = counts(await ran(store, reverting(1, "revert.0")))
    assert (done["created"], done["updated"], done["kept"]) == (10, 10, 1)
    assert await seen(store, COPY_OF_0) == {"mine": True}


@in_virtual_time
async def test_a_document_changed_in_place_before_its_deletion_goes_back_behind_it() -> None:
    store = await seeded({"tasks/1": {"name": "walk"}})
    before = everything(store)
    in_place = migration(
        {"name": "named", "source": {"collection": "tasks"}, "target": {"inPlace": {}}},
        appliesWhen="!has(doc.title)",
        transform={"rename": {"name": "title"}},
    )
    away = migration({"name": "away", "source": {"collection": "tasks"}, "target": {"document": "kept/{id}"}})
    await ran(store, plan(RunKind.MIGRATE, in_place))
    await ran(store, plan(RunKind.MIGRATE, away, 1))
    await ran(store, plan(RunKind.DELETE, away))
    await ran(store, plan(RunKind.REVERT, away, 0, subjects=("migrate.1", "delete.0")))
    assert counts(await ran(store, plan(RunKind.REVERT, in_place, 1, subjects=("migrate.0",)))) == {
        "read": 1,
        "updated": 1,
    }
    assert everything(store) == before
