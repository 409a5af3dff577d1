"""What an aggregate holds at once: sums instead of documents, and of a function's documents just so many."""

from __future__ import annotations

import pytest
from tests.moving import KIT, counts, migration, ran, seeded, stored
from tests.unit.test_aggregates import DAILY, LOGS, MORNING, copies, log, run
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind
from firelift.migration.aggregate import gather
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.store import Document
from firelift.migration.transform.transform import compile_transform


@in_virtual_time
async def test_an_entity_that_needs_more_than_a_lane_may_hold_is_a_dead_letter_and_the_others_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "HELD_BYTES", 60_000)
    function = {"entrypoint": "tests.unit.test_aggregates:streaks"}
    base = {**DAILY, "target": {"aggregate": {"document": "users/{entity}/stats/streaks", "python": function}}}
    store = await seeded(LOGS | {f"logs/x{n}": log("ada" if n < 60 else f"u{n}", n, 1) for n in range(80)})
    made = run(RunKind.MIGRATE, 0, base)
    progress = await ran(store, made)
    assert counts(progress) == {"read": 23, "skipped": 1, "created": 21, "dead_letters": 1}
    (told,) = progress.examples
    assert told.startswith("users/ada/stats/streaks: the first 63 documents of entity ada, in 1 groups, need more than")
    assert "use `set` instead of `python`, which holds no documents" in told
    assert counts(await ran(store, run(RunKind.VERIFY, 0, base, subjects=(made.id,))))["dead_letters"] == 1
    assert counts(await ran(store, run(RunKind.SWEEP, 0, base)))["unchanged"] == 21


@in_virtual_time
async def test_an_entity_that_has_grown_too_large_keeps_what_was_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = await seeded(LOGS)
    await ran(store, run(RunKind.MIGRATE))
    once = copies(store)
    monkeypatch.setattr(gather, "HELD_BYTES", 3_000)
    assert counts(await ran(store, run(RunKind.SWEEP))) == {"read": 3, "unchanged": 2, "dead_letters": 1}
    assert copies(store) == once


def test_sums_hold_no_documents() -> None:
    spec = migration(DAILY)
    aggregation = compile_aggregation(spec, compile_transform(spec, KIT, MORNING))
    gathered = gather.Gathered(aggregation, lambda _: True)
    for number in range(5_000):
        fields = stored(log("ada", number % 89, 1, note="x" * 500))
        gathered.add("ada", Document(f"logs/{number:06d}", fields, number, number, 1))
    assert len(gathered.groups) == 4
    assert gathered.held <= 4 * 10_000
    assert sum(members.count for members in gathered.groups.values()) == 5_000
    assert aggregation.mask == (("at",), ("calories",), ("type",), ("weight",))
