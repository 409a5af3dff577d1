"""A revert takes back what was done, not what the manifest has come to say since."""

import pytest
from tests.moving import IN_PLACE, counts, migration, plan, ran, seeded, seen, stored

from firelift.api.migration import OnRevertConflict
from firelift.api.run import RunKind
from firelift.migration.store import Update


@pytest.mark.parametrize("later", [{"heading": "name"}, {"name": "heading"}])
async def test_a_value_of_the_app_goes_back_under_the_name_that_it_had(later: dict[str, str]) -> None:
    store = await seeded({"tasks/1": {"name": "old"}})
    await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE)))
    store.apply([Update("tasks/1", stored({"title": "live"}), [("title",)], None)])
    edited = migration(IN_PLACE, transform={"rename": later})
    progress = await ran(store, plan(RunKind.REVERT, edited, subjects=("migrate.0",)))
    assert await seen(store, "tasks/1") == {"name": "live"}
    assert counts(progress) == {"read": 1, "updated": 1}


@pytest.mark.parametrize(("policy", "name"), [(OnRevertConflict.KEEP, None), (OnRevertConflict.RESTORE, "old")])
async def test_what_becomes_of_conflicts_is_still_to_be_changed(policy: OnRevertConflict, name: str | None) -> None:
    store = await seeded({"tasks/1": {"name": "old"}})
    spec = migration(IN_PLACE, transform={"set": {"title": "doc.name"}, "remove": ["name"]})
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([Update("tasks/1", stored({"title": "live"}), [("title",)], None)])
    edited = spec.model_copy(update={"on_revert_conflict": policy})
    await ran(store, plan(RunKind.REVERT, edited, subjects=("migrate.0",)))
    found = await seen(store, "tasks/1")
    assert found is not None
    assert found.get("name") == name
