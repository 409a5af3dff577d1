"""Transforms in Python: a function ``(doc: dict, context: Context) -> dict | None`` of the user's own.

It gets plain values and no way to the database, and answers the whole result, or None to leave the record alone. What
it hands back as it got it is stored as it was, so that types which have no plain form stay unharmed.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from firelift.functions import Context
from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.sentences import is_ours, text_of, told
from firelift.migration.store import Fields, ValueKit
from firelift.migration.transform.bounded_call import bounded_call
from firelift.migration.transform.isolation import no_way_out
from firelift.migration.transform.plain import PlainDocument
from firelift.migration.transform.view import View

T = TypeVar("T")

Function = Callable[[dict[str, Any], Context], Any]
"""Its answer is looked at before it is believed."""

MAX_RESULT_BYTES = 9 * 2**20
"""A larger result would never reach the database, which could then not refuse it. What it stores it says itself."""


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """A loaded function."""

    name: str
    function: Function

    def __call__(self, view: View) -> Fields | None:
        """The whole result, None to leave the record alone.

        Raises:
            Refused: when the function fails, or answers what Firestore cannot store.
        """
        plain, answer = self.answered(view)
        if answer is None:
            return None
        if not isinstance(answer, dict):
            raise Refused(self.rule, f"the function answered {kind_of(answer)} instead of a dict or None")
        return self.guarded(lambda: fitting(view.kit, plain.stored(answer)))

    def answered(self, view: View) -> tuple[PlainDocument, Any]:
        """What the function was given of a record, and what it has answered.

        Raises:
            Refused: when the function fails.
        """
        document = view.document
        plain = self.guarded(lambda: PlainDocument(view.kit, document.fields))
        context = Context(document.id, document.path, view.entity, view.now)
        return plain, self.guarded(lambda: self.asked(plain.values, context))

    def asked(self, values: dict[str, Any], context: Context) -> Any:
        """What the function answers, while it has no way out."""
        with bounded_call(self.name, context.path), no_way_out():
            return self.function(values, context)

    @property
    def rule(self) -> str:
        """What a dead letter of its making says was broken."""
        return f"transform.python {self.name}"

    def guarded(self, call: Callable[[], T]) -> T:
        """The answer of a call that may run code of the user's.

        Raises:
            Refused: whatever it raises, and be it what would end a task or a process; just a person's Ctrl-C ends it.
            TransformUnusable: when it was late several times.
        """
        try:
            return call()
        except (KeyboardInterrupt, TransformUnusable):
            raise
        except BaseException as error:
            if is_ours(error):
                raise Refused(self.rule, told(error)) from error
            raise Refused(self.rule, type(error).__name__, text_of(error)) from error


def fitting(kit: ValueKit, result: Fields) -> Fields:
    """The result, unless no commit can carry it.

    Raises:
        ValueError: with both sizes.
    """
    size = kit.sizes(result.values())
    if size > MAX_RESULT_BYTES:
        raise ValueError(f"the result has {size:,} bytes, more than the {MAX_RESULT_BYTES:,} that one commit can carry")
    return result


def load(name: str) -> Entrypoint:
    """Import ``module:attribute``.

    Raises:
        TransformUnusable: when there is no such function, or it is not a plain one of two arguments.
    """
    module, _, attribute = name.partition(":")
    where = f"transform.python.entrypoint {name}"
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise TransformUnusable(f"{where}: {told(error)}; it must be importable in the worker's image") from error
    fault = _fault(function)
    if fault:
        raise TransformUnusable(f"{where}: it must be a plain function (doc, context), and {fault}")
    return Entrypoint(name, function)


def _fault(function: object) -> str:
    """What keeps an object from being such a function; empty when nothing does."""
    if inspect.isclass(function) or not callable(function):
        return f"is {_article(type(function).__name__ if not inspect.isclass(function) else 'class')}"
    bodies = (function, getattr(function, "func", None), getattr(function, "__call__", None))  # noqa: B004 - the method
    if any(map(inspect.iscoroutinefunction, bodies)):
        return "is asynchronous: it would answer a coroutine; a transform computes, and has nothing to wait for"
    if any(inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body) for body in bodies):
        return "is a generator; answer a dict with `return`"
    try:
        inspect.signature(function).bind({}, None)
    except TypeError as error:
        return f"cannot be called with these two: {error}; its signature is {inspect.signature(function)}"
    except ValueError:
        # A function of a C extension may not tell its signature; what it takes is seen at the first document.
        return ""
    return ""


def kind_of(answer: object) -> str:
    """The type of an answer, with its article; a coroutine is closed, as nobody will await it."""
    if inspect.iscoroutine(answer):
        answer.close()
    return _article(type(answer).__name__)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
