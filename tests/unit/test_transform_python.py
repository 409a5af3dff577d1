"""Transforms in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from math import nan
from typing import Any

import pytest
from google.type.latlng_pb2 import LatLng
from tests.moving import KIT, NOW, document, plain

from firelift.functions import Context
from firelift.migration.entrypoint import Entrypoint
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields
from firelift.migration.transform.names import NOTHING
from firelift.migration.transform.plain import same
from firelift.migration.transform.view import View
from firelift.stores.firestore.proto import Value

POINT = Value(geo_point_value=LatLng(latitude=1, longitude=2))
REFERENCE = Value(reference_value="projects/p/databases/d/documents/users/ada")
VECTOR = KIT.new_map({"__type__": KIT.encode("__vector__"), "value": KIT.encode([1.0, 2.0])})

SOURCE = document("logs/1", n=1, point=POINT, ref=REFERENCE, vector=VECTOR, points=[POINT, POINT], deep={"p": POINT})

Function = Callable[[dict[str, Any], Context], Any]


def run(function: Function, source: Document = SOURCE) -> Fields | None:
    return Entrypoint("tests:function", function)(View(KIT, source, "ada", NOW, NOTHING))


def refused(function: Function) -> str:
    with pytest.raises(Refused) as error:
        run(function)
    assert error.value.rule == "transform.python tests:function"
    return error.value.whole


def test_what_comes_back_as_it_went_is_the_very_value_that_was_stored() -> None:
    fields = run(lambda doc, _: {**doc, "n": doc["n"] + 1})
    assert fields is not None
    assert plain(fields)["n"] == 2
    assert all(fields[name] is SOURCE.fields[name] for name in SOURCE.fields if name != "n")


def test_a_value_that_is_moved_keeps_its_type() -> None:
    fields = run(lambda doc, _: {"place": doc["point"], "list": [doc["vector"], doc["points"][1]], "r": doc["ref"]})
    assert fields is not None
    assert fields["place"] is POINT
    assert fields["r"] is REFERENCE
    assert KIT.items(fields["list"]) == [VECTOR, POINT]


def test_what_stays_in_a_list_or_a_map_that_changes_keeps_its_type() -> None:
    def change(doc: dict[str, Any], _: Context) -> dict[str, Any]:
        doc["points"].append("more")
        doc["deep"]["q"] = 1
        return doc

    fields = run(change)
    assert fields is not None
    assert KIT.items(fields["points"])[:2] == [POINT, POINT]
    assert KIT.entries(fields["deep"])["p"] == POINT


@pytest.mark.parametrize(
    "changed",
    [
        {"point": {"latitude": 9.0, "longitude": 2.0}},
        {"point": [1.0, 2.0]},
        {"vector": [1.0, 3.0]},
        {"ref": "users/bob"},
        {"ref": "users/ada "},
        {"deep": {"p": {}}},
    ],
)
def test_a_kind_that_plain_data_cannot_tell_is_refused_when_it_is_changed(changed: dict[str, Any]) -> None:
    reason = refused(lambda doc, _: {**doc, **changed})
    assert "a reference, a geo point or a vector was changed" in reason


@pytest.mark.parametrize("value", [None, 5, b"x", "users/ada"])
def test_what_stands_under_such_a_name_may_become_another_kind(value: object) -> None:
    fields = run(lambda doc, _: {**doc, "ref": value})
    assert fields is not None
    assert plain(fields)["ref"] == value
    assert (fields["ref"] is REFERENCE) is (value == "users/ada")


def test_none_leaves_the_record_alone() -> None:
    assert run(lambda _, __: None) is None


def test_the_context_says_whose_record_it_is_and_cannot_be_changed() -> None:
    contexts: list[Context] = []

    def look(doc: dict[str, Any], context: Context) -> dict[str, Any]:
        contexts.append(context)
        return doc

    run(look)
    assert contexts == [Context("1", "logs/1", "ada", NOW)]
    with pytest.raises(FrozenInstanceError):
        contexts[0].id = "2"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda _, __: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda _, __: [1], "answered a list"),
        (lambda _, __: {1: 2}, "names are strings"),
        (lambda _, __: {"a": object()}, "object has no Firestore value"),
        (lambda _, __: {"a": 2**70}, "64 bits"),
    ],
)
def test_a_function_that_fails_is_a_dead_letter_with_its_reason(function: Function, reason: str) -> None:
    assert reason in refused(function)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [(1, 1.0, False), (True, 1, False), (nan, nan, True), (0.0, -0.0, False), ([1, {"a": 2}], [1, {"a": 2}], True)],
)
def test_plain_data_are_the_same_in_type_and_content(one: object, other: object, equal: object) -> None:
    assert same(one, other) is equal
