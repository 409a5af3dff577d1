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


@pytest.mark.parametrize(("at", "written_"), [(99, True), (100, False), (101, False)])
def test_keep_newer_overwrites_only_a_target_that_is_older_than_its_source(at: int, written_: object) -> None:
    assert isinstance(decide(OnExisting.KEEP_NEWER, document("copies/1", at=at, a=2)), Imaged) is written_
