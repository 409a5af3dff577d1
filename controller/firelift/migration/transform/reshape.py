"""The declared transform: rename, then set, then remove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from firelift.api.transform import TransformSpec
from firelift.migration import fields as paths
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import NotAMap, overlap, written
from firelift.migration.overlay import Overlay, over
from firelift.migration.refusal import Refused
from firelift.migration.store import FieldPath, Fields, Value, ValueKit
from firelift.migration.transform.cel import Expression, Together, compile_expression, together
from firelift.migration.transform.view import View


@dataclass(frozen=True, slots=True)
class Reshape:
    """A compiled `rename`, `set` and `remove`. Values that are renamed keep their type, whatever it is."""

    renames: tuple[tuple[FieldPath, FieldPath], ...]
    sets: tuple[tuple[FieldPath, Expression], ...]
    removals: tuple[FieldPath, ...]
    together: Together | None
    """All of `sets` as one, where they can be."""
    _gone: Mapping[str, None] = field(init=False, compare=False)
    _gone_inside: tuple[FieldPath, ...] = field(init=False, compare=False)
    """The paths that are renamed or removed: at the top, where all go at once, and inside maps."""

    def __post_init__(self) -> None:
        gone = (*(old for old, _ in self.renames), *self.removals)
        object.__setattr__(self, "_gone", dict.fromkeys(path[0] for path in gone if len(path) == 1))
        object.__setattr__(self, "_gone_inside", tuple(path for path in gone if len(path) > 1))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions of `set`."""
        return tuple(expression for _, expression in self.sets)

    @property
    def written(self) -> tuple[FieldPath, ...]:
        """Where the result gets values."""
        return (*(new for _, new in self.renames), *(path for path, _ in self.sets))

    @property
    def touched(self) -> tuple[FieldPath, ...]:
        """Where the result may differ from the source."""
        return (*(old for old, _ in self.renames), *self.written, *self.removals)

    def __call__(self, view: View) -> Fields:
        """The whole result; the input stays as it is.

        Raises:
            Refused: when an expression fails, or a value is in the way.
        """
        kit, before = view.kit, view.document.fields
        after = over(before, self._gone)
        for path in self._gone_inside:
            after = paths.remove(kit, after, path)
        for old, new in self.renames:
            value = paths.get(kit, before, old)
            if value is not None:
                after = _renamed(kit, after, old, new, value)
        return self._all_set(view, after) if self.sets else after

    def _all_set(self, view: View, after: Overlay) -> Overlay:
        scope = view.scope()
        answers = self.together.answers(scope) if self.together else None
        for number, (path, expression) in enumerate(self.sets):
            # Of those that fail together nobody knows which one it was.
            plain = expression.evaluate(scope) if answers is None else expression.storable(answers[number])
            after = _set(view.kit, after, path, plain)
        return after


def _renamed(kit: ValueKit, after: Overlay, old: FieldPath, new: FieldPath, value: Value) -> Overlay:
    rule = "transform.rename."
    there = paths.get(kit, after, new)
    if there is not None and not paths.equal(kit, there, value):
        both = f"the document has both {written(old)} and {written(new)}, with different values"
        raise Refused(rule + written(old), both)
    try:
        return _with(kit, after, new, value)
    except NotAMap as error:
        raise Refused(rule + written(old), str(error)) from error


def _set(kit: ValueKit, after: Overlay, path: FieldPath, plain: object) -> Overlay:
    try:
        return _with(kit, after, path, kit.encode(plain))
    except (TypeError, ValueError) as error:
        raise Refused(f"transform.set.{written(path)}", str(error)) from error


# The overlay is the transform's own until it is answered, so most fields are changed in it and not in a copy.


def _with(kit: ValueKit, after: Overlay, path: FieldPath, value: Value) -> Overlay:
    if len(path) > 1:
        return paths.put(kit, after, path, value)
    after.changes[path[0]] = value
    return after


def compile_reshape(spec: TransformSpec, *, with_item: bool = False) -> Reshape:
    """The declared transform, its paths and expressions checked; `with_item` lets these see an element.

    Raises:
        TransformUnusable: naming the field of the API and what is wrong with it.
    """
    sets = tuple(
        (field_path(path, "transform.set"), compile_expression(text, f"transform.set.{path}", with_item=with_item))
        for path, text in spec.set.items()
    )
    removals = tuple(field_path(path, "transform.remove") for path in spec.remove)
    joined = together([expression for _, expression in sets], with_item=with_item)
    reshape = Reshape(compile_renames(spec), sets, removals, joined)
    for clash in _clashes(reshape):
        raise TransformUnusable(clash)
    return reshape


def compile_renames(spec: TransformSpec) -> tuple[tuple[FieldPath, FieldPath], ...]:
    """Old and new path of each declared rename: all that a revert has to know of a transform.

    Raises:
        TransformUnusable: naming the field of the API.
    """
    where = "transform.rename"
    return tuple((field_path(old, where), field_path(new, where)) for old, new in spec.rename.items())


def field_path(text: str, where: str) -> FieldPath:
    """A path of the API.

    Raises:
        TransformUnusable: naming the field of the API.
    """
    try:
        return paths.parse(text)
    except ValueError as error:
        raise TransformUnusable(f"{where}: {error}") from error


def _clashes(reshape: Reshape) -> Iterator[str]:
    sources = [old for old, _ in reshape.renames]
    for one, other in combinations(sources, 2):
        if overlap(one, other):
            yield f"transform.rename: {written(one)} and {written(other)} take the same value to two places"
    for one, other in combinations(reshape.written, 2):
        if overlap(one, other):
            yield f"transform: {written(one)} and {written(other)} are written into each other; write one of them whole"
    for one in reshape.removals:
        for other in reshape.written:
            if overlap(one, other):
                yield f"transform.remove: {written(one)} would take away {written(other)}, which the transform writes"
