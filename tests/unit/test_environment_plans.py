"""What is read from a plan: its digest, its changes, and what they can lose."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.environment_plans import MODULES, change, database, document, index, index_address, ttl, ttl_address

from firelift.api.environment.status import Action
from firelift.environment.document import UnreadablePlan, plan_digest, resource_changes, short

INDEX = MODULES + index_address("by-device")
BASE = document(
    change(INDEX, "create", after=index("telemetry", "device", "-time")),
    change(MODULES + ttl_address("old"), "create", after=ttl("telemetry", "expireAt")),
    change(
        MODULES + "google_firestore_database.this", "update", before=database(), after=database(etag="second", tags={})
    ),
    outputs={"database": {"actions": ["create"], "before": None, "after": "(default)"}},
)


def digested(plan: dict[str, Any], **changes: Any) -> str:
    made_of = {
        "lineage": "a",
        "serial": 3,
        "lock_file": "h1:x",
        "modules": "sha256:m",
        "purpose": "Apply",
        "attempt": 1,
    }
    return plan_digest(plan, **{**made_of, **changes})


@given(order=st.permutations(BASE["resource_changes"]), backwards=st.booleans())
def test_a_digest_does_not_heed_the_order_of_changes_or_of_keys(
    order: list[dict[str, Any]], *, backwards: bool
) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            items = reversed(list(value.items())) if backwards else value.items()
            return {key: turned(each) for key, each in items}
        return [turned(each) for each in value] if isinstance(value, list) else value

    assert digested(turned({**BASE, "resource_changes": order})) == digested(BASE)


def test_what_stays_as_it_is_and_what_google_changes_by_itself_do_not_count() -> None:
    other = copy.deepcopy(BASE)
    other["resource_changes"].append(change("google_project.this", "no-op", before={"a": 1}, after={"a": 1}))
    other["resource_changes"].append(change("data.google_project.this", "read", mode="data"))
    other["resource_changes"][2]["change"]["before"]["etag"] = "third"
    other["timestamp"] = "2026-11-21T09:00:00Z"
    other["output_changes"]["same"] = {"actions": ["no-op"], "before": 1, "after": 1}
    assert digested(other) == digested(BASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"lineage": "b"},
        {"serial": 4},
        {"lock_file": "h1:y"},
        {"modules": "sha256:n"},
        {"purpose": "Drift"},
        {"attempt": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_digest_changes_with_what_the_plan_was_made_of(changes: dict[str, Any]) -> None:
    assert digested(BASE, **changes) != digested(BASE)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [found for place, each in enumerate(value) for found in leaves(each, (*path, place))]
    return [path]


VALUES = [
    path
    for part in ("resource_changes", "output_changes")
    for path in leaves(BASE[part], (part,))
    if path[-1] not in {"etag", "mode", "type", "name", "index"} and "actions" not in path
]


@pytest.mark.parametrize("path", VALUES, ids=lambda path: ".".join(map(str, path)))
def test_any_change_of_a_value_changes_the_digest(path: tuple[Any, ...]) -> None:
    other = copy.deepcopy(BASE)
    at: Any = other
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = "another"
    assert digested(other) != digested(BASE)


@pytest.mark.parametrize("path", [("resource_changes", 0), ("resource_changes", 1), ("resource_changes", 2)])
def test_a_change_that_is_left_out_or_acts_otherwise_changes_the_digest(path: tuple[str, int]) -> None:
    without, otherwise = copy.deepcopy(BASE), copy.deepcopy(BASE)
    del without[path[0]][path[1]]
    otherwise[path[0]][path[1]]["change"]["actions"] = ["delete", "create"]
    assert len({digested(BASE), digested(without), digested(otherwise)}) == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ('module.environment.module.firestore.google_firestore_index.composite["a"]', index_address("a")),
        ('module.a["x.y"].module.b[0].google_project.this', "google_project.this"),
        ("terraform_data.x", "terraform_data.x"),
        ('module.a.module.b.terraform_data.x["module.c.d"]', 'terraform_data.x["module.c.d"]'),
    ],
)
def test_addresses_are_told_without_their_modules(address: str, expected: str) -> None:
    assert short(address) == expected


def test_addresses_that_would_be_the_same_keep_their_modules() -> None:
    plan = document(*(change(f"module.{name}.google_project.this", "create", after={}) for name in "ab"))
    found = [each.address for each in resource_changes(plan)]
    assert found == ["module.a.google_project.this", "module.b.google_project.this"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {**BASE, "errored": True},
        {**BASE, "resource_changes": [{"address": "a"}]},
        {**BASE, "resource_changes": [change("a.b", "explode")]},
    ],
    ids=["nothing", "errored", "no actions", "an action that nobody knows"],
)
def test_a_plan_that_is_not_whole_is_not_read(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadablePlan):
        resource_changes(broken)


def test_an_import_that_changes_nothing_is_shown_as_an_import() -> None:
    (found,) = resource_changes(document(change(INDEX, "no-op", before={}, after={}, importing={"id": "projects/p/x"})))
    assert (found.action, found.importing) == (Action.IMPORT, "projects/p/x")
