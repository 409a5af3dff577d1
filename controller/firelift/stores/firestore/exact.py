"""Plain data that tell every type of Firestore apart: what tests write down, and compare with.

The plain values that expressions and functions see cannot: there a reference is text, a geo point a map and a vector a
list. Here each is a class of its own, and everything else is as `FirestoreValues` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.type.latlng_pb2 import LatLng

from firelift.stores.firestore.proto import Document, Message, Value
from firelift.stores.firestore.values import VECTOR, VECTOR_TAG, FirestoreValues

DATABASE = "projects/test/databases/(default)/documents/"
"""Where references of tests lead; a reference that is read tells only its path."""

KIT = FirestoreValues()


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a document by its path within the database: ``users/ada``."""

    path: str


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """Degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Vector:
    """An embedding."""

    values: tuple[float, ...]


def to_stored(plain: object) -> Message:
    """A stored value.

    Raises:
        TypeError, ValueError: for what Firestore has no value for.
    """
    match plain:
        case Reference(path):
            return Value(reference_value=DATABASE + path)
        case GeoPoint(latitude, longitude):
            return Value(geo_point_value=LatLng(latitude=latitude, longitude=longitude))
        case Vector(values):
            tagged = {VECTOR_TAG: KIT.encode(VECTOR), "value": KIT.encode([float(each) for each in values])}
            return KIT.new_map(tagged)
        case Mapping():
            return KIT.new_map(fields_to_stored(plain))
        case list() | tuple():
            return KIT.new_list([to_stored(item) for item in plain])
    return KIT.encode(plain)


def fields_to_stored(plain: Mapping[str, object]) -> dict[str, Message]:
    """Stored fields; raises as `to_stored`."""
    return {name: to_stored(value) for name, value in plain.items()}


def from_stored(value: Message) -> Any:
    """The inverse of `to_stored`."""
    kind = value.WhichOneof("value_type")
    if kind == "reference_value":
        return Reference(KIT.decode(value))
    if kind == "geo_point_value":
        return GeoPoint(value.geo_point_value.latitude, value.geo_point_value.longitude)
    if KIT.is_map(value):
        return {name: from_stored(item) for name, item in KIT.entries(value).items()}
    if KIT.is_list(value):
        return [from_stored(item) for item in KIT.items(value)]
    plain = KIT.decode(value)
    return Vector(tuple(plain)) if kind == "map_value" else plain


def fields_of_json(document: Mapping[str, Any]) -> dict[str, Message]:
    """The fields of a document as Firestore's REST API writes it: ``{"fields": {"n": {"integerValue": "1"}}}``.

    Raises:
        ValueError: for what is no such document.
    """
    fields = document.get("fields", {})
    try:
        return dict(json_format.ParseDict({"fields": fields}, Document()).fields)
    except json_format.ParseError as error:
        raise ValueError(f"this is no document in Firestore's JSON: {error}") from error
