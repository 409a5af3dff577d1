"""What a phase's new cohort costs: its own records, whoever is chosen and however, and little else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.counting import CountingStore
from tests.moving import COPY, migration, plan, ran, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection, bucket
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind
from firelift.api.where import WhereCondition
from firelift.migration.store import Create
from firelift.stores.memory import MemoryStore

USERS = {f"u{number}": 5 + number % 61 for number in range(240)}
PACES = [
    PaceSpec(max_writes_per_second=100_000, batch_size=200, max_retries=5),
    PaceSpec(),
    PaceSpec(max_writes_per_second=40),
    PaceSpec(batch_size=25, pause_between_batches_seconds=2, max_retries=3),
]
MARKER = {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}}
PRO = WhereCondition.model_validate({"field": "plan", "equals": "pro"})
LISTED = {"entityCollection": "users"}


def is_pro(user: str) -> bool:
    return user.endswith("7")


async def filled() -> CountingStore:
    store = MemoryStore()
    store.apply([Create(f"users/{user}", stored({"plan": "pro" if is_pro(user) else "free"})) for user in USERS])
    for user, count in USERS.items():
        fields = stored({"userId": user, "plan": "pro" if is_pro(user) else "free"})
        store.apply([Create(f"fitness_logs/{number:03d}{user}", fields) for number in range(count)])
    return CountingStore(store)


COHORTS: list[tuple[str, Selection, dict[str, Any]]] = [
    ("percent", Selection(from_bucket=100, to_bucket=1_500), LISTED),
    ("ids", Selection(ids=("u3", "u7", "nobody")), LISTED),
    ("where of entities", Selection(to_bucket=10_000, where=(PRO,)), LISTED),
    ("percent and marker", Selection(from_bucket=100, to_bucket=1_500), {**LISTED, "entityMarker": MARKER}),
    ("ids and marker", Selection(ids=("u3", "u7", "nobody")), {**LISTED, "entityMarker": MARKER}),
    ("where and marker", Selection(to_bucket=10_000, where=(PRO,)), {**LISTED, "entityMarker": MARKER}),
    ("ids without a list", Selection(ids=("u3", "u7", "nobody")), {}),
    ("where of records", Selection(to_bucket=10_000, where=(PRO,)), {}),
]


def chosen(selection: Selection) -> list[str]:
    if selection.where:
        return [user for user in USERS if is_pro(user)]
    mine = range(selection.from_bucket, selection.to_bucket)
    return [user for user in USERS if user in selection.ids or bucket("seed", user) in mine]


@pytest.mark.parametrize("pace", PACES, ids=["fast", "by default", "ramping up", "small steps"])
@pytest.mark.parametrize(("selection", "more"), [each[1:] for each in COHORTS], ids=[each[0] for each in COHORTS])
@in_virtual_time
async def test_a_cohort_reads_just_what_it_covers(selection: Selection, more: dict[str, Any], pace: PaceSpec) -> None:
    store, entities = await filled(), chosen(selection)
    covered = sum(USERS[user] for user in entities)
    assert 0 < covered < sum(USERS.values()) / 4
    made = plan(RunKind.MIGRATE, migration({**COPY, **more}), selection=selection, pace=pace)
    moved = (await ran(store, made)).totals.written
    marked = len(entities) + len({*selection.ids} - {*entities}) if "entityMarker" in more else 0
    assert moved == covered + marked
    queried = {key: count for key, count in store.queried.items() if not key[0].startswith("_firelift")}
    assert queried.pop(("users", "names"), 0) <= len(USERS), "the ids, once per attempt"
    read = sum(queried.values()) + sum(count for group, count in store.got.items() if "firelift" not in group)
    assert (set(queried), read) == ({("fitness_logs", "filtered")}, covered + marked)
    assert read <= 1.2 * covered + 1_000
