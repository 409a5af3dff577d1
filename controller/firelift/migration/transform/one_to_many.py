"""One source, many documents: the items of `target.forEach`, or what a function with `python.many` answers.

A source is one record. It leads to all of its documents or, where one of them breaks a rule, to none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

from firelift.functions import Element
from firelift.migration import fields as paths
from firelift.migration.entrypoint import Entrypoint, fitting, kind_of
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import parse
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, Value
from firelift.migration.transform import cel
from firelift.migration.transform.cel import Expression, compile_expression
from firelift.migration.transform.names import NOTHING, Names
from firelift.migration.transform.plain import PlainDocument
from firelift.migration.transform.reshape import Reshape
from firelift.migration.transform.template import Place
from firelift.migration.transform.transform import LeftAlone, Result, Transform
from firelift.migration.transform.view import View

MAX_ELEMENTS = 10_000
"""Of one source: a document of 1 MiB holds few more, and what a function invents must end somewhere."""

JUST_A_FIELD = re.compile(r"\s*doc\.((?:`[^`]+`|[A-Za-z_]\w*)(?:\.(?:`[^`]+`|[A-Za-z_]\w*))*)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Elements:
    """What a source becomes, in the order of its elements; no two have one target."""

    results: tuple[Result, ...]


Outcome = Elements | LeftAlone | Refused

Becomes = Callable[[Document], Outcome]
"""A migration, from one document to one or to many."""


@dataclass(frozen=True, slots=True)
class OneToMany:
    """A compiled migration of that kind. Without `for_each` the transform is a function that splits by itself.

    `field` is the path of a `for_each` that is just a field: its items keep their stored types, whatever these are.
    `names` is what the expressions over an element name of `doc`: the engine takes in those fields once per element, so
    the list itself is better not among them.
    """

    transform: Transform
    for_each: Expression | None
    field: FieldPath | None
    names: Names

    def attempt(self, document: Document) -> Outcome:
        """What becomes of a document, a refusal always answered and never raised."""
        try:
            view = self.transform.view(document)
            left_alone = self.transform.left_alone(view)
            if left_alone:
                return left_alone
            results = self._declared(view) if self.for_each else self._split(view, self.transform.reshape)
        except Refused as refused:
            return refused
        return LeftAlone("the transform answered None") if results is None else Elements(results)

    def _declared(self, view: View) -> tuple[Result, ...]:
        items = _counted(self._stored_items(view) if self.field else self._made_items(view))
        view = self._seen_by_elements(view)
        return _apart(self._element(view, Place(item, index)) for index, item in enumerate(items))

    def _stored_items(self, view: View) -> Sequence[Value]:
        """The items as they are stored; an absent field, or one of null, has none."""
        kit = view.kit
        value = paths.get(kit, view.document.fields, self.field or ())
        if value is None or (not kit.is_list(value) and kit.decode(value) is None):
            return ()
        if not kit.is_list(value):
            raise Refused("target.forEach", f"it must lead to a list, found a {type(kit.decode(value)).__name__}")
        return kit.items(value)

    def _made_items(self, view: View) -> Sequence[Value]:
        assert self.for_each is not None  # noqa: S101 - only then there is an expression to ask
        plain = self.for_each.evaluate(replace(view, names=self.for_each.doc, _scope={}).scope())
        if not isinstance(plain, list):
            text = self.for_each.text
            raise Refused("target.forEach", f"{text!r} must answer a list, and answered a {type(plain).__name__}")
        return [view.kit.encode(item) for item in plain]

    def _seen_by_elements(self, view: View) -> View:
        return replace(view, names=self.names, _scope={})

    def _element(self, view: View, place: Place) -> Result:
        kit, document = view.kit, view.document
        scope = cel.scope({**view.scope(), "index": place.index}, item=kit.decode(place.item))
        inner = View(kit, replace(document, fields=kit.entries(place.item)), view.entity, view.now, NOTHING, scope)
        try:
            made = self.transform.reshape(inner)
            fields: Fields = {} if made is None else made
            return self._checked(inner, fields, place, document)
        except Refused as refused:
            raise refused.within(f"element {place.index}") from refused

    def _split(self, view: View, function: Any) -> tuple[Result, ...] | None:
        assert isinstance(function, Entrypoint)  # noqa: S101 - without forEach the API demands python.many
        plain, answer = function.answered(view)
        if answer is None:
            return None
        if not isinstance(answer, list | tuple):
            raise Refused(function.rule, f"the function answered {kind_of(answer)} instead of a list or None")
        view = self._seen_by_elements(view)
        made = (self._made(view, function, plain, each, index) for index, each in enumerate(_counted(answer)))
        return _apart(made)

    def _made(self, view: View, function: Entrypoint, plain: PlainDocument, answer: Any, index: int) -> Result:
        if isinstance(answer, dict):
            answer = Element(answer)
        if not isinstance(answer, Element) or not isinstance(answer.fields, dict):
            raise Refused(function.rule, f"element {index}: it is {kind_of(answer)} instead of a dict or an Element")
        kit = view.kit
        fields = function.guarded(lambda: fitting(kit, plain.stored_elsewhere(answer.fields)))
        key = function.guarded(lambda: kit.encode(dict(answer.key)) if answer.key else kit.new_map(fields))
        place = Place(key, index)
        scope = cel.scope({**view.scope(), "index": index}, item=kit.decode(key))
        inner = View(kit, view.document, view.entity, view.now, NOTHING, scope)
        try:
            return self._checked(inner, fields, place, view.document)
        except Refused as refused:
            raise refused.within(f"element {index}") from refused

    def _checked(self, inner: View, fields: Fields, place: Place, document: Document) -> Result:
        for rule in self.transform.rules:
            rule.check(inner, fields)
        template = self.transform.template
        assert template is not None  # noqa: S101 - the API demands target.document
        return Result(template.path(inner.kit, document, inner.entity, place), fields)


def compile_becomes(transform: Transform) -> Becomes:
    """What a compiled migration makes of a document; one that becomes a single document has one element.

    Raises:
        TransformUnusable: as `compile_one_to_many`.
    """
    return compile_one_to_many(transform).attempt if transform.spec.one_to_many else partial(_one, transform)


def _one(transform: Transform, document: Document) -> Outcome:
    outcome = transform.attempt(document)
    return Elements((outcome,)) if isinstance(outcome, Result) else outcome


def targets_of(outcome: Outcome) -> Mapping[str, Fields] | None:
    """The fields of each target; None when it is not told what the document becomes."""
    return {each.target: each.fields for each in outcome.results} if isinstance(outcome, Elements) else None


def compile_one_to_many(transform: Transform) -> OneToMany:
    """The splitting of a compiled migration.

    Raises:
        TransformUnusable: naming the field of the API that is wrong, and how.
    """
    text, names = transform.spec.target.for_each, _names(transform)
    if text is None:
        return OneToMany(transform, None, None, names)
    for_each = compile_expression(text, "target.forEach")
    answers = for_each.program.return_type()
    if not repr(answers).startswith(("DYN", "LIST")):
        raise TransformUnusable(f"target.forEach: {text!r} must answer a list, and answers {answers!r}")
    field = JUST_A_FIELD.fullmatch(text)
    return OneToMany(transform, for_each, parse(field[1]) if field else None, names)


def _names(transform: Transform) -> Names:
    sets = transform.reshape.expressions if isinstance(transform.reshape, Reshape) else ()
    expressions = [*sets, *(rule.expression for rule in transform.rules)]
    return reduce(Names.union, (expression.doc for expression in expressions), NOTHING)


def _counted(items: Sequence[Any]) -> Sequence[Any]:
    if len(items) > MAX_ELEMENTS:
        raise Refused("target.forEach", f"the source has {len(items):,} elements, and {MAX_ELEMENTS:,} are allowed")
    return items


def _apart(results: Iterator[Result]) -> tuple[Result, ...]:
    found: dict[str, Result] = {}
    for index, result in enumerate(results):
        if result.target in found:
            first = list(found).index(result.target)
            raise Refused("target", f"elements {first} and {index} have one target: {result.target}")
        found[result.target] = result
    return tuple(found.values())
