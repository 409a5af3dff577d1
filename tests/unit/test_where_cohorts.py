"""Cohorts that conditions choose: on the entities' documents, or on the records themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.counting import CountingStore
from tests.moving import COPY, KIT, counts, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.run import RunKind, VerifyPlan
from firelift.api.where import WhereCondition
from firelift.migration.conditions import holds
from firelift.migration.store import Delete, Update

PRO = {"field": "plan", "equals": "pro"}
USERS: dict[str, dict[str, Any]] = {
    "users/ada": {"plan": "pro", "beta": True, "in": {"age": 30}},
    "users/bob": {"plan": "free", "beta": True, "in": {"age": 30}},
    "users/eve": {"plan": "pro", "beta": 1, "in": {"age": "30"}},
    "users/joe": {"beta": True},
}
LOGS = {
    f"fitness_logs/{user[6:]}{n}": {"userId": user[6:], "plan": "pro" if n else "free"}
    for user in USERS
    for n in (0, 1)
}
BY_ENTITY = {**COPY, "entityCollection": "users"}


def chosen(*where: dict[str, Any]) -> Selection:
    return Selection(to_bucket=10_000, where=tuple(WhereCondition.model_validate(each) for each in where))


CHOSEN: list[tuple[list[dict[str, Any]], set[str]]] = [
    ([PRO], {"ada", "eve"}),
    ([{"field": "plan", "anyOf": ["free", "pro"]}, {"field": "beta", "is": True}], {"ada", "bob"}),
    ([{"field": "in.age", "equalsInteger": 30}], {"ada", "bob"}),
    ([{"field": "beta", "equalsInteger": 1}], {"eve"}),
    ([{"field": "plan", "equals": "none"}], set()),
]


@pytest.mark.parametrize(("where", "expected"), CHOSEN)
@in_virtual_time
async def test_conditions_choose_entities_by_their_documents(where: list[dict[str, Any]], expected: set[str]) -> None:
    store = await seeded(USERS | LOGS)
    counting = CountingStore(store)
    progress = await ran(counting, plan(RunKind.MIGRATE, migration(BY_ENTITY), selection=chosen(*where)))
    assert progress.totals.created == 2 * len(expected)
    assert {
        path.split("/")[1] for path in store.snapshot() if path.endswith("1") and path.startswith("users/")
    } == expected
    assert counting.queried["users", "names"] == len(expected)
    assert counting.queried["fitness_logs", "filtered"] == 2 * len(expected)


@pytest.mark.parametrize(("where", "expected"), CHOSEN)
def test_a_document_is_judged_as_the_database_judges_it(where: list[dict[str, Any]], expected: set[str]) -> None:
    conditions = chosen(*where).where
    assert {path[6:] for path, user in USERS.items() if holds(KIT, conditions, stored(user))} == expected


@in_virtual_time
async def test_conditions_choose_records_where_no_entities_are_listed() -> None:
    store = await seeded(USERS | LOGS)
    counting = CountingStore(store)
    run = plan(RunKind.MIGRATE, migration(COPY), selection=chosen(PRO))
    assert counts(await ran(counting, run)) == {"read": 4, "created": 4}
    assert counting.queried["fitness_logs", "filtered"] == 4
    assert counting.queried["fitness_logs", "scanned"] == 0
    verify = plan(RunKind.VERIFY, migration(COPY), selection=chosen(PRO), verify=VerifyPlan(recheck_seconds=0))
    assert counts(await ran(store, verify)) == {"read": 4, "unchanged": 4}


@pytest.mark.parametrize("base", [COPY, BY_ENTITY])
@in_virtual_time
async def test_a_later_percent_moves_nothing_twice_and_leaves_what_was_deleted(
    base: dict[str, Any],
) -> None:
    store = await seeded(USERS | LOGS)
    spec = migration(base)
    await ran(store, plan(RunKind.MIGRATE, spec, selection=chosen(PRO)))
    await store.commit([Delete("users/ada/fitness_logs/ada1")])
    await store.commit([Update("users/eve/fitness_logs/eve1", stored({"own": 1}), [("own",)], None)])
    everybody = plan(RunKind.MIGRATE, spec, 1, overlaps=True, closing=True)
    assert counts(await ran(store, everybody)) == {"read": 8, "created": 4, "skipped": 1, "unchanged": 3}
    assert await seen(store, "users/ada/fitness_logs/ada1") is None
    await ran(store, plan(RunKind.REVERT, spec, subjects=(everybody.id,)))
    left = {path for path in store.snapshot() if "/fitness_logs/" in path and path.startswith("users/")}
    expected = {"ada0", "eve0", "eve1"} if base is BY_ENTITY else {"bob1", "eve1", "joe1"}
    assert {path.rpartition("/")[2] for path in left} == expected
