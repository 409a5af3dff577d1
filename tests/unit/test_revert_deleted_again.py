"""What a revert has brought back, and the app has deleted since, stays deleted in every later pass."""

from __future__ import annotations

import pytest
from tests.moving import counts, everything, migration, plan, ran, seeded
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind
from firelift.migration.store import Delete

SPEC = migration({"name": "logs", "source": {"collection": "logs"}, "target": {"document": "copies/{id}"}})
SUBJECTS = ("migrate.0", "delete.0")
LOGS = {f"logs/{number:02d}": {"n": number} for number in range(23)}


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_later_pass_leaves_what_the_app_has_deleted_and_the_check_agrees(batch: int) -> None:
    @in_virtual_time
    async def check() -> None:
        store = await seeded(LOGS)
        before = everything(store)
        deleting = PaceSpec(max_writes_per_second=100_000, batch_size=5, max_retries=5)
        pace = deleting.model_copy(update={"batch_size": batch})
        await ran(store, plan(RunKind.MIGRATE, SPEC))
        await ran(store, plan(RunKind.DELETE, SPEC, pace=deleting))
        assert counts(await ran(store, plan(RunKind.REVERT, SPEC, subjects=SUBJECTS, pace=pace))) == {
            "read": 46,
            "created": 23,
            "deleted": 23,
        }
        assert everything(store) == before
        for number in (0, 7, 8, 22):
            await store.commit([Delete(f"logs/{number:02d}")])
        left = everything(store)
        seen = counts(await ran(store, plan(RunKind.REVERT_VERIFY, SPEC, subjects=SUBJECTS)))
        assert seen == {"read": 46, "unchanged": 46}
        assert counts(await ran(store, plan(RunKind.REVERT, SPEC, 1, subjects=SUBJECTS, pace=pace))) == seen
        assert everything(store) == left

    check()


@in_virtual_time
async def test_what_no_pass_has_brought_back_yet_is_brought_back_by_a_later_one() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    await ran(store, plan(RunKind.MIGRATE, SPEC))
    await ran(store, plan(RunKind.REVERT, SPEC, subjects=("migrate.0",)))
    await ran(store, plan(RunKind.MIGRATE, SPEC, 1))
    await ran(store, plan(RunKind.DELETE, SPEC))
    checked = await ran(store, plan(RunKind.REVERT_VERIFY, SPEC, subjects=("delete.0",)))
    assert checked.totals.different == len(LOGS)
    await ran(store, plan(RunKind.REVERT, SPEC, 1, subjects=("migrate.1", "delete.0")))
    assert everything(store) == before
