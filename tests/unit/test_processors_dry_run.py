"""Dry runs and validations: everything is decided as a migrate would decide it, and no document of the app changes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, LEDGER, counts, everything, migration, plain, plan, ran, seeded

from firelift.api.run import RunKind
from firelift.stores.memory import MemoryStore

LOGS: dict[str, dict[str, object]] = {f"fitness_logs/{n}": {"userId": "ada", "calories": n * 10} for n in range(12)} | {
    "fitness_logs/nobody": {"calories": 5}
}
THERE: dict[str, dict[str, object]] = {
    "users/ada/fitness_logs/0": {"userId": "ada", "calories": 0},
    "users/ada/fitness_logs/1": {"userId": "ada", "mine": True},
}
RULED: dict[str, Any] = {"validate": [{"rule": "out.calories < 100", "message": "calories must stay below 100"}]}


def ledger(store: MemoryStore, part: str) -> list[dict[str, Any]]:
    documents = store.snapshot().items()
    return [plain(fields) for path, fields in documents if path.startswith(f"_firelift/{LEDGER}/") and part in path]


@pytest.mark.parametrize("on_existing", ["FillMissing", "Skip", "Overwrite"])
async def test_a_dry_run_counts_what_a_migrate_would_then_do(on_existing: str) -> None:
    store = await seeded({**LOGS, **THERE})
    spec = migration(COPY, **RULED, onExisting=on_existing)
    before = everything(store)
    dry = await ran(store, plan(RunKind.DRY_RUN, spec))
    assert everything(store) == before
    assert counts(dry) == counts(await ran(store, plan(RunKind.MIGRATE, spec)))
    assert everything(store) != before


async def test_a_dry_run_keeps_examples_with_their_values_and_what_cannot_move() -> None:
    store = await seeded({**LOGS, **THERE})
    spec = migration(COPY, **RULED, transform={"rename": {"calories": "burned"}}, onInvalid="Fail")
    await ran(store, plan(RunKind.DRY_RUN, spec))
    letters = ledger(store, "firelift_deadletters")
    assert len(letters) == 13
    examples = ledger(await _renamed(), ".example.")
    created = [each for each in examples if each["operation"] == "create"]
    assert len(created) == 5
    assert all(each["before"]["calories"] == each["after"]["burned"] for each in created)
    updated = [each for each in examples if each["operation"] == "update"]
    assert {each["target"] for each in updated} == {"users/ada/fitness_logs/0", "users/ada/fitness_logs/1"}
    assert all("burned" in each["after"] for each in updated)


async def _renamed() -> MemoryStore:
    store = await seeded({**LOGS, **THERE})
    await ran(store, plan(RunKind.DRY_RUN, migration(COPY, transform={"rename": {"calories": "burned"}})))
    return store


async def test_a_dry_run_in_place_shows_the_values_that_would_go() -> None:
    store = await seeded({"tasks/1": {"name": "write"}, "tasks/2": {"title": "done"}})
    before = everything(store)
    progress = await ran(store, plan(RunKind.DRY_RUN, migration(IN_PLACE)))
    assert counts(progress) == {"read": 2, "updated": 1, "skipped": 1}
    assert everything(store) == before
    (example,) = ledger(store, ".example.")
    assert (example["before"], example["after"]) == ({"name": "write"}, {"title": "write"})


async def test_a_document_that_is_too_large_is_no_example() -> None:
    store = await seeded({"tasks/1": {"name": "x" * 70_000}})
    await ran(store, plan(RunKind.DRY_RUN, migration(IN_PLACE)))
    assert ledger(store, ".example.") == []


async def test_a_validation_looks_at_sources_only() -> None:
    store = await seeded({**LOGS, **THERE})
    before = everything(store)
    progress = await ran(store, plan(RunKind.VALIDATE, migration(COPY, **RULED, onInvalid="Fail")))
    assert everything(store) == before
    assert counts(progress) == {"read": 13, "unchanged": 10, "dead_letters": 3}
    reasons = sorted(letter["reason"] for letter in ledger(store, "firelift_deadletters"))
    assert sum("calories must stay below 100" in reason for reason in reasons) == 2
    assert ledger(store, ".example.") == []
