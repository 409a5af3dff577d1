"""What Firestore refuses to store, for the store in memory; Firestore says it itself.

Numbers from the Firestore quotas page; the emulator refuses the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from firelift.migration.errors import Poison
from firelift.migration.store import Create, Put, Update, Value, Verify, Write
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.paths import is_reserved

KIT = FirestoreValues()

MAX_REQUEST_BYTES = 10 * 2**20
MAX_DOCUMENT_BYTES = 2**20
MAX_VALUE_BYTES = MAX_DOCUMENT_BYTES - 89
MAX_PATH_BYTES = 1_500
"""Of a field's names from the top level down, joined by dots."""
MAX_DEPTH = 20
"""Of maps and arrays in each other; a plain value in the innermost one is no level."""

SHOWN = 100


def check_commit(writes: Sequence[Write]) -> None:
    """Refuse a commit that is too large, or that verifies what it also writes.

    Raises:
        Poison: saying which limit, and what was observed.
    """
    size = KIT.sizes(KIT.new_map(write.fields) for write in writes if isinstance(write, Create | Put | Update))
    if size > MAX_REQUEST_BYTES:
        raise _refused(f"the commit has {size} bytes, more than {MAX_REQUEST_BYTES}")
    written = {write.path for write in writes if not isinstance(write, Verify)}
    both = sorted(written & {write.path for write in writes if isinstance(write, Verify)})
    if both:
        raise _refused(f"the commit both writes and verifies {both[0]}")


def check_fields(path: str, fields: Mapping[str, Value]) -> None:
    """Refuse a document that Firestore would not store.

    Raises:
        Poison: naming the document, the field and the limit.
    """
    size = KIT.size(KIT.new_map(fields))
    if size > MAX_DOCUMENT_BYTES:
        raise _refused(f"{path} has {size} bytes, more than {MAX_DOCUMENT_BYTES}")
    fault = _map_fault(fields, within="", depth=1)
    if fault:
        raise _refused(f"{path} cannot be stored: {fault}")


def _map_fault(fields: Mapping[str, Value], within: str, depth: int) -> str | None:
    paths = ((f"{within}{name}", name, value) for name, value in fields.items())
    faults = (_name_fault(path, name) or _value_fault(path, value, depth) for path, name, value in paths)
    return next(filter(None, faults), None)


def _name_fault(path: str, name: str) -> str | None:
    if not name:
        return f"a field name below {path[:SHOWN]!r} is empty"
    if is_reserved(name):
        return f"the field name {name!r} is reserved: it has the form __name__"
    size = len(path.encode())
    return (
        f"the field path {path[:SHOWN]!r}... has {size} bytes, more than {MAX_PATH_BYTES}"
        if size > MAX_PATH_BYTES
        else None
    )


def _value_fault(path: str, value: Value, depth: int) -> str | None:
    kind = value.WhichOneof("value_type")
    if kind is None:
        return f"field {path[:SHOWN]!r} has no value"
    if kind in {"string_value", "bytes_value"}:
        return _scalar_fault(path, getattr(value, kind))
    if kind in {"map_value", "array_value"} and depth > MAX_DEPTH:
        return f"field {path[:SHOWN]!r} is nested deeper than {MAX_DEPTH} levels"
    if kind == "array_value":
        return _array_fault(path, value.array_value.values, depth)
    # A vector has a reserved name inside, and is one value: it has no entries.
    return _map_fault(KIT.entries(value), f"{path}.", depth + 1)


def _scalar_fault(path: str, content: str | bytes) -> str | None:
    size = len(content.encode() if isinstance(content, str) else content)
    return f"field {path[:SHOWN]!r} has {size} bytes, more than {MAX_VALUE_BYTES}" if size > MAX_VALUE_BYTES else None


def _array_fault(path: str, items: Sequence[Value], depth: int) -> str | None:
    if any(item.WhichOneof("value_type") == "array_value" for item in items):
        return f"the array {path[:SHOWN]!r} directly holds an array"
    return next(filter(None, (_value_fault(path, item, depth + 1) for item in items)), None)


def _refused(why: str) -> Poison:
    return Poison("INVALID_ARGUMENT", why)
