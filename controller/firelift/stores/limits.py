"""What Firestore refuses to store. Only the in-memory store needs to know; Firestore says it itself.

Numbers from the Firestore quotas page; each refusal is what the emulator answers too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.migration.errors import Poison
from firelift.migration.store import Create, Put, Update, Value, Verify, Write
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.paths import is_reserved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIT = FirestoreValues()

MAX_REQUEST_BYTES = 10 * 2**20
MAX_DOCUMENT_BYTES = 2**20
MAX_VALUE_BYTES = MAX_DOCUMENT_BYTES - 89
MAX_NAME_BYTES = 1_500
MAX_DEPTH = 20


def check_commit(writes: Sequence[Write]) -> None:
    """Refuse a commit that is too large, or that verifies what it also writes.

    Raises:
        Poison: saying which limit, and what was observed.
    """
    size = sum(KIT.size(KIT.new_map(write.fields)) for write in writes if isinstance(write, Create | Put | Update))
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
    for name, value in fields.items():
        fault = _name_fault(name) or _value_fault(value, depth=1)
        if fault:
            raise _refused(f"field {name[:100]!r} of {path}: {fault}")


def _name_fault(name: str) -> str | None:
    if not name:
        return "a field name is empty"
    if is_reserved(name):
        return f"the field name {name!r} is reserved: it has the form __name__"
    size = len(name.encode())
    return f"a field name has {size} bytes, more than {MAX_NAME_BYTES}" if size > MAX_NAME_BYTES else None


def _value_fault(value: Value, depth: int) -> str | None:
    kind = value.WhichOneof("value_type")
    if kind is None:
        return "it has no value"
    if depth > MAX_DEPTH:
        return f"it is nested deeper than {MAX_DEPTH} levels"
    if kind in {"string_value", "bytes_value"}:
        return _scalar_fault(getattr(value, kind))
    if kind == "array_value":
        return _array_fault(value.array_value.values, depth)
    # The one reserved name that is fine inside: a vector is a map of __type__ and value, and is one value here.
    inner = KIT.entries(value)
    faults = (_name_fault(name) or _value_fault(item, depth + 1) for name, item in inner.items())
    return next(filter(None, faults), None)


def _scalar_fault(content: str | bytes) -> str | None:
    size = len(content.encode() if isinstance(content, str) else content)
    return f"it has {size} bytes, more than {MAX_VALUE_BYTES}" if size > MAX_VALUE_BYTES else None


def _array_fault(items: Sequence[Value], depth: int) -> str | None:
    if any(item.WhichOneof("value_type") == "array_value" for item in items):
        return "an array directly holds an array"
    return next(filter(None, (_value_fault(item, depth + 1) for item in items)), None)


def _refused(why: str) -> Poison:
    return Poison("INVALID_ARGUMENT", why)
