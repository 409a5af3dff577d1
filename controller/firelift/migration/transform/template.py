"""Where a copy goes: path templates such as ``users/{doc.userId}/fitness_logs/{id}``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from firelift.api.migration import SourceSpec
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import get, parse
from firelift.migration.path_order import PLAIN
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Value, ValueKit

PLACEHOLDER = re.compile(r"\{(id|entity|index|item|(?:doc|item)\.(?:`(?:[^`\\]|\\.)*`|[^{}`])+)\}")
RESERVED = re.compile(r"__.*__", re.DOTALL)
NUMERIC_ID = re.compile(r"__id-?\d+__", re.ASCII)
"""The id of a document that had a number for its id in Datastore."""
MAX_SEGMENT_BYTES = 1_500
"""Of one document id. Source: Firestore's quotas, "Constraints on document IDs"."""

Part = str | FieldPath
"""A literal, or the path of a placeholder: ``("id",)``, ``("entity",)``, ``("index",)``, ``("doc", …)`` or
``("item", …)``."""


@dataclass(frozen=True, slots=True)
class Place:
    """An element of a source: what `{item}` stands for, and its number from 0."""

    item: Value
    index: int


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A compiled template: segments of literals and placeholders."""

    text: str
    source: SourceSpec
    segments: tuple[tuple[Part, ...], ...]
    _pieces: tuple[Part, ...] = field(init=False, compare=False)
    """All parts with the slashes between segments: one list to go through for each document."""

    def __post_init__(self) -> None:
        pieces = [piece for segment in self.segments for piece in ("/", *segment)]
        object.__setattr__(self, "_pieces", tuple(pieces[1:]))

    @property
    def distinct(self) -> bool:
        """Whether two sources can never have one target: an own segment ``{id}`` within one source collection."""
        return self.source.collection is not None and ((("id",),) in self.segments)

    def path(self, kit: ValueKit, document: Document, entity: str | None, place: Place | None = None) -> str:
        """The target of a document, or of one of its elements.

        Raises:
            Refused: when a placeholder has no value that makes a path segment, or the target would be a
                document of the source itself.
        """
        values = _Placeholders(kit, document, entity, place)
        target = "".join([piece if isinstance(piece, str) else values.text(piece, self.text) for piece in self._pieces])
        if not PLAIN.fullmatch(target):
            for segment in target.split("/"):
                self._check(segment, target)
        if self._in_source(target):
            raise Refused("target", f"the target {target} lies in the source itself")
        return target

    def _check(self, segment: str, target: str) -> None:
        fault = segment_fault(segment)
        if fault:
            raise Refused("target", f"the target of template {self.text} has a segment that {fault}: {target!r}")

    def _in_source(self, target: str) -> bool:
        collection = target.rpartition("/")[0]
        if self.source.collection is not None:
            return collection == self.source.collection
        return collection.rpartition("/")[2] == self.source.collection_group


@dataclass(frozen=True, slots=True)
class _Placeholders:
    kit: ValueKit
    document: Document
    entity: str | None
    place: Place | None

    def text(self, path: FieldPath, template: str) -> str:
        value = self._value(path)
        if value is None:
            raise Refused("target", f"the record has no value for {_name(path)} of template {template}")
        if isinstance(value, bool) or not isinstance(value, str | int):
            found = type(value).__name__
            raise Refused(
                "target", f"{_name(path)} of template {template} must be a string or an integer, found {found}"
            )
        text = str(value)
        if "/" in text:
            slash = f"{_name(path)} of template {template} has a slash in it, which would split the path"
            raise Refused("target", slash)
        return text

    def _value(self, path: FieldPath) -> object:
        if path[0] == "id":
            return self.document.id
        if path[0] == "entity":
            return self.entity
        if path[0] == "index":
            return self.place.index if self.place else None
        stored = self._item(path[1:]) if path[0] == "item" else get(self.kit, self.document.fields, path[1:])
        return None if stored is None else self.kit.decode(stored)

    def _item(self, path: FieldPath) -> Value | None:
        if self.place is None:
            return None
        return get(self.kit, self.kit.entries(self.place.item), path) if path else self.place.item


def _name(path: FieldPath) -> str:
    return "{" + ".".join(path) + "}"


def compile_template(text: str, source: SourceSpec) -> PathTemplate:
    """The template, checked as far as it can be without a document.

    Raises:
        TransformUnusable: for a template that no document could follow, or that leads into its own source.
    """
    segments = tuple(_parts(segment, text) for segment in _split(text))
    if len(segments) % 2 or not segments:
        raise TransformUnusable(f"target.document {text!r} names a collection: it needs an even number of segments")
    if any(not isinstance(part, str) for part in segments[-2]):
        raise TransformUnusable(
            f"target.document {text!r}: the last collection's name must be literal, because one rollout at a time "
            "holds the lock of that collection"
        )
    for segment in segments:
        _check_literal(segment, text)
    _refuse_own_source(segments, text, source)
    return PathTemplate(text, source, segments)


def _split(text: str) -> list[str]:
    # A slash inside a placeholder's backticks belongs to a field's name.
    marked = PLACEHOLDER.sub(lambda match: match[0].replace("/", "\0"), text)
    return [segment.replace("\0", "/") for segment in marked.split("/")]


def _parts(segment: str, text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    position = 0
    for match in PLACEHOLDER.finditer(segment):
        parts.extend(_literal(segment[position : match.start()], text))
        parts.append(_placeholder(match[1], text))
        position = match.end()
    return (*parts, *_literal(segment[position:], text))


def _literal(literal: str, text: str) -> list[Part]:
    if "{" in literal or "}" in literal:
        raise TransformUnusable(
            f"target.document {text!r}: {literal!r} is no placeholder; there are {{id}}, {{entity}}, {{doc.<field>}}, "
            "and in one-to-many {item.<field>}, {item} and {index}"
        )
    return [literal] if literal else []


def _placeholder(inner: str, text: str) -> FieldPath:
    name, _, rest = inner.partition(".")
    if not rest:
        return (inner,)
    try:
        return (name, *parse(rest))
    except ValueError as error:
        raise TransformUnusable(f"target.document {text!r}: {error}") from error


def _check_literal(segment: tuple[Part, ...], text: str) -> None:
    literal = "".join(part for part in segment if isinstance(part, str))
    if all(isinstance(part, str) for part in segment):
        fault = segment_fault(literal)
        if fault:
            raise TransformUnusable(f"target.document {text!r} has a segment that {fault}")


def _refuse_own_source(segments: tuple[tuple[Part, ...], ...], text: str, source: SourceSpec) -> None:
    literal = "/".join("".join(p if isinstance(p, str) else "{" for p in segment) for segment in segments[:-1])
    group = literal.rpartition("/")[2]
    if literal == source.collection or (source.collection_group is not None and group == source.collection_group):
        raise TransformUnusable(
            f"target.document {text!r} lies in the source itself, so that copies would be copied again; name another "
            "collection, or use inPlace"
        )


def segment_fault(segment: str) -> str | None:
    """What keeps a text from being a path segment, to follow "a segment that"; None when nothing does."""
    if not segment:
        return "is empty"
    if segment in {".", ".."}:
        return f"is {segment!r}"
    if RESERVED.fullmatch(segment) and not NUMERIC_ID.fullmatch(segment):
        return f"is reserved: {segment!r}"
    size = len(segment.encode(errors="surrogatepass"))
    return f"has {size} bytes, more than {MAX_SEGMENT_BYTES}" if size > MAX_SEGMENT_BYTES else None
