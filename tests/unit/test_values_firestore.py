"""Firestore values from and to plain Python, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from firelift.stores.firestore.proto import Document, Value, micros, timestamp
from firelift.stores.firestore.values import FieldView, FirestoreValues

KIT = FirestoreValues()
BERLIN = timezone(timedelta(hours=1))


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        (None, "null_value"),
        (True, "boolean_value"),
        (1, "integer_value"),
        (1.0, "double_value"),
        ("1", "string_value"),
        (Text("a subclass"), "string_value"),
        (b"1", "bytes_value"),
        (datetime(2026, 1, 1, tzinfo=UTC), "timestamp_value"),
        ([], "array_value"),
        ((1,), "array_value"),
        ({}, "map_value"),
    ],
)
def test_each_plain_type_has_its_own_kind(plain: object, kind: str) -> None:
    assert KIT.encode(plain).WhichOneof("value_type") == kind


def test_a_stored_value_stays_itself_wherever_it_stands() -> None:
    point = Value()
    point.geo_point_value.latitude = 1.5
    assert KIT.encode(point) is point
    assert KIT.encode({"a": [point]}).map_value.fields["a"].array_value.values[0] == point


@pytest.mark.parametrize(
    ("plain", "error", "sentence"),
    [
        (2**63, ValueError, "an integer does not fit Firestore's 64 bits"),
        (-(2**63) - 1, ValueError, "does not fit"),
        (datetime(2026, 1, 1), ValueError, "a time has no zone"),  # noqa: DTZ001 - a naive one is the point
        ("\ud800", ValueError, "surrogates not allowed"),
        ({"a": {1: 2}}, TypeError, "a map has a key that is a int"),
        ([{1, 2}], TypeError, "a set has no Firestore value"),
        (timedelta(1), TypeError, "a timedelta has no Firestore value"),
    ],
)
def test_what_has_no_stored_form_is_refused_with_its_reason(
    plain: object, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        KIT.encode(plain)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 1, tzinfo=BERLIN), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), 1_767_225_600_000_001),
    ],
)
def test_a_time_is_stored_to_the_microsecond(at: datetime, expected: int) -> None:
    stored = KIT.encode(at)
    assert micros(stored.timestamp_value) == expected
    assert 0 <= stored.timestamp_value.nanos < 1_000_000_000
    assert KIT.decode(stored) == at


def test_nanoseconds_are_rounded_down_as_firestore_does() -> None:
    stored = Value()
    stored.timestamp_value.seconds = -1
    stored.timestamp_value.nanos = 1_999
    assert micros(stored.timestamp_value) == -999_999
    assert micros(timestamp(-999_999)) == -999_999


def vector(*numbers: float) -> Any:
    return KIT.encode({"__type__": "__vector__", "value": list(numbers)})


def test_a_vector_is_one_value_and_not_a_map() -> None:
    assert KIT.decode(vector(1.0, 2.0)) == [1.0, 2.0]
    assert not KIT.is_map(vector(1.0))
    assert KIT.entries(vector(1.0)) == {}


def test_a_map_that_only_looks_like_a_vector_is_a_map() -> None:
    for plain in ({"__type__": "other", "value": [1.0]}, {"value": [1.0]}, {"__type__": "__vector__"}):
        assert KIT.is_map(KIT.encode(plain))
        assert KIT.decode(KIT.encode(plain)) == plain


def test_looking_into_a_map_does_not_change_it() -> None:
    value = KIT.encode({"a": 1})
    before = KIT.dumps(value)
    assert KIT.is_map(value)
    assert KIT.entries(value).get("absent") is None
    with pytest.raises(KeyError):
        KIT.entries(value)["absent"]
    assert KIT.dumps(value) == before


def test_fields_as_read_are_a_mapping_that_reading_does_not_change() -> None:
    message = Document()
    message.fields["a"].integer_value = 1
    view = FieldView(message, message.ByteSize())
    number: object = 1
    assert (view["a"], view.get("b"), "a" in view, "b" in view) == (KIT.encode(1), None, True, False)
    assert number not in view
    with pytest.raises(KeyError, match="b"):
        view["b"]
    assert view == {"a": KIT.encode(1)} == dict(view)
    assert (len(view), list(view), repr(view)) == (1, ["a"], "{'a': integer_value: 1\n}")
    assert list(message.fields) == ["a"]


def test_entries_of_what_is_no_map_are_none() -> None:
    assert KIT.entries(KIT.encode([{"a": 1}])) == {}
    assert KIT.entries(KIT.encode("a")) == {}


def test_a_new_map_is_a_copy() -> None:
    inner = KIT.encode("before")
    made = KIT.new_map({"a": inner})
    inner.string_value = "after"
    assert KIT.decode(made) == {"a": "before"}


def test_a_reference_is_decoded_as_its_path_even_when_the_project_is_called_documents() -> None:
    stored = Value(reference_value="projects/documents/databases/(default)/documents/users/a/documents/b")
    assert KIT.decode(stored) == "users/a/documents/b"


def test_a_geo_point_is_decoded_by_its_coordinates() -> None:
    stored = Value()
    stored.geo_point_value.latitude = -33.5
    assert KIT.decode(stored) == {"latitude": -33.5, "longitude": 0.0}


@pytest.mark.parametrize("encoded", [b"", b"\xfa\x3e\x03new"])
def test_a_kind_of_value_from_the_future_is_kept_but_not_decoded(encoded: bytes) -> None:
    unknown = Value.FromString(encoded)
    assert KIT.dumps(KIT.loads(KIT.dumps(unknown))) == unknown.SerializeToString()
    assert KIT.entries(KIT.new_map({"a": unknown}))["a"].SerializeToString() == unknown.SerializeToString()
    with pytest.raises(TypeError, match="unknown"):
        KIT.decode(unknown)


def test_the_size_is_that_of_the_bytes() -> None:
    for plain in ("x" * 1000, {"a": [1, 2.0, None]}, {}):
        assert KIT.sizes([KIT.encode(plain)]) == KIT.size(KIT.encode(plain)) == len(KIT.dumps(KIT.encode(plain)))


def test_slow_protobuf_is_refused_with_the_remedy() -> None:
    environment = os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    command = [sys.executable, "-c", "import firelift.stores.firestore.values"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert "needs protobuf's C implementation 'upb', and this interpreter has 'python'" in ended.stderr
