"""Finding what an earlier run did to a document, by bisection over the cursors of its lanes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.moving import IN_PLACE, LEDGER, migration, plan, ran, seeded
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind
from firelift.migration.entities.whose import Whose
from firelift.migration.image import Image, Operation
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.ledger.scanned import ScannedEntries

RUN = "migrate.0"
NAMES = ["B", "a", "a-", "a!", "b", "ü", "__id7__", "__id10__", *(f"n{number:03d}" for number in range(992))]

LATER = Image("", Operation.UPDATE, None, 0, 2**60, {}, {})


@pytest.mark.parametrize("batch", [1, 7, 300])
def test_each_document_of_a_run_is_found_with_its_before_image(batch: int) -> None:
    @in_virtual_time
    async def check() -> None:
        names = NAMES if batch > 1 else NAMES[:40]
        store = await seeded({f"tasks/{name}": {"name": name} for name in names})
        made = plan(RunKind.MIGRATE, migration(IN_PLACE))
        await ran(store, made.model_copy(update={"pace": made.pace.model_copy(update={"batch_size": batch})}))
        journal = Journal(store, LEDGER)
        lanes = await read_lane_map(store, LEDGER, RUN)
        assert lanes
        assert len(lanes.lanes) == (2 if batch > 1 else 1)
        earlier = EarlierImages(ScannedEntries(journal, Whose(store, "seed", None)), ["migrate.9", RUN])
        for name in names:
            path = f"tasks/{name}"
            created = store.history(path)[0].create_time
            (found,) = await earlier.of(replace(LATER, path=path, create_time=created))
            assert (found.path, found.before["name",]) == (path, store.values.encode(name))

    check()


@in_virtual_time
async def test_what_is_no_earlier_update_of_the_same_document_is_left_out() -> None:
    store = await seeded({f"tasks/{number}": {"name": "x"} for number in range(9)})
    await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE)))
    earlier = EarlierImages(ScannedEntries(Journal(store, LEDGER), Whose(store, "seed", None)), [RUN])
    created = store.history("tasks/5")[0].create_time
    mine = replace(LATER, path="tasks/5", create_time=created)
    (found,) = await earlier.of(mine)
    assert await earlier.of(replace(mine, update_time=found.update_time)) == []
    assert await earlier.of(replace(mine, create_time=created + 1)) == []
    assert await earlier.of(replace(mine, path="tasks/55")) == []
    assert await earlier.of(replace(mine, path="tasks/z")) == []
    assert await EarlierImages(ScannedEntries(Journal(store, LEDGER), Whose(store, "seed", None)), []).of(mine) == []
