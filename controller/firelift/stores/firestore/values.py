"""What can be done with a Firestore value that the data plane must not look into."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from datetime import UTC, datetime, timedelta
from typing import Any

from firelift.migration.overlay import Overlay
from firelift.stores.firestore.proto import Message, Value, micros
from firelift.stores.firestore.whole import WholeFields, whole_fields

INT64 = range(-(2**63), 2**63)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400
VECTOR_TAG = "__type__"
VECTOR = "__vector__"


class FirestoreValues:
    """The `ValueKit` of raw `google.firestore.v1.Value` messages. Pure; an input is never changed."""

    def encode(self, plain: object) -> Message:
        """A stored value for plain Python data, containers included; a Value stays itself.

        Raises:
            TypeError: for a type that has no Firestore value, naming it.
            ValueError: for an integer beyond int64, a time without a zone, or a string that is not valid Unicode.
        """
        encoder = SCALARS.get(type(plain)) or next((SCALARS[kind] for kind in SCALARS if isinstance(plain, kind)), None)
        return encoder(plain) if encoder else self._encode_container(plain)

    def _encode_container(self, plain: object) -> Message:
        if isinstance(plain, Value):
            return plain
        if isinstance(plain, Mapping):
            return self.new_map({_key(key): self.encode(item) for key, item in plain.items()})
        if isinstance(plain, list | tuple):
            return self.new_list([self.encode(item) for item in plain])
        raise TypeError(f"a {type(plain).__name__} has no Firestore value; convert it to a plain type first")

    def decode(self, value: Message) -> Any:
        """The plain Python value, as `ValueKit.decode` describes it.

        Raises:
            TypeError: for a kind of value that this version does not know.
        """
        kind = value.WhichOneof("value_type")
        if kind in PLAIN:
            return getattr(value, kind)
        if kind == "map_value":
            return self._decode_map(value.map_value.fields)
        if kind == "array_value":
            return [self.decode(item) for item in value.array_value.values]
        if kind in DECODERS:
            return DECODERS[kind](value)
        raise TypeError(f"a Firestore value of kind {kind or 'unknown'} has no plain Python value")

    def _decode_map(self, fields: Mapping[str, Message]) -> Any:
        if _is_vector(fields):
            return self.decode(fields["value"])
        return {name: self.decode(item) for name, item in fields.items()}

    def is_map(self, value: Message) -> bool:
        """True for a map. A vector is stored as a map, but is one value."""
        return value.WhichOneof("value_type") == "map_value" and not _is_vector(value.map_value.fields)

    def entries(self, value: Message) -> dict[str, Message]:
        """The entries of a map; an empty mapping for anything else."""
        return dict(value.map_value.fields) if self.is_map(value) else {}

    def new_map(self, entries: Mapping[str, Message]) -> Message:
        """A map of stored values, copied."""
        value = Value()
        value.map_value.SetInParent()
        put_fields(value.map_value.fields, entries)
        return value

    def is_list(self, value: Message) -> bool:
        """True for a list. A vector is not a list."""
        return bool(value.WhichOneof("value_type") == "array_value")

    def items(self, value: Message) -> list[Message]:
        """The items of a list; empty for anything else."""
        return list(value.array_value.values) if self.is_list(value) else []

    def new_list(self, items: Sequence[Message]) -> Message:
        """A list of stored values, copied."""
        value = Value()
        value.array_value.SetInParent()
        value.array_value.values.extend(items)
        return value

    def dumps(self, value: Message) -> bytes:
        """The value as bytes; map entries are sorted, so equal values give equal bytes."""
        # Only maps can be out of order, and to ask for an order takes longer than most values.
        ordered = value.WhichOneof("value_type") in CONTAINERS
        data: bytes = value.SerializeToString(deterministic=True) if ordered else value.SerializeToString()
        return data

    def loads(self, data: bytes) -> Message:
        """The inverse of `dumps`."""
        return Value.FromString(data)

    def same(self, one: Mapping[str, Message], other: Mapping[str, Message]) -> bool:
        """Whether two documents have the same fields, of the same types and contents."""
        return self.dumped(self.whole(one)) == self.dumped(self.whole(other))

    def whole(self, fields: Mapping[str, Message]) -> Mapping[str, Message]:
        """The same fields in one piece: of large documents, and those that were not read, each by itself."""
        found: Mapping[str, Message] | None = None
        if isinstance(fields, FieldView | WholeFields):
            found = fields.whole if isinstance(fields, FieldView) else fields
        elif isinstance(fields, Overlay) and isinstance(fields.base, FieldView):
            changed = {name: None if value is None else self.dumps(value) for name, value in fields.changes.items()}
            found = whole_fields(_serialized(fields.base.message), changed)
        return dict(fields.items()) if found is None else found

    def dumped(self, fields: Mapping[str, Message]) -> Mapping[str, bytes]:
        """`dumps` of each field."""
        if isinstance(fields, WholeFields):
            return fields.dumped
        return {name: self.dumps(value) for name, value in fields.items()}

    def weight(self, fields: Mapping[str, Message]) -> int:
        """About how many bytes fields have on the wire."""
        if isinstance(fields, WholeFields):
            return len(fields.serialized)
        return fields.size if isinstance(fields, FieldView) else self.sizes(fields.values())

    def size(self, value: Message) -> int:
        """Bytes on the wire."""
        size: int = value.ByteSize()
        return size

    def sizes(self, values: Iterable[Message]) -> int:
        """Bytes on the wire of them all."""
        return sum([value.ByteSize() for value in values])


class FieldView(Mapping[str, Message]):
    """The fields of a message, read only, each made a Python object when it is asked for.

    The protobuf map itself would create an absent key that is read. A dict of all fields would cost 15 microseconds
    of CPU a document of 16 fields, where most documents have two or three looked at.
    """

    __slots__ = ("_fields", "_whole", "get", "message", "size")

    def __init__(self, message: Message, size: int) -> None:
        """`message` is the document as it was read, in an answer of `size` bytes."""
        self.size = size
        self.message = message
        self._fields = message.fields
        # The map's own method, without one of Python's around it: it is asked 20 times for each document.
        self.get = self._fields.get  # type: ignore[method-assign]

    @property
    def whole(self) -> WholeFields | None:
        """All fields in one piece, made once; None where they cannot be."""
        try:
            return self._whole
        except AttributeError:  # of most documents it is never asked, and to set it would cost each of them
            self._whole: WholeFields | None = whole_fields(_serialized(self.message), {})
            return self._whole

    def __getitem__(self, name: str) -> Message:
        value = self._fields.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def items(self) -> ItemsView[str, Message]:
        """As for any mapping; the inherited one takes five times as long for each field."""
        fields = self._fields
        return {name: fields[name] for name in fields}.items()

    def values(self) -> ValuesView[Message]:
        """As `items`."""
        fields = self._fields
        return {name: fields[name] for name in fields}.values()

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(dict(self))


def _serialized(message: Message) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def put_fields(target: Any, entries: Mapping[str, Message]) -> None:
    """Copy values into a protobuf map, which has no `update`."""
    for name, item in entries.items():
        target[name].CopyFrom(item)


def _is_vector(fields: Any) -> bool:
    # Not fields[VECTOR_TAG]: reading an absent key of a protobuf map creates it.
    return VECTOR_TAG in fields and fields[VECTOR_TAG].string_value == VECTOR and "value" in fields


def _encode_int(plain: int) -> Message:
    if plain not in INT64:
        raise ValueError("an integer does not fit Firestore's 64 bits (-2^63 to 2^63-1)")
    return Value(integer_value=plain)


def _encode_time(plain: datetime) -> Message:
    if plain.tzinfo is not UTC and plain.utcoffset() is None:
        raise ValueError("a time has no zone; Firestore stores instants, so add one (UTC?)")
    value, since = Value(), plain - EPOCH
    stored = value.timestamp_value
    stored.seconds, stored.nanos = since.days * DAY_SECONDS + since.seconds, since.microseconds * 1000
    return value


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a map has a key that is a {type(key).__name__}; Firestore's keys are strings")
    return key


def _decode_point(value: Message) -> dict[str, float]:
    point = value.geo_point_value
    return {"latitude": point.latitude, "longitude": point.longitude}


SCALARS: dict[type, Callable[[Any], Message]] = {
    # bool before int, which it is a kind of.
    bool: lambda plain: Value(boolean_value=plain),
    int: _encode_int,
    float: lambda plain: Value(double_value=plain),
    str: lambda plain: Value(string_value=plain),
    bytes: lambda plain: Value(bytes_value=plain),
    datetime: _encode_time,
    type(None): lambda _: Value(null_value=0),
}

CONTAINERS = frozenset({"map_value", "array_value"})

PLAIN = frozenset({"string_value", "integer_value", "double_value", "boolean_value", "bytes_value"})

DECODERS: dict[str, Callable[[Message], Any]] = {
    "null_value": lambda _: None,
    "timestamp_value": lambda value: EPOCH + timedelta(microseconds=micros(value.timestamp_value)),
    # projects/P/databases/D/documents/<path>
    "reference_value": lambda value: value.reference_value.split("/", 5)[-1],
    "geo_point_value": _decode_point,
}
