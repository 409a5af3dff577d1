"""The three-way merge of a revert."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.moving import KIT, document, plain, stored

from firelift.api.migration import OnExisting
from firelift.migration.existing import Existing
from firelift.migration.image import Image
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.merge import Conflict, Merge, Nothing, Recreate, Remove, Restore, Verdict
from firelift.migration.store import Document, Missing

IGNORED = (("seen",), ("meta", "seen"))
IMAGER = Imager(KIT, IGNORED)
MERGE = Merge(KIT, ((("name",), ("title",)),), IGNORED)

READ, COMMITTED, LIVE = 100, 200, 300

BEFORE = {"name": "x", "n": 1, "deep": {"old": 1, "other": 2}, "app": "a"}
AFTER = {"title": "x", "n": 2, "deep": {"other": 2}, "new": {"made": True}, "app": "a"}


def at(update_time: int, values: dict[str, Any], create_time: int = READ) -> Document:
    return Document("tasks/1", stored(values), create_time, update_time, update_time + 1)


def image(imaged: Imaged | None) -> Image:
    assert imaged
    return imaged.image


UPDATED = image(IMAGER.change(at(READ, BEFORE), stored(AFTER)))
CREATED = image(IMAGER.create("copies/1", stored(AFTER | {"meta": {"by": "us", "seen": 0}}), "tasks/1"))
DELETED = image(Imager(KIT).delete(at(READ, BEFORE)))


def decide(which: Image, current: Document | Missing) -> Verdict:
    return MERGE.decide(which, COMMITTED, current)


def restored(verdict: Verdict) -> dict[str, Any]:
    assert isinstance(verdict, Restore), verdict
    return plain(verdict.fields)


@pytest.mark.parametrize("which", [UPDATED, CREATED])
def test_a_document_that_the_app_has_deleted_stays_deleted(which: Image) -> None:
    assert decide(which, Missing("tasks/1", LIVE)) == Nothing()


def test_an_untouched_document_becomes_what_it_was() -> None:
    assert restored(decide(UPDATED, at(COMMITTED, AFTER))) == BEFORE


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ({"app": "b"}, {"app": "b"}),
        ({"more": 1}, {"more": 1}),
        ({"deep": {"other": 3}}, {"deep": {"old": 1, "other": 3}}),
        ({"title": "edited"}, {"name": "edited"}),
        ({"title": {"now": "a map"}}, {"name": {"now": "a map"}}),
        ({"n": 1}, {"n": 1}),
        ({"name": "both", "title": "both"}, {"name": "both"}),
        ({"name": "old writer"}, {"name": "old writer"}),
    ],
)
def test_live_edits_of_what_we_did_not_change_stay_and_a_rename_carries_its_own_back(
    live: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert restored(decide(UPDATED, at(LIVE, AFTER | live))) == BEFORE | expected


def test_a_field_that_the_app_has_removed_under_its_new_name_stays_removed() -> None:
    current = {name: value for name, value in AFTER.items() if name != "title"}
    assert restored(decide(UPDATED, at(LIVE, current))) == {n: v for n, v in BEFORE.items() if n != "name"}


def test_a_document_that_the_app_has_taken_back_itself_needs_nothing() -> None:
    assert decide(UPDATED, at(LIVE, BEFORE)) == Nothing()


WITH_IGNORED = image(
    IMAGER.change(at(READ, BEFORE | {"seen": 1, "meta": {}}), stored(AFTER | {"seen": 2, "meta": {"seen": 2, "by": 1}}))
)


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ({"app": "b"}, {"app": "b"}),
        ({"seen": 9}, {"seen": 9}),
        ({"meta": {"seen": 9, "by": 1}}, {"meta": {"seen": 9}}),
        ({"meta": {"by": 1}, "seen": "gone"}, {"seen": "gone"}),
    ],
)
def test_what_the_app_has_made_of_an_ignored_field_stays_and_is_no_conflict(
    live: dict[str, Any], expected: dict[str, Any]
) -> None:
    """In place they are written like any other; the app may change them freely all the same."""
    current = AFTER | {"seen": 2, "meta": {"seen": 2, "by": 1}} | live
    verdict = decide(WITH_IGNORED, at(LIVE, current))
    back = BEFORE | {"seen": 1, "meta": {}} | expected
    assert restored(verdict) == back
    assert decide(WITH_IGNORED, at(LIVE + 1, back)) == Nothing()


def test_a_change_beside_an_ignored_field_is_a_conflict() -> None:
    current = AFTER | {"seen": 9, "meta": {"seen": 9, "by": 2}}
    verdict = decide(WITH_IGNORED, at(LIVE, current))
    assert isinstance(verdict, Conflict)
    assert verdict.reason == "the app has changed meta.by since"


@pytest.mark.parametrize(
    ("live", "back"),
    [
        ({"meta": {"by": 1, "seen": 9}}, {"a": 1, "meta": {"seen": 9}}),
        ({"meta": {"by": 1}, "b": 2}, {"a": 1, "b": 2}),
        ({"meta": {"seen": 9}}, None),
    ],
)
def test_a_map_that_we_filled_without_the_ignored_field_goes_but_for_that(
    live: dict[str, Any], back: dict[str, Any] | None
) -> None:
    source, target = at(READ, {}), at(READ, {"a": 1})
    wanted = stored({"a": 1, "meta": {"by": 1, "seen": 0}})
    filled = Existing(OnExisting.FILL_MISSING, IMAGER).decide(source, wanted, target)
    assert isinstance(filled, Imaged)
    verdict = decide(filled.image, at(LIVE, {"a": 1} | live))
    assert (verdict == Nothing()) if back is None else (restored(verdict) == back)


@pytest.mark.parametrize(
    ("live", "where"),
    [
        ({"n": 3}, "n"),
        ({"new": {"made": True, "more": 1}}, "new"),
        ({"deep": {"old": 9, "other": 2}}, "deep.old"),
        ({"deep": "no longer a map"}, "deep.old"),
        ({"name": "both", "title": "edited"}, "name, title"),
    ],
)
def test_what_the_app_has_changed_of_ours_is_a_conflict_and_the_document_stays_whole(
    live: dict[str, Any], where: str
) -> None:
    verdict = decide(UPDATED, at(LIVE, AFTER | live))
    assert isinstance(verdict, Conflict)
    assert verdict.reason == f"the app has changed {where} since"
    assert isinstance(verdict.forced, Restore)
    forced = plain(verdict.forced.fields)
    assert {name: forced.get(name) for name in ("name", "title", "n", "new")} == {
        "name": "x",
        "title": None,
        "n": 1,
        "new": None,
    }


def test_a_map_that_the_app_has_removed_is_not_made_anew() -> None:
    current = {name: value for name, value in AFTER.items() if name != "deep"}
    assert isinstance(decide(UPDATED, at(LIVE, current)), Conflict)


@pytest.mark.parametrize("which", [UPDATED, CREATED])
def test_a_document_that_was_made_anew_is_another_one(which: Image) -> None:
    verdict = decide(which, at(LIVE, AFTER, create_time=LIVE))
    assert isinstance(verdict, Conflict)
    assert "made anew" in verdict.reason


def copy(update_time: int, **live: object) -> Document:
    values = {**AFTER, "meta": {"by": "us", "seen": 0}, **live}
    return Document("copies/1", stored(values), COMMITTED, update_time, update_time + 1)


@pytest.mark.parametrize(
    "current",
    [copy(COMMITTED), copy(LIVE), copy(LIVE, seen=True), copy(LIVE, meta={"by": "us", "seen": 9})],
)
def test_a_copy_with_nothing_but_ours_and_what_is_ignored_goes(current: Document) -> None:
    assert decide(CREATED, current) == Remove()


@pytest.mark.parametrize(
    ("live", "where"),
    [({"n": 3}, "n"), ({"more": 1}, "more"), ({"meta": {"by": "them", "seen": 0}}, "meta.by"), ({"meta": 1}, "meta")],
)
def test_a_copy_that_the_app_has_changed_stays(live: dict[str, Any], where: str) -> None:
    verdict = decide(CREATED, copy(LIVE, **live))
    assert isinstance(verdict, Conflict)
    assert where in verdict.reason
    assert verdict.forced == Remove()


def test_a_copy_that_lost_a_field_to_the_app_stays() -> None:
    current = copy(LIVE)
    fields = {name: value for name, value in current.fields.items() if name != "n"}
    assert isinstance(decide(CREATED, replace(current, fields=fields)), Conflict)


def test_a_deleted_document_comes_back_unless_there_is_another_one() -> None:
    back = decide(DELETED, Missing("tasks/1", LIVE))
    assert isinstance(back, Recreate)
    assert plain(back.fields) == BEFORE
    assert decide(DELETED, at(LIVE, BEFORE, create_time=LIVE)) == Nothing()
    assert isinstance(decide(DELETED, at(LIVE, {"other": 1}, create_time=LIVE)), Conflict)


def test_a_rename_that_shares_its_fields_with_another_operation_is_not_carried_back() -> None:
    # name went to title, and another value was set as name: the app's title has no one field to go back to.
    changed = image(IMAGER.change(document(name="x"), stored({"title": "x", "name": "set"})))
    current = at(LIVE, {"title": "edited", "name": "set"})
    assert isinstance(decide(changed, current), Conflict)


KIND, SIZE = (("kind",), ("meta", "kind")), (("size",), ("meta", "of", "size"))
FLAT = {"kind": "k", "size": 1, "app": "a"}
NESTED = {"meta": {"kind": "k", "of": {"size": 1}, "by": "us"}, "app": "a"}
GROUPED = image(IMAGER.change(at(READ, FLAT), stored(NESTED)))


def regrouped(current: dict[str, Any], which: Image = GROUPED) -> Verdict:
    return Merge(KIT, (KIND, SIZE), ()).decide(which, COMMITTED, at(LIVE, current))


@pytest.mark.parametrize(
    ("meta", "live", "expected"),
    [
        ({"kind": "edited", "of": {"size": 1}, "by": "us"}, {}, {"kind": "edited", "size": 1}),
        ({"kind": {"a": 1}, "of": {"size": 2}, "by": "us"}, {}, {"kind": {"a": 1}, "size": 2}),
        (
            {"kind": "k", "of": {"size": 1, "unit": "m"}, "by": "us", "more": 1},
            {},
            {"kind": "k", "size": 1, "meta": {"of": {"unit": "m"}, "more": 1}},
        ),
        ({"kind": "new", "of": {}, "by": "us"}, {}, {"kind": "new"}),
        ({"of": {"size": 1}}, {"kind": "old writer"}, {"kind": "old writer", "size": 1}),
        ({"kind": "both", "of": {"size": 1}}, {"kind": "both"}, {"kind": "both", "size": 1}),
        ({}, {}, {}),
        (None, {}, {}),
    ],
)
def test_what_a_rename_put_into_a_new_map_is_carried_back_and_the_apps_other_keys_stay(
    meta: dict[str, Any] | None, live: dict[str, Any], expected: dict[str, Any]
) -> None:
    current = {"app": "a", **live, **({} if meta is None else {"meta": meta})}
    verdict = regrouped(current)
    after = {"app": "a", **expected}
    assert (plain(verdict.fields) if isinstance(verdict, Restore) else verdict) == (
        after if after != current else Nothing()
    )
    assert regrouped(after) == Nothing()


@pytest.mark.parametrize(
    "live",
    [
        {"meta": {"kind": "k", "of": {"size": 1}, "by": "them"}},
        {"meta": {"kind": "one", "of": {"size": 1}, "by": "us"}, "kind": "other"},
        {"meta": "no longer a map"},
    ],
)
def test_a_new_map_in_which_the_app_changed_ours_is_a_conflict(live: dict[str, Any]) -> None:
    verdict = regrouped({"app": "a", **live})
    assert isinstance(verdict, Conflict)
    assert verdict.reason == "the app has changed kind, meta, size since"


def test_a_large_new_map_is_one_value() -> None:
    large = {"meta": {"kind": "k", **{f"n{number}": number for number in range(200)}}}
    which = image(IMAGER.change(at(READ, {"kind": "k"}), stored(large)))
    assert set(which.after) == {("kind",), ("meta",)}
    assert isinstance(regrouped({"meta": large["meta"] | {"kind": "edited"}}, which), Conflict)
