r"""Field paths as people write them, and fields by path: ``a.b``, with backticks for odd names: `` `a.b`.c ``.

Inside backticks a backslash escapes a backtick or a backslash. Nothing here changes its input: what is put or removed
is in new maps, and every value that is not on the path is the very object that it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from firelift.migration.overlay import Overlay, over
from firelift.migration.store import FieldPath, Fields, Value, ValueKit

SEGMENT = re.compile(r"`((?:[^`\\]|\\[`\\])+)`|([^.`\\]+)")
PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)

LONGEST = 20
"""Names of a path in a mask: the emulator refuses more, though a value may lie in the twentieth map."""


Difference: TypeAlias = tuple[FieldPath, Value | None, Value | None]
"""A path with its values on both sides, None where there is none."""


class NotAMap(ValueError):
    """A path leads through a value that is not a map, so writing there would destroy that value."""


def parse(text: str) -> FieldPath:
    """The segments of a written path.

    Raises:
        ValueError: naming the position that cannot be read.
    """
    path: list[str] = []
    position = 0
    while True:
        match = SEGMENT.match(text, position)
        if match is None:
            raise ValueError(
                f"field path {text!r}: no field name at position {position + 1}; names are joined by single dots, "
                "and a name that holds a dot, a backtick or a backslash stands in backticks"
            )
        path.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] else match[2])
        position = match.end()
        if position == len(text):
            return tuple(path)
        if text[position] != ".":
            raise ValueError(f"field path {text!r}: expected a dot at position {position + 1}")
        position += 1


def written(path: FieldPath) -> str:
    """The inverse of `parse`."""
    return ".".join(name if PLAIN.fullmatch(name) else f"`{_escaped(name)}`" for name in path)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("`", "\\`")


def get(kit: ValueKit, fields: Fields, path: FieldPath) -> Value | None:
    """The value at a path, None when there is none."""
    value = fields.get(path[0])
    if len(path) == 1:
        return value
    for name in path[1:]:
        if value is None:
            return None
        value = kit.entries(value).get(name)
    return value


def put(kit: ValueKit, fields: Fields, path: FieldPath, value: Value, *, force: bool = False) -> Overlay:
    """The fields with a value at the path; absent maps on the way are made.

    Raises:
        NotAMap: when something else than a map is on the way; with `force` it gives way instead.
    """
    head, rest = path[0], path[1:]
    if not rest:
        return over(fields, {head: value})
    inside = fields.get(head)
    if inside is not None and not kit.is_map(inside) and not force:
        raise NotAMap(f"the field {head!r} is not a map, so there can be no {written(path)}")
    entries = {} if inside is None else kit.entries(inside)
    return over(fields, {head: kit.new_map(put(kit, entries, rest, value, force=force))})


def remove(kit: ValueKit, fields: Fields, path: FieldPath) -> Overlay:
    """The fields without the path; a map that becomes empty stays, as it does in Firestore."""
    head, rest = path[0], path[1:]
    if not rest:
        return over(fields, {head: None})
    if get(kit, fields, path) is None:
        return over(fields, {})
    return over(fields, {head: kit.new_map(remove(kit, kit.entries(fields[head]), rest))})


def equal(kit: ValueKit, one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same in type and content; None is the absence of one."""
    if one is other:
        return True
    return one is not None and other is not None and kit.dumps(one) == kit.dumps(other)


def changed_paths(kit: ValueKit, before: Fields, after: Fields) -> Iterator[FieldPath]:
    """The paths of `differences`."""
    return (path for path, _, _ in differences(kit, before, after))


def differences(kit: ValueKit, before: Fields, after: Fields, longest: int = LONGEST) -> Iterator[Difference]:
    """What a masked update needs to turn one document into the other; no path lies inside another.

    A map that is on both sides is compared entry by entry, down to paths of `longest` names; one that is new or goes is
    a path as a whole, so that taking it back leaves no empty map behind.
    """
    # What is laid over the very fields that it is compared with differs in its changes at most.
    changes = after.changes if isinstance(after, Overlay) and after.base is before else None
    values: Mapping[str, Value | None] = after if changes is None else changes
    for name in dict.fromkeys((*before, *after)) if changes is None else changes:
        old, new = before.get(name), values.get(name)
        if old is new:
            continue
        if old is None or new is None:
            yield (name,), old, new
        elif longest > 1 and kit.is_map(old) and kit.is_map(new):
            for rest, one, other in differences(kit, kit.entries(old), kit.entries(new), longest - 1):
                yield (name, *rest), one, other
        elif not equal(kit, old, new):
            yield (name,), old, new


def absent_paths(kit: ValueKit, there: Fields, wanted: Fields) -> Iterator[FieldPath]:
    """The shallowest paths of `wanted` that `there` has nothing at."""
    for name, value in wanted.items():
        old = there.get(name)
        if old is None:
            yield (name,)
        elif kit.is_map(old) and kit.is_map(value):
            for rest in absent_paths(kit, kit.entries(old), kit.entries(value)):
                yield (name, *rest)


def missed_paths(kit: ValueKit, there: Fields, wanted: Fields) -> Iterator[FieldPath]:
    """The paths of `wanted` that `there` has nothing or something else at; what it has besides is its own affair."""
    for name, value in wanted.items():
        old = there.get(name)
        if old is not None and kit.is_map(old) and kit.is_map(value):
            for rest in missed_paths(kit, kit.entries(old), kit.entries(value)):
                yield (name, *rest)
        elif not equal(kit, old, value):
            yield (name,)


def covering_paths(kit: ValueKit, fields: Fields, ignored: Iterable[FieldPath]) -> Iterator[FieldPath]:
    """The shallowest paths that together hold everything but the ignored ones."""
    inside: dict[str, list[FieldPath]] = {}
    for path in ignored:
        inside.setdefault(path[0], []).append(path[1:])
    for name, value in fields.items():
        rests = inside.get(name)
        if rests is None or (() not in rests and not kit.is_map(value)):
            yield (name,)
        elif () not in rests:
            for rest in covering_paths(kit, kit.entries(value), rests):
                yield (name, *rest)


def overlap(one: FieldPath, other: FieldPath) -> bool:
    """Whether one path is the other, or lies inside it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def lies_inside(path: FieldPath, other: FieldPath) -> bool:
    """Whether a path lies inside another one, and is not that one."""
    return len(path) > len(other) and path[: len(other)] == other


def leaves(kit: ValueKit, value: Value) -> Iterator[tuple[FieldPath, Value]]:
    """What a map holds down to what is no map, or an empty one; nothing for a value that is no map."""
    for name, entry in kit.entries(value).items():
        inside = list(leaves(kit, entry))
        yield from (((name, *rest), leaf) for rest, leaf in inside) if inside else [((name,), entry)]
