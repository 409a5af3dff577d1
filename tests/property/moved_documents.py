"""Strategies: documents with every type of value, transforms over their fields, and an app that edits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.type.latlng_pb2 import LatLng
from hypothesis import strategies as st
from tests.moving import KIT

from firelift.stores.firestore.proto import Value

NAMES = ["name", "title", "n", "deep", "other", "a.b", "odd `name", "ü"]
"""Of fields; some can only be written with backticks."""

RENAMED = {"name": "title", "n": "deep.n", "`a.b`": "added.moved"}
SET = {"added.now": "now", "extra": "path + '!'", "deep.size": "size(doc)"}
REMOVED = ["other", "deep.old", "ü"]

SPECIAL = [
    Value(geo_point_value=LatLng(latitude=1.5, longitude=-2)),
    Value(reference_value="projects/p/databases/d/documents/users/ada"),
    KIT.new_map({"__type__": KIT.encode("__vector__"), "value": KIT.encode([1.0, 2.0])}),
    KIT.encode(float("nan")),
    KIT.encode(-0.0),
    KIT.encode(b"a\0\xff"),
    KIT.encode(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
).map(KIT.encode) | st.sampled_from(SPECIAL)


def maps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Maps of values, and lists of them; Firestore takes no list directly in a list."""
    names = st.sampled_from(["old", "n", "size", "x"])
    return st.dictionaries(names, values | st.lists(values, max_size=2).map(KIT.new_list), max_size=3).map(KIT.new_map)


VALUES = st.recursive(SCALARS, maps, max_leaves=5)
VALUES |= st.lists(VALUES, max_size=2).map(KIT.new_list)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
DOCUMENTS = st.dictionaries(st.sampled_from("abcde"), FIELDS, min_size=1, max_size=5)


def subsets(of: Mapping[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """Some of the entries."""
    return st.sets(st.sampled_from(sorted(of))).map(lambda chosen: {name: of[name] for name in sorted(chosen)})


TRANSFORMS = st.fixed_dictionaries(
    {"rename": subsets(RENAMED), "set": subsets(SET), "remove": st.sets(st.sampled_from(REMOVED)).map(sorted)}
).filter(lambda transform: any(transform.values()))

TOUCHED = {"name", "title", "n", "deep", "a.b", "added", "extra", "other", "ü"}
"""Top-level fields that one of the transforms reads or writes."""


@dataclass(frozen=True)
class Edit:
    """What the app does to one document: nothing but a field of its own, one of ours, or all of it."""

    kind: str
    field: str

    @property
    def free(self) -> bool:
        """Whether no transform touches the field."""
        return self.kind == "set" and self.field not in TOUCHED


EDITS = st.dictionaries(
    st.sampled_from("abcde"),
    st.builds(
        Edit,
        st.sampled_from(["set", "remove", "delete", "recreate"]),
        st.sampled_from([*NAMES, "added", "extra", "the app's own"]),
    ),
    max_size=5,
)
