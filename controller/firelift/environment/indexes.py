"""Composite indexes as Terraform, Firestore and a spec write them, brought into one form and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from firelift.api.environment.indexes import DOCUMENT_NAME, CompositeIndex, IndexField
from firelift.environment.indexes_file import without_implied_name

_DEFAULT = frozenset({("ASCENDING", "COLLECTION"), ("DESCENDING", "COLLECTION"), ("CONTAINS", "COLLECTION")})
"""The indexes of a single field that nobody has overridden."""


def normalised(index: CompositeIndex) -> CompositeIndex:
    """The index without the `__name__` that Firestore appends by itself, or puts before a vector."""
    fields = index.fields
    if fields[-1].vector is not None:
        named = tuple(each for each in fields if each.path != DOCUMENT_NAME)
        return index if named == fields else index.model_copy(update={"fields": named})
    return without_implied_name(index)


def same(left: CompositeIndex, right: CompositeIndex) -> bool:
    """Whether the two are one index to Firestore."""
    return normalised(left) == normalised(right)


def from_terraform(attributes: Mapping[str, Any]) -> CompositeIndex | None:
    """The index that a `google_firestore_index` is; None when a spec has no words for it."""
    fields = [_field(each) for each in attributes.get("fields") or ()]
    if fields and "vector" in fields[-1]:
        fields = [each for each in fields if each["path"] != DOCUMENT_NAME]
    try:
        index = CompositeIndex.model_validate(
            {
                "collection": attributes.get("collection"),
                "scope": attributes.get("query_scope") or "COLLECTION",
                "fields": fields,
            }
        )
    except ValidationError:
        return None
    return normalised(index)


def text(index: CompositeIndex) -> str:
    """Such as ``telemetry (tenant_id ASCENDING, timestamp_ms DESCENDING)``."""
    group = "" if index.scope == "COLLECTION" else ", collection group"
    return f"{index.collection} ({', '.join(map(_text, index.fields))}{group})"


def single_fields(attributes: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The single-field indexes that a `google_firestore_field` leaves; of one that is not there, Firestore's own."""
    config = attributes.get("index_config")
    if not config:
        return _DEFAULT
    entries = [entry for block in config for entry in (block or {}).get("indexes") or ()]
    return frozenset(
        (str(entry.get("order") or entry.get("array_config")), str(entry.get("query_scope") or "COLLECTION"))
        for entry in entries
    )


def _field(found: Mapping[str, Any]) -> dict[str, Any]:
    vector = found.get("vector_config") or ()
    sets = {
        "order": found.get("order") or None,
        "arrayConfig": found.get("array_config") or None,
        "vector": {"dimension": vector[0].get("dimension")} if vector else None,
    }
    return {"path": found.get("field_path"), **{key: value for key, value in sets.items() if value is not None}}


def _text(field: IndexField) -> str:
    how = field.order or field.array_config or (f"vector {field.vector.dimension}" if field.vector else "")
    return f"{field.path} {how}"
