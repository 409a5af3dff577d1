"""A document as plain Python data that remembers the stored values which it came from."""

from __future__ import annotations

import struct
from typing import Any

from firelift.migration.store import Fields, Value, ValueKit

MAX_DEPTH = 20
"""Of maps and lists within one another. Source: the Firestore quotas page."""


class PlainDocument:
    """The plain `values` of a document, for a function that may change them or build others from them."""

    def __init__(self, kit: ValueKit, fields: Fields) -> None:
        self._kit = kit
        self._fields = fields
        # Plain data and what they stand for, by identity: a list, or a geo point's dict, can be moved elsewhere as it
        # is. The data are kept too, so that no identity is given out again.
        self._known: dict[int, tuple[Any, Value]] = {}
        self.values: dict[str, Any] = {name: self._plain(value) for name, value in fields.items()}

    def stored(self, values: dict[str, Any]) -> Fields:
        """Stored values for a result; what equals its original in type and content is that very value.

        Raises:
            TypeError, ValueError: for what the database cannot store.
        """
        return {_key(name): self._stored(value, self._fields.get(name)) for name, value in values.items()}

    def stored_elsewhere(self, values: dict[str, Any]) -> Fields:
        """Stored values for a part of the document that stands alone: what was not changed is known by itself.

        Raises:
            TypeError, ValueError: for what the database cannot store.
        """
        return {_key(name): self._stored(value, None) for name, value in values.items()}

    def _plain(self, value: Value) -> Any:
        if self._kit.is_map(value):
            plain: Any = {name: self._plain(item) for name, item in self._kit.entries(value).items()}
        elif self._kit.is_list(value):
            plain = [self._plain(item) for item in self._kit.items(value)]
        else:
            plain = self._kit.decode(value)
        self._known[id(plain)] = (plain, value)
        return plain

    def _stored(self, plain: Any, original: Value | None, depth: int = 1) -> Value:
        known = self._known.get(id(plain))
        for value in (original, known[1] if known else None):
            if value is not None and same(plain, self._kit.decode(value)):
                return value
        self._require_same_shape(plain, original)
        if depth > MAX_DEPTH and isinstance(plain, dict | list | tuple):
            raise ValueError(f"the result is nested deeper than the {MAX_DEPTH} levels that Firestore stores")
        if isinstance(plain, dict):
            entries = self._kit.entries(original) if original is not None else {}
            return self._kit.new_map(
                {_key(name): self._stored(item, entries.get(name), depth + 1) for name, item in plain.items()}
            )
        if isinstance(plain, list | tuple):
            items = [*(self._kit.items(original) if original is not None else ()), *[None] * len(plain)]
            return self._kit.new_list(
                [self._stored(item, old, depth + 1) for item, old in zip(plain, items, strict=False)]
            )
        return self._kit.encode(plain)

    def _require_same_shape(self, plain: Any, original: Value | None) -> None:
        if original is None or not isinstance(plain, dict | list | tuple | str):
            return
        decoded = self._kit.decode(original)
        alike = isinstance(plain, str) if isinstance(decoded, str) else isinstance(decoded, dict | list)
        if alike and self._loses_its_kind(original, decoded):
            raise TypeError(
                "a reference, a geo point or a vector was changed; plain data cannot say that it still is one, so "
                "leave it as it is, or write the new value under another name"
            )

    def _loses_its_kind(self, original: Value, decoded: Any) -> bool:
        """Whether plain data are not enough to store the value again."""
        if self._kit.is_map(original) or self._kit.is_list(original):
            return False
        return self._kit.dumps(self._kit.encode(decoded)) != self._kit.dumps(original)


def same(one: Any, other: Any) -> bool:
    """Whether plain data are equal in type and content; a NaN is itself, and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    return bool(one == other)


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a field name is a {type(name).__name__}; Firestore's names are strings")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the field name {name!r} is not valid Unicode: {error.reason}") from error
    return name
