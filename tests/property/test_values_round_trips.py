"""Values and field paths survive every conversion, whatever they are."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firelift.migration.overlay import Overlay
from firelift.migration.path_order import order
from firelift.migration.store import Create, Fields
from firelift.stores.firestore.commits import commit_request
from firelift.stores.firestore.names import DatabaseName, escape
from firelift.stores.firestore.proto import CommitRequest, Document
from firelift.stores.firestore.values import FieldView, FirestoreValues, put_fields
from firelift.stores.firestore.whole import MOST_BYTES, WholeFields
from firelift.stores.memory.masks import find, merge, select

KIT = FirestoreValues()

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=True),
    TEXT,
    st.binary(max_size=12),
    TIMES,
)
PLAIN = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(TEXT, PLAIN, max_size=5)
PATHS = st.lists(TEXT, min_size=1, max_size=4).map(tuple)


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, 0.0 from -0.0, and knows NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (one == other and str(one) == str(other))
    return bool(one == other)


@given(PLAIN)
def test_plain_data_comes_back_as_it_was(plain: Any) -> None:
    assert same(KIT.decode(KIT.encode(plain)), plain)


@given(PLAIN)
def test_stored_values_come_back_from_bytes(plain: Any) -> None:
    value = KIT.encode(plain)
    again = KIT.loads(KIT.dumps(value))
    assert KIT.dumps(again) == KIT.dumps(value)
    assert same(KIT.decode(again), plain)


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_show_in_the_bytes(plain: dict[str, Any], random: Any) -> None:
    names = list(plain)
    random.shuffle(names)
    assert KIT.dumps(KIT.encode(plain)) == KIT.dumps(KIT.encode({name: plain[name] for name in names}))


@given(PLAIN, PLAIN)
def test_different_data_have_different_bytes(one: Any, other: Any) -> None:
    assert (KIT.dumps(KIT.encode(one)) == KIT.dumps(KIT.encode(other))) == same(one, other)


@given(st.lists(st.text(alphabet="a0_.`\\ \u00e9\n-/", max_size=6) | TEXT, min_size=1, max_size=4).map(tuple))
def test_an_escaped_field_path_is_read_back_as_its_names(path: tuple[str, ...]) -> None:
    assert parse(escape(path)) == path


def parse(text: str) -> tuple[str, ...]:
    """Firestore's grammar: names joined by dots; in backticks a backslash takes the next character as it is."""
    names: list[str] = []
    position = 0
    while True:
        name, position = quoted(text, position + 1) if text[position] == "`" else simple(text, position)
        names.append(name)
        if position == len(text):
            return tuple(names)
        assert text[position] == "."
        position += 1


def simple(text: str, position: int) -> tuple[str, int]:
    end = text.find(".", position)
    end = len(text) if end < 0 else end
    name = text[position:end]
    assert name.isascii()
    assert name.isidentifier()
    return name, end


def quoted(text: str, position: int) -> tuple[str, int]:
    name = ""
    while text[position] != "`":
        position += text[position] == "\\"
        name += text[position]
        position += 1
    return name, position + 1


@given(DOCUMENTS, DOCUMENTS, st.lists(PATHS, max_size=3))
def test_a_masked_update_makes_the_masked_paths_those_of_its_fields(
    before: dict[str, Any], changes: dict[str, Any], mask: list[tuple[str, ...]]
) -> None:
    apart = [path for path in mask if not any(path[: len(other)] == other for other in mask if other != path)]
    apart = [path for path in apart if not any(other[: len(path)] == path for other in apart if other != path)]
    stored = {name: KIT.encode(value) for name, value in before.items()}
    wanted = {name: KIT.encode(value) for name, value in changes.items()}
    after = merge(stored, wanted, apart)
    for path in apart:
        assert as_bytes(find(after, path)) == as_bytes(find(wanted, path))
    touched = {path[0] for path in apart}
    for name in stored.keys() - touched:
        assert after[name] is stored[name]
    assert after.keys() - touched == stored.keys() - touched


def as_bytes(value: Any) -> bytes | None:
    return None if value is None else KIT.dumps(value)


@given(DOCUMENTS)
def test_a_mask_of_all_names_is_the_whole_document(plain: dict[str, Any]) -> None:
    stored = {name: KIT.encode(value) for name, value in plain.items()}
    assert select(stored, [(name,) for name in stored]) == stored
    assert select(stored, []) == {}


IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=5)


@given(st.lists(st.lists(IDS, min_size=1, max_size=4), min_size=2, max_size=2))
def test_a_path_sorts_before_its_descendants_and_segments_by_their_bytes(paths: list[list[str]]) -> None:
    one, other = ("/".join(segments) for segments in paths)
    assert order(one) < order(f"{one}/child")
    encoded = [[segment.encode() for segment in segments] for segments in paths]
    assert (order(one) < order(other)) == (encoded[0] < encoded[1])


@given(DOCUMENTS, st.dictionaries(TEXT, st.none() | PLAIN, max_size=4), st.sampled_from([0, 200, 70_000]))
def test_fields_in_one_piece_are_the_fields_that_they_were_made_of(
    read: dict[str, Any], changed: dict[str, Any], padding: int
) -> None:
    message = Document(name="a/b")
    put_fields(message.fields, {name: KIT.encode(plain) for name, plain in {**read, "long": "x" * padding}.items()})
    kept = {name: None if plain is None else KIT.encode(plain) for name, plain in changed.items()}
    fields = Overlay(FieldView(message, message.ByteSize()), kept)
    whole = KIT.whole(fields)
    written, wanted = commit_of(whole), commit_of(dict(fields.items()))
    assert written.SerializeToString(deterministic=True) == wanted.SerializeToString(deterministic=True)
    assert KIT.dumped(whole) == KIT.dumped(fields) == {name: KIT.dumps(value) for name, value in whole.items()}
    assert (whole.keys(), len(whole)) == (fields.keys(), len(fields))
    assert KIT.weight(whole) >= KIT.weight(fields) == KIT.sizes(fields.values())
    assert isinstance(whole, WholeFields) is (padding < MOST_BYTES)


def commit_of(fields: Fields) -> Any:
    return CommitRequest.FromString(commit_request(DatabaseName("p"), [Create("a/b", fields)]))
