"""Aggregation as a pure function: documents of an entity in groups, and the document that each group comes to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from firelift.api.aggregate import AggregateSpec
from firelift.api.migration import MigrationSpec
from firelift.functions import Context
from firelift.migration import fields as paths
from firelift.migration.aggregate.members import FOLD_BYTES, GROUP_BYTES, Members, Ranked
from firelift.migration.aggregate.operations import OPERATIONS
from firelift.migration.entrypoint import Entrypoint, fitting, kind_of, load
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import written
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, ValueKit
from firelift.migration.transform.cel import Expression, compile_expression
from firelift.migration.transform.names import Names
from firelift.migration.transform.plain import PlainDocument
from firelift.migration.transform.reshape import field_path
from firelift.migration.transform.template import segment_fault
from firelift.migration.transform.transform import Transform
from firelift.migration.transform.view import View

PLACEHOLDER = re.compile(r"\{([a-z][A-Za-z0-9]*)\}")


@dataclass(frozen=True, slots=True)
class Group:
    """What the documents of one entity that become one target come to; without any, a target whose are all gone.

    `fault` is why a document belongs to no group, and `target` then its path; `oversized`: why an entity has none.
    """

    entity: str
    target: str
    members: Members | None = None
    fault: Refused | None = None
    oversized: bool = False

    @property
    def emptied(self) -> bool:
        """Whether there are no documents any more."""
        return self.members is None and self.fault is None

    @property
    def count(self) -> int:
        """How many documents it has."""
        return self.members.count if self.members else 0


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A compiled aggregate."""

    spec: AggregateSpec
    kit: ValueKit
    now: datetime
    transform: Transform
    keys: tuple[tuple[str, Expression], ...]
    order_by: Expression | None
    sets: tuple[tuple[FieldPath, str, Expression], ...]
    reducer: Entrypoint | None
    fingerprint: FieldPath | None
    names: Names

    @property
    def mask(self) -> tuple[FieldPath, ...] | None:
        """The fields that it looks at, None for all of them."""
        if self.reducer is not None or self.names.fields is None:
            return None
        return tuple((name,) for name in sorted(self.names.fields))

    def target(self, entity: str, document: Document) -> str | None:
        """The target of a document's group, None where it does not count.

        Raises:
            Refused: when it belongs to no group.
        """
        view = self._view(entity, document)
        applies = self.transform.applies_when
        if applies is not None and not applies.is_true(view.scope()):
            return None
        known = {"entity": entity} | {name: _text(name, each.evaluate(view.scope())) for name, each in self.keys}
        target = PLACEHOLDER.sub(lambda match: known[match[1]], self.spec.document)
        fault = next(filter(None, map(segment_fault, target.split("/"))), None)
        if fault or any("/" in value for value in known.values()):
            raise Refused("target.aggregate.document", f"{target} has a segment that {fault or 'has a slash in it'}")
        return target

    def members(self) -> tuple[Members, int]:
        """A group without documents as yet, and how many bytes it holds."""
        results = [
            OPERATIONS[operation]() if operation in OPERATIONS else Ranked(last=operation == "last")
            for _, operation, _ in self.sets
        ]
        return Members(results), GROUP_BYTES + FOLD_BYTES * len(results)

    def take_in(self, members: Members, entity: str, document: Document) -> int:
        """Add a document to its group, and answer how many bytes more are held."""
        more = members.add(document)
        if self.reducer is not None:
            return more + members.keep(self.kit, document)
        if members.broken is None:
            try:
                self._fold(members, self._view(entity, document))
            except Refused as refused:
                members.broken = refused
        return more

    def result(self, group: Group) -> Fields | Refused | None:
        """The fields of a group's target, None where a function leaves it alone."""
        members = group.members
        if group.fault is not None or members is None:
            return group.fault
        if members.broken is not None:
            return members.broken
        try:
            made = self._reduced(group, members) if self.reducer else self._set(members)
            if made is None or self.fingerprint is None:
                return made
            return self._put(made, self.fingerprint, members.fingerprint())
        except Refused as refused:
            return refused

    def _fold(self, members: Members, view: View) -> None:
        scope = view.scope()
        place = self.order_by.evaluate(scope) if self.order_by is not None else 0
        for (path, operation, expression), fold in zip(self.sets, members.results, strict=True):
            value = expression.evaluate(scope)
            if value is None:
                continue
            try:
                fold.add(place, value) if isinstance(fold, Ranked) else fold.add(value)
            except (TypeError, OverflowError) as error:
                if isinstance(fold, Ranked):
                    raise _unordered(error) from error
                raise Refused(f"target.aggregate.set.{written(path)}.{operation}", str(error)) from error

    def _set(self, members: Members) -> Fields:
        made: Fields = {}
        for (path, operation, _), fold in zip(self.sets, members.results, strict=True):
            try:
                value = fold.value if isinstance(fold, Ranked) else fold.result()
            except (TypeError, ValueError, OverflowError) as error:
                raise Refused(f"target.aggregate.set.{written(path)}.{operation}", str(error)) from error
            if value is not None:
                made = self._put(made, path, value)
        return made

    def _put(self, fields: Fields, path: FieldPath, value: Any) -> Fields:
        try:
            return paths.put(self.kit, fields, path, self.kit.encode(value))
        except (TypeError, ValueError) as error:
            raise Refused(f"target.aggregate.{written(path)}", str(error)) from error

    def _reduced(self, group: Group, members: Members) -> Fields | None:
        reducer, read = self.reducer, self._ordered(group.entity, members.documents)
        assert reducer is not None  # noqa: S101 - the caller has looked
        documents = reducer.guarded(lambda: [PlainDocument(self.kit, document.fields).values for document in read])
        context = Context(group.target.rpartition("/")[2], group.target, group.entity, self.now)
        answer = reducer.guarded(lambda: reducer.asked(documents, context))  # type: ignore[arg-type] # a reducer takes a list
        if answer is None:
            return None
        if not isinstance(answer, dict):
            raise Refused(reducer.rule, f"the function answered {kind_of(answer)} instead of a dict or None")
        empty = PlainDocument(self.kit, {})
        return reducer.guarded(lambda: fitting(self.kit, empty.stored(answer)))

    def _ordered(self, entity: str, documents: Sequence[Document]) -> Sequence[Document]:
        by = self.order_by
        if by is None:
            return documents
        try:
            return sorted(documents, key=lambda document: by.evaluate(self._view(entity, document).scope()))
        except TypeError as error:
            raise _unordered(error) from error

    def _view(self, entity: str, document: Document) -> View:
        return View(self.kit, document, entity, self.now, self.names)


def _unordered(error: Exception) -> Refused:
    return Refused("target.aggregate.orderBy", f"its values cannot be put in order: {error}")


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused(f"target.aggregate.keys.{name}", f"it must be a text or an integer, found {kind_of(value)}")
    return str(value)


def compile_aggregation(spec: MigrationSpec, transform: Transform) -> Aggregation:
    """The aggregate of a migration.

    Raises:
        TransformUnusable: naming the field of the API that is wrong, and how.
    """
    aggregate = spec.target.aggregate
    assert aggregate is not None  # noqa: S101 - the caller has looked
    where = "target.aggregate"
    unknown = sorted(set(PLACEHOLDER.findall(aggregate.document)) - {"entity", *aggregate.keys})
    if unknown:
        raise TransformUnusable(f"{where}.document: {aggregate.document!r} names {', '.join(unknown)}, and keys do not")
    collection = aggregate.document.rpartition("/")[0]
    if collection == spec.source.collection or collection.rpartition("/")[2] == spec.source.collection_group:
        raise TransformUnusable(f"{where}.document: {aggregate.document!r} lies in the source, and would count itself")
    keys = tuple((name, compile_expression(text, f"{where}.keys.{name}")) for name, text in aggregate.keys.items())
    order_by = compile_expression(aggregate.order_by, f"{where}.orderBy") if aggregate.order_by else None
    sets = tuple(
        (field_path(path, f"{where}.set"), operation, compile_expression(text, f"{where}.set.{path}.{operation}"))
        for path, each in aggregate.set.items()
        for operation, text in each.said.items()
    )
    named = [each.doc for _, each in keys] + [each.doc for *_, each in sets] + ([order_by.doc] if order_by else [])
    return Aggregation(
        spec=aggregate,
        kit=transform.kit,
        now=transform.now,
        transform=transform,
        keys=keys,
        order_by=order_by,
        sets=sets,
        reducer=load(aggregate.python.entrypoint) if aggregate.python else None,
        fingerprint=field_path(aggregate.fingerprint_field, where) if aggregate.fingerprint_field else None,
        names=reduce(Names.union, named, transform.names),
    )
