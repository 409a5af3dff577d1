"""What of a migration can be told before anything has run, from its words and its code alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, KIT, NOW, migration
from tests.unit.test_aggregates import DAILY

from firelift.api.plan import Check, CheckVerdict, SourceSample
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


def marked(document: str = "users/{entity}/meta/migration", **sets: str) -> dict[str, Any]:
    """A migration of listed entities, with a marker."""
    return {"entityCollection": "users", "entityMarker": {"document": document, "set": sets or {"state": "'done'"}}}


@pytest.mark.parametrize(
    ("text", "verdict", "says"),
    [
        ("string(now) + entity", PASS, "compile"),
        ("nosuch(1)", FAIL, "entityMarker.set.state"),
        ("1 +", FAIL, "entityMarker.set.state"),
        ("doc.userId", FAIL, "a marker speaks of no one document"),
    ],
)
def test_a_marker_must_compile(text: str, verdict: CheckVerdict, says: str) -> None:
    check = checked(marked(state=text))["transform fitness-logs"]
    assert check.verdict is verdict
    assert says in check.message


def aggregate(**changes: Any) -> dict[str, Any]:
    return {"target": {"aggregate": {**DAILY["target"]["aggregate"], **changes}}}


@pytest.mark.parametrize(
    ("base", "changes", "named"),
    [
        (COPY, marked(__x__="1"), "__x__"),
        (COPY, marked(**{"m.firelift_x": "1"}), "firelift_x"),
        (DAILY, aggregate(set={"__n__": {"count": "true"}}), "__n__"),
        (DAILY, aggregate(fingerprintField="made.firelift_x"), "firelift_x"),
        (COPY, {"reverse": {"document": "old/{id}", "transform": {"set": {"__old__": "1"}}}}, "__old__"),
    ],
)
def test_reserved_names_are_refused_wherever_they_would_be_written(
    base: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    check = checked(changes, base=base)[f"names {base['name']}"]
    assert (check.verdict, check.message.split()[0]) == (FAIL, named)


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
        (COPY, {"onExisting": "KeepNewer"}, "onExisting: KeepNewer replaces"),
        (IN_PLACE, {"transform": {"set": {"price": "doc.price * 100"}}}, "may be overwritten in place: price"),
        (IN_PLACE, {"transform": {"set": {"cents": "doc.price * 100"}}}, ""),
        (
            IN_PLACE,
            {"transform": {"set": {"price": "doc.price * 100"}, "rename": {"price": "euros"}}},
            "",
        ),
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


def sample(**changes: Any) -> SourceSample:
    return SourceSample(migration="tasks", sampled=50, transformed=50, **{"produced": 50, **changes})


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (sample(overwritten=("price",)), "fields are overwritten in place: price"),
        (sample(), ""),
        (sample(produced=0, left_alone=50), "fields may be overwritten in place: price"),
    ],
)
def test_whether_a_field_is_new_is_told_by_the_documents_that_were_tried(found: SourceSample, says: str) -> None:
    spec = migration(IN_PLACE, transform={"set": {"price": "has(doc.price) ? doc.price : 0"}})
    checks = [each for each in spoken([spec], KIT, NOW, WEEK, [found]) if each.check.startswith("lossy")]
    assert [says in check.message for check in checks] == [True] * bool(says)


def own_record(**changes: Any) -> dict[str, Any]:
    """A migration whose records are their entities, marked on the records."""
    source = {"source": {"collection": "users"}, "target": {"document": "profiles/{id}"}}
    return {**marked("users/{entity}", **{"moved.at": "now"}), **source, **changes}


RENAMED = {"appliesWhen": "!has(doc.title)", "transform": {"rename": {"name": "title"}}}
OTHER = {"name": "other", "source": {"collection": "others"}}
META = "users/{entity}/meta/migration"


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


@pytest.mark.parametrize(
    ("one", "other", "verdict", "says"),
    [
        (marked(), {**OTHER, **marked("users/{entity}/meta/other")}, PASS, "no target is another"),
        ({**marked(), "source": {"collectionGroup": "meta"}}, OTHER, FAIL, "its entity marker users/{entity}/meta"),
        ({**marked("notes/{entity}"), "source": {"collection": "notes"}}, OTHER, FAIL, "its own source"),
        (own_record(), OTHER, WARN, "name moved.at in ignoreFields or in transform.remove"),
        (own_record(ignoreFields=["moved"]), OTHER, PASS, "no target is another"),
        (own_record(ignoreFields=["moved.at.last"]), OTHER, WARN, "copies that lack moved.at, until a sweep"),
        (own_record(transform={"remove": ["moved.at"]}), OTHER, PASS, "no target is another"),
        (own_record(target={"inPlace": {}}, **RENAMED), OTHER, PASS, "no target is another"),
        (
            own_record(target={"inPlace": {}}, appliesWhen="true", transform={"set": {"moved": "{}"}}),
            OTHER,
            WARN,
            "the transform may write moved.at too, and who reverts cannot tell the two apart",
        ),
        ({**own_record(), "entityCollection": "accounts"}, OTHER, FAIL, "no document of entityCollection accounts"),
        ({**own_record(), **marked("users/of-{entity}")}, OTHER, FAIL, "read what it writes as another record"),
        (
            {**marked("moved/{entity}"), "entityCollection": "users_eu"},
            {**OTHER, **marked("moved/{entity}"), "entityCollection": "users_us"},
            WARN,
            "for the entities of users_eu and of users_us: an id that is in both",
        ),
        (marked(), {**OTHER, **marked()}, FAIL, "both set state of their entity marker users/{entity}/meta/migration"),
        (marked(logs="1"), {**OTHER, **marked(others="1")}, WARN, "have one entity marker, each its own fields of it"),
        (marked(**{"by.logs": "1"}), {**OTHER, **marked(by="{}")}, FAIL, "both set by.logs"),
        (
            marked(),
            {**OTHER, "target": {"document": "users/{id}/meta/migration"}},
            WARN,
            "other writes users/{id}/meta/migration, where the entity marker of fitness-logs is",
        ),
        (
            {**marked(), "source": {"collection": "old"}, "target": {"document": "users/{entity}/meta/migration"}},
            OTHER,
            WARN,
            "fitness-logs writes users/{entity}/meta/migration, where its own entity marker is",
        ),
        (
            marked(),
            {"name": "other", "source": {"collectionGroup": "meta"}, "target": {"document": "x/{id}"}},
            WARN,
            "other reads what fitness-logs writes, users/{entity}/meta/migration",
        ),
    ],
)
def test_an_entity_marker_is_a_target_too(
    one: dict[str, Any], other: dict[str, Any], verdict: CheckVerdict, says: str
) -> None:
    other = {"target": {"document": "teams/{id}"}, **other}
    found = [check for name, check in checked(one, other).items() if name.startswith("targets")]
    assert [check.verdict for check in found] == [verdict]
    assert says in found[0].message


def test_two_changes_in_place_of_one_collection_are_named() -> None:
    found = checked(
        {}, {"name": "again", "appliesWhen": "!has(doc.x)", "transform": {"set": {"x": "1"}}}, base=IN_PLACE
    )
    assert found["targets tasks, again"].verdict is WARN
    assert "both change documents of tasks in place" in found["targets tasks, again"].message
