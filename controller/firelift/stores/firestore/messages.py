"""The data plane's words as Firestore's messages, and back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firelift.migration.store import (
    Document,
    FieldPath,
    Filter,
    Micros,
    Source,
)
from firelift.stores.firestore import proto
from firelift.stores.firestore.names import DatabaseName, escape, mask_of
from firelift.stores.firestore.proto import micros, timestamp
from firelift.stores.firestore.values import FieldView
from firelift.stores.paths import check_document

NAME_FIELD = "__name__"

AND, EQUAL, IN = 1, 5, 8
"""Operators of `StructuredQuery.CompositeFilter` and `FieldFilter`."""


def get_request(
    name: DatabaseName, paths: Sequence[str], mask: Sequence[FieldPath] | None, read_time: Micros | None
) -> Any:
    """A BatchGetDocuments of all paths at one time."""
    request = proto.BatchGetRequest(
        database=name.full, documents=[name.document(check_document(path)) for path in paths]
    )
    if mask is not None:
        request.mask.CopyFrom(mask_of(mask))
    if read_time is not None:
        request.read_time.CopyFrom(timestamp(read_time))
    return request


def query(name: DatabaseName, source: Source) -> tuple[str, Any]:
    """The parent and the StructuredQuery that list a source in the order of document names."""
    parent, collection_id = name.parent(source.collection)
    query = proto.StructuredQuery()
    query.from_.add(collection_id=collection_id, all_descendants=source.all_descendants)
    if source.where:
        _filter(query.where.composite_filter, source.where)
    query.order_by.add(direction=1).field.field_path = NAME_FIELD
    if source.start is not None:
        _cursor(query.start_at, name.document(source.start), before=False)
    if source.end is not None:
        _cursor(query.end_at, name.document(source.end), before=False)
    return parent, query


def project(query: Any, mask: Sequence[FieldPath] | None) -> None:
    """Make a query answer only masked fields; an empty mask answers names only."""
    if mask is None:
        return
    for path in mask:
        query.select.fields.add(field_path=escape(path))
    if not mask:
        query.select.fields.add(field_path=NAME_FIELD)


def document(name: DatabaseName, message: Any, read_time: Micros, size: int) -> Document:
    """A document as read, in an answer of so many bytes."""
    return Document(
        path=name.path(message.name),
        fields=FieldView(message, size),
        create_time=micros(message.create_time),
        update_time=micros(message.update_time),
        read_time=read_time,
    )


def _filter(composite: Any, where: Sequence[Filter]) -> None:
    composite.op = AND
    for each in where:
        field_filter = composite.filters.add().field_filter
        field_filter.field.field_path = escape(each.path)
        if len(each.values) == 1:
            field_filter.op = EQUAL
            field_filter.value.CopyFrom(each.values[0])
        else:
            field_filter.op = IN
            field_filter.value.array_value.values.extend(each.values)


def _cursor(cursor: Any, full_name: str, *, before: bool) -> None:
    cursor.values.add(reference_value=full_name)
    cursor.before = before
