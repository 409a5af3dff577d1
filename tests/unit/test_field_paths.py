"""Field paths as people write them, and fields by path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.moving import KIT, plain, stored

from firelift.migration import fields as paths
from firelift.migration.fields import NotAMap, parse, written
from firelift.migration.store import FieldPath

SEGMENTS = st.lists(st.text(min_size=1), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("`a.b`.c", ("a.b", "c")),
        ("odd-name", ("odd-name",)),
        ("`a\\`b\\\\c`", ("a`b\\c",)),
        ("0", ("0",)),
    ],
)
def test_a_written_path_is_its_segments(text: str, path: FieldPath) -> None:
    assert parse(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "`", "``", "`a", "a`b`", "`a`b"])
def test_a_path_that_cannot_be_read_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="field path"):
        parse(text)


@given(SEGMENTS)
def test_every_path_can_be_written_and_read_again(path: FieldPath) -> None:
    assert parse(written(path)) == path


def test_putting_makes_the_maps_on_the_way_and_touches_nothing_else() -> None:
    before = stored({"a": {"x": 1}, "z": 2})
    after = paths.put(KIT, before, ("a", "b", "c"), KIT.encode(3))
    assert plain(after) == {"a": {"x": 1, "b": {"c": 3}}, "z": 2}
    assert plain(before) == {"a": {"x": 1}, "z": 2}
    assert after["z"] is before["z"]


def test_putting_below_a_value_that_is_no_map_is_refused() -> None:
    with pytest.raises(NotAMap, match="'a' is not a map"):
        paths.put(KIT, stored({"a": 1}), ("a", "b"), KIT.encode(2))


def test_removing_the_last_entry_leaves_an_empty_map_as_firestore_does() -> None:
    assert plain(paths.remove(KIT, stored({"a": {"b": 1}}), ("a", "b"))) == {"a": {}}


def test_removing_what_is_not_there_changes_nothing() -> None:
    before = stored({"a": {"b": 1}, "c": 2})
    assert paths.remove(KIT, before, ("a", "x")) == before
    assert paths.remove(KIT, before, ("c", "x")) == before


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, [("a",)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a", "c")]),
        ({}, {"a": {"b": 1}}, [("a",)]),
        ({"a": {"b": 1}}, {}, [("a",)]),
        ({"a": {"b": 1}}, {"a": {}}, [("a", "b")]),
        ({"a": [1]}, {"a": [2]}, [("a",)]),
        ({"a": {}}, {"a": 1}, [("a",)]),
    ],
)
def test_changed_paths_are_the_deepest_that_tell_two_documents_apart(
    before: dict[str, object], after: dict[str, object], changed: list[FieldPath]
) -> None:
    assert list(paths.changed_paths(KIT, stored(before), stored(after))) == changed


def test_covering_paths_hold_everything_but_what_is_ignored() -> None:
    fields = stored({"a": 1, "meta": {"seen": 1, "by": "x"}, "b": {"c": 1}})
    covering = set(paths.covering_paths(KIT, fields, [("meta", "seen"), ("b",)]))
    assert covering == {("a",), ("meta", "by")}


def test_missed_paths_are_those_of_the_wanted_document_alone() -> None:
    there = stored({"a": 1, "b": {"x": 1, "more": 2}, "other": 3})
    wanted = stored({"a": 2, "b": {"x": 1, "y": 2}, "c": None})
    assert list(paths.missed_paths(KIT, there, wanted)) == [("a",), ("b", "y"), ("c",)]
