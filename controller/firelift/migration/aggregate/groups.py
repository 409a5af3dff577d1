"""Aggregation as a pure function: documents of an entity in groups, and the document that each group comes to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from firelift.api.aggregate import AggregateSpec
from firelift.api.migration import MigrationSpec
from firelift.functions import Context
from firelift.migration import fields as paths
from firelift.migration.aggregate.operations import OPERATIONS
from firelift.migration.entrypoint import Entrypoint, fitting, kind_of, load
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import written
from firelift.migration.path_order import order
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
    """Documents of one entity that become one target; without any, a target whose documents are gone.

    `fault` is why the one document in it belongs to no group; `target` is then its own path.
    """

    entity: str
    target: str
    documents: tuple[Document, ...] = ()
    fault: Refused | None = None


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

    def groups(self, entity: str, documents: Iterable[Document]) -> list[Group]:
        """The groups of an entity's documents, in the order of their targets."""
        members: dict[str, list[Document]] = {}
        faults: list[Group] = []
        for document in documents:
            try:
                target = self._target(entity, document)
            except Refused as refused:
                faults.append(Group(entity, document.path, (document,), refused))
                continue
            if target is not None:
                members.setdefault(target, []).append(document)
        made = (Group(entity, target, tuple(each)) for target, each in members.items())
        return sorted((*made, *faults), key=lambda group: order(group.target))

    def result(self, group: Group) -> Fields | Refused | None:
        """The fields of a group's target, None where a function leaves it alone."""
        if group.fault is not None:
            return group.fault
        try:
            return self._result(group)
        except Refused as refused:
            return refused

    def _target(self, entity: str, document: Document) -> str | None:
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

    def _result(self, group: Group) -> Fields | None:
        views = self._ordered(group)
        made = self._reduced(group, views) if self.reducer else self._set(views)
        if made is None or self.fingerprint is None:
            return made
        return self._put(made, self.fingerprint, fingerprint(group.documents))

    def _ordered(self, group: Group) -> list[View]:
        documents = sorted(group.documents, key=lambda document: order(document.path))
        views = [self._view(group.entity, document) for document in documents]
        if self.order_by is None:
            return views
        by = self.order_by
        try:
            return sorted(views, key=lambda view: by.evaluate(view.scope()))
        except TypeError as error:
            raise Refused("target.aggregate.orderBy", f"its values cannot be put in order: {error}") from error

    def _set(self, views: Sequence[View]) -> Fields:
        made: Fields = {}
        for path, operation, expression in self.sets:
            values = [value for view in views if (value := expression.evaluate(view.scope())) is not None]
            try:
                value = OPERATIONS[operation](values)
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

    def _reduced(self, group: Group, views: Sequence[View]) -> Fields | None:
        reducer = self.reducer
        assert reducer is not None  # noqa: S101 - the caller has looked
        documents = reducer.guarded(lambda: [PlainDocument(self.kit, view.document.fields).values for view in views])
        context = Context(group.target.rpartition("/")[2], group.target, group.entity, self.now)
        answer = reducer.guarded(lambda: reducer.asked(documents, context))  # type: ignore[arg-type] # a reducer takes a list
        if answer is None:
            return None
        if not isinstance(answer, dict):
            raise Refused(reducer.rule, f"the function answered {kind_of(answer)} instead of a dict or None")
        empty = PlainDocument(self.kit, {})
        return reducer.guarded(lambda: fitting(self.kit, empty.stored(answer)))

    def _view(self, entity: str, document: Document) -> View:
        return View(self.kit, document, entity, self.now, self.names)


def fingerprint(documents: Iterable[Document]) -> str:
    """Of the versions of some documents: the same for the same ones, whoever asks."""
    versions = sorted(f"{document.path}\0{document.create_time}\0{document.update_time}" for document in documents)
    return hashlib.blake2b("\n".join(versions).encode(), digest_size=12).hexdigest()


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
