"""Every kind of value goes through every store unharmed, byte for byte, under every field name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.contract.plain import found, stored

from firelift.migration.store import Create, Put, Source, Store, Update
from firelift.stores.firestore.proto import Value, timestamp

REFERENCE = "projects/another/databases/(default)/documents/users/ada/logs/1"


def point(latitude: float, longitude: float) -> Any:
    value = Value()
    value.geo_point_value.latitude = latitude
    value.geo_point_value.longitude = longitude
    return value


def instant(micros: int) -> Any:
    return Value(timestamp_value=timestamp(micros))


def array(*items: Any) -> Any:
    value = Value()
    value.array_value.values.extend(items)
    value.array_value.SetInParent()
    return value


def mapping(entries: dict[str, Any]) -> Any:
    value = Value()
    value.map_value.SetInParent()
    for name, item in entries.items():
        value.map_value.fields[name].CopyFrom(item)
    return value


def vector(*numbers: float) -> Any:
    tag = Value(string_value="__vector__")
    return mapping({"__type__": tag, "value": array(*(Value(double_value=number) for number in numbers))})


VALUES = {
    "null": Value(null_value=0),
    "true": Value(boolean_value=True),
    "false": Value(boolean_value=False),
    "zero": Value(integer_value=0),
    "largest integer": Value(integer_value=2**63 - 1),
    "smallest integer": Value(integer_value=-(2**63)),
    "double that is whole": Value(double_value=1.0),
    "negative zero": Value(double_value=-0.0),
    "not a number": Value(double_value=float("nan")),
    "infinity": Value(double_value=float("inf")),
    "smallest double": Value(double_value=5e-324),
    "largest double": Value(double_value=1.7976931348623157e308),
    "time to the microsecond": instant(1_735_689_600_123_456),
    "time before the epoch": instant(-1),
    "first time": instant(-62_135_596_800_000_000),
    "last time": instant(253_402_300_799_999_999),
    "empty string": Value(string_value=""),
    "string with everything": Value(string_value="a\u0000\n\u00e9\u4e2d\U0001f600\ufeff"),
    "empty bytes": Value(bytes_value=b""),
    "bytes": Value(bytes_value=bytes(range(256))),
    "reference": Value(reference_value=REFERENCE),
    "geo point": point(-33.8675, 151.207),
    "geo point at zero": point(0, -180),
    "empty array": array(),
    "mixed array": array(Value(null_value=0), Value(integer_value=1), Value(string_value="x"), mapping({})),
    "empty map": mapping({}),
    "nested": mapping({"a": array(mapping({"b": array(point(1, 2), Value(reference_value=REFERENCE))}))}),
    "vector": vector(1.0, -0.0, 3.5),
    "nested vector": mapping({"embedding": vector(0.25)}),
}

NAMES = [
    "simple", "_under", "with space", "a.b", ".", "..", "a`b", "`", "``", "a\\b", "\\", "\\`", "`\\", "1first", "0",
    "a-b", "a/b", "*", "[0]", "~", "\u00e9", "\U0001f600", "'", '"', "a\nb", "\u0000", "true", "null", "__", "_a_",
    "x" * 740,
]  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
async def test_a_value_is_read_as_the_bytes_that_were_written(store: Store, kind: str) -> None:
    value = VALUES[kind]
    await store.commit([Put("kinds/one", {"value": value, "list": array(mapping({"inside": value}))})])
    fields = (await found(store, "kinds/one")).fields
    assert store.values.dumps(fields["value"]) == value.SerializeToString(deterministic=True)
    inside = fields["list"].array_value.values[0].map_value.fields["inside"]
    assert store.values.dumps(inside) == value.SerializeToString(deterministic=True)


@pytest.mark.parametrize("kind", VALUES)
async def test_a_value_that_was_read_is_written_back_as_no_change(store: Store, kind: str) -> None:
    first = await store.commit([Create("kinds/one", {"value": VALUES[kind]})])
    read = await found(store, "kinds/one")
    again = await store.commit([Update("kinds/one", read.fields, [("value",)], read.update_time)])
    assert list(again.update_times) == list(first.update_times)
    copied = await store.commit([Create("kinds/copy", read.fields)])
    copy = await found(store, "kinds/copy")
    assert store.values.dumps(copy.fields["value"]) == store.values.dumps(read.fields["value"])
    assert copy.update_time == copied.commit_time


async def test_zero_and_negative_zero_and_an_integer_are_three_values(store: Store) -> None:
    await store.commit([Create("kinds/one", stored(store, {"n": 0.0}))])
    for number in (-0.0, 0):
        fields = stored(store, {"n": number})
        committed = await store.commit([Update("kinds/one", fields, [("n",)], None)])
        assert list(committed.update_times) == [committed.commit_time]
        read = (await found(store, "kinds/one")).fields["n"]
        assert store.values.dumps(read) == store.values.dumps(fields["n"])


async def test_microseconds_of_a_plain_time_are_kept(store: Store) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    await store.commit([Create("kinds/one", stored(store, {"at": at}))])
    assert store.values.decode((await found(store, "kinds/one")).fields["at"]) == at


@pytest.mark.parametrize("name", NAMES)
async def test_a_mask_reaches_a_field_of_any_name_at_any_depth(store: Store, name: str) -> None:
    neighbours = {"keep": 1, "a": {"b": 2}, "a.b.c": 3}
    whole = neighbours | {name: {name: 1, "other": 2}}
    await store.commit([Create("names/one", stored(store, whole))])
    changed = stored(store, {name: {name: "changed"}})
    await store.commit([Update("names/one", changed, [(name, name)], None)])
    [masked] = await store.get(["names/one"], mask=[(name, name)])
    assert store.values.decode(store.values.new_map(masked.fields)) == {name: {name: "changed"}}  # type: ignore[union-attr]
    [page] = (await store.page(Source("names"), limit=1, mask=[(name, name)])).documents
    assert store.values.decode(store.values.new_map(page.fields)) == {name: {name: "changed"}}
    await store.commit([Update("names/one", {}, [(name, name)], None)])
    after = store.values.decode(store.values.new_map((await found(store, "names/one")).fields))
    assert after == neighbours | {name: {"other": 2}}
    await store.commit([Update("names/one", {}, [(name,)], None)])
    after = store.values.decode(store.values.new_map((await found(store, "names/one")).fields))
    assert after == neighbours
