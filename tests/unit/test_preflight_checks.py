"""What of a migration can be told before anything has run, from its words and its code alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, KIT, NOW, migration

from firelift.api.plan import Check, CheckVerdict
from firelift.migration.preflight.checks import spoken

FAIL, WARN, PASS = CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.PASS
WEEK = 7 * 86_400


def checked(*specs: dict[str, Any], base: dict[str, Any] = COPY) -> dict[str, Check]:
    migrations = [migration(base, **changes) for changes in specs]
    return {check.check: check for check in spoken(migrations, KIT, NOW, WEEK)}


@pytest.mark.parametrize(
    ("transform", "verdict", "says"),
    [
        ({"set": {"a": "doc.b + 1"}}, PASS, "compile"),
        ({"set": {"a": "doc.b +"}}, FAIL, "correct migration fitness-logs"),
        ({"python": {"entrypoint": "tests.moving:shouting"}}, PASS, "imports, and takes (doc, context)"),
        ({"python": {"entrypoint": "tests.nowhere:shouting"}}, FAIL, "importable in the worker's image"),
        ({"python": {"entrypoint": "tests.moving:NOTHING"}}, FAIL, "NOTHING"),
        ({"python": {"entrypoint": "json:dumps"}}, FAIL, "cannot be called with these two"),
    ],
)
def test_a_transform_must_compile_or_import_and_be_callable(
    transform: dict[str, Any], verdict: CheckVerdict, says: str
) -> None:
    check = checked({"transform": transform})["transform fitness-logs"]
    assert check.verdict is verdict
    assert says in check.message


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"transform": {"rename": {"a": "b.c"}}}, PASS),
        ({"transform": {"rename": {"a": "__type__"}}}, FAIL),
        ({"transform": {"set": {"m.__x__": "1"}}}, FAIL),
        ({"transform": {"set": {"firelift_state": "1"}}}, FAIL),
        ({"transform": {"set": {"firelift": "1"}}}, PASS),
    ],
)
def test_reserved_names_are_refused(changes: dict[str, Any], verdict: CheckVerdict) -> None:
    assert checked(changes)["names fitness-logs"].verdict is verdict


@pytest.mark.parametrize(
    ("base", "changes", "says"),
    [
        (IN_PLACE, {"transform": {"rename": {"name": "title"}, "remove": ["old"]}}, "removed in place: old"),
        (
            IN_PLACE,
            {"transform": {"python": {"entrypoint": "tests.moving:shouting"}}},
            "may replace any field in place",
        ),
        (COPY, {"onExisting": "Overwrite"}, "onExisting: Overwrite replaces"),
        (COPY, {"transform": {"remove": ["old"]}}, ""),
        (IN_PLACE, {}, ""),
    ],
)
def test_what_no_revert_gives_back_after_the_retention_is_said(
    base: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    found = next((check for name, check in checked(changes, base=base).items() if name.startswith("lossy")), None)
    assert (found is None) == (says == "")
    if found is not None:
        assert found.verdict is WARN
        assert says in found.message
        assert "for 7.0 days after the end" in found.message


OTHER = {"name": "other", "source": {"collection": "others"}}


@pytest.mark.parametrize(
    ("one", "other", "verdict", "says"),
    [
        ({}, {**OTHER, "target": {"document": "teams/{id}"}}, PASS, "no target is another"),
        (
            {},
            {**OTHER, "target": {"document": "users/{id}/fitness_logs/{doc.n}"}},
            WARN,
            "the one that runs first wins",
        ),
        (
            {"onExisting": "Overwrite"},
            {**OTHER, "target": {"document": "users/{id}/fitness_logs/{doc.n}"}},
            FAIL,
            "overwrites the other's fields",
        ),
        (
            {},
            {"name": "other", "source": {"collectionGroup": "fitness_logs"}, "target": {"document": "x/{id}"}},
            WARN,
            "other reads what fitness-logs writes",
        ),
        (
            {},
            {"name": "other", "source": {"collection": "users/ada/fitness_logs"}, "target": {"document": "x/{id}"}},
            WARN,
            "other reads what fitness-logs writes",
        ),
        (
            {"target": {"document": "others/{id}"}},
            {**OTHER, "target": {"document": "x/{id}"}},
            WARN,
            "split them into phases",
        ),
    ],
)
def test_migrations_that_get_into_each_others_way_are_named(
    one: dict[str, Any], other: dict[str, Any], verdict: CheckVerdict, says: str
) -> None:
    found = [check for name, check in checked(one, other).items() if name.startswith("targets")]
    assert [check.verdict for check in found] == [verdict]
    assert says in found[0].message


def test_two_changes_in_place_of_one_collection_are_named() -> None:
    found = checked(
        {}, {"name": "again", "appliesWhen": "!has(doc.x)", "transform": {"set": {"x": "1"}}}, base=IN_PLACE
    )
    assert found["targets tasks, again"].verdict is WARN
    assert "both change documents of tasks in place" in found["targets tasks, again"].message
