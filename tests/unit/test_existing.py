"""What a copy leads to where its target exists."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import KIT, document, plain, stored

from firelift.api.migration import OnExisting
from firelift.migration.existing import Existing, Idle
from firelift.migration.image import Operation, value_hash
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.store import Create, Document, Missing, Update
from firelift.stores.memory.masks import merge

SOURCE = document("logs/1", at=100)
WANTED = stored({"a": 1, "deep": {"b": 2, "c": 3}, "seen": 0})


def decide(policy: OnExisting, target: Document | Missing) -> Imaged | Idle:
    return Existing(policy, Imager(KIT, (("seen",),))).decide(SOURCE, WANTED, target)


def written(policy: OnExisting, target: Document) -> tuple[set[tuple[str, ...]], dict[str, Any]]:
    decision = decide(policy, target)
    assert isinstance(decision, Imaged)
    assert isinstance(decision.write, Update)
    assert decision.write.update_time == target.update_time
    assert decision.image.before.keys() == decision.image.after.keys() == set(decision.write.mask)
    return set(decision.write.mask), plain(decision.write.fields)


@pytest.mark.parametrize("policy", OnExisting)
def test_a_target_that_is_not_there_is_created_with_an_image_of_what_it_becomes(policy: OnExisting) -> None:
    decision = decide(policy, Missing("copies/1", 200))
    assert isinstance(decision, Imaged)
    assert decision.write == Create("copies/1", WANTED)
    image = decision.image
    assert (image.operation, image.source, image.create_time, image.before) == (Operation.CREATE, "logs/1", 0, {})
    assert image.after == {(name,): value_hash(KIT, WANTED[name]) for name in ("a", "deep")}


def test_fill_missing_writes_absent_paths_and_nothing_else() -> None:
    target = document("copies/1", at=50, a="the app's", deep={"c": "the app's"})
    assert written(OnExisting.FILL_MISSING, target) == ({("deep", "b"), ("seen",)} - {("seen",)}, {"deep": {"b": 2}})


def test_fill_missing_leaves_a_value_of_another_type_alone() -> None:
    target = document("copies/1", a=None, deep="not a map")
    assert decide(OnExisting.FILL_MISSING, target) is Idle.UNCHANGED


def test_skip_leaves_whatever_is_there() -> None:
    assert decide(OnExisting.SKIP, document("copies/1")) is Idle.SKIPPED


def test_overwrite_makes_the_target_equal_and_keeps_every_value_that_it_changes() -> None:
    target = document("copies/1", at=150, a=1, deep={"b": 0, "c": 3}, extra="goes", seen=9)
    mask, fields = written(OnExisting.OVERWRITE, target)
    assert mask == {("deep", "b"), ("extra",)}
    assert fields == {"deep": {"b": 2}}


def test_overwrite_of_an_equal_target_is_no_write() -> None:
    assert decide(OnExisting.OVERWRITE, document("copies/1", a=1, deep={"b": 2, "c": 3})) is Idle.UNCHANGED


def masked(policy: OnExisting, there: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any] | None:
    """What the app then has, where `stats.views` is its own; None when nothing is written."""
    decision = Existing(policy, Imager(KIT, (("stats", "views"),))).decide(
        SOURCE, stored(wanted), document("copies/1", at=50, **there)
    )
    if not isinstance(decision, Imaged):
        return None
    assert isinstance(decision.write, Update)
    return plain(merge(stored(there), decision.write.fields, decision.write.mask))


@pytest.mark.parametrize(
    ("there", "wanted", "filled", "overwritten"),
    [
        ({}, {"stats": {"likes": 1, "views": 2}}, {"stats": {"likes": 1}}, {"stats": {"likes": 1}}),
        ({}, {"stats": {"views": 2}}, None, None),
        ({"stats": {}}, {"stats": {"views": 2}}, None, None),
        ({"stats": {"views": 9}}, {"stats": {"likes": 1, "views": 2}}, *[{"stats": {"likes": 1, "views": 9}}] * 2),
        ({"stats": {"views": 9, "old": 3}}, {}, None, {"stats": {"views": 9}}),
        ({"stats": {"old": 3}}, {}, None, {}),
        ({"stats": {"views": 9, "old": 3}}, {"stats": 5}, None, None),
        ({"stats": 5}, {"stats": {"likes": 1, "views": 2}}, None, {"stats": {"likes": 1}}),
    ],
)
def test_an_ignored_field_inside_a_map_is_the_apps_and_the_rest_of_the_map_is_not(
    there: dict[str, Any], wanted: dict[str, Any], filled: object, overwritten: object
) -> None:
    assert masked(OnExisting.FILL_MISSING, there, wanted) == filled
    assert masked(OnExisting.OVERWRITE, there, wanted) == overwritten


@pytest.mark.parametrize(("at", "written_"), [(99, True), (100, False), (101, False)])
def test_keep_newer_overwrites_only_a_target_that_is_older_than_its_source(at: int, written_: object) -> None:
    assert isinstance(decide(OnExisting.KEEP_NEWER, document("copies/1", at=at, a=2)), Imaged) is written_
