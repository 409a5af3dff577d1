"""Transforms in Python: a function ``(doc: dict, context: Context) -> dict | None`` of the user's own.

It gets plain values and no way to the database, and answers the whole result, or None to leave the record alone. What
it hands back as it got it is stored as it was, so that types which have no plain form stay unharmed.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.sentences import told
from firelift.migration.store import Fields, ValueKit
from firelift.migration.transform.plain import PlainDocument
from firelift.migration.transform.view import View

T = TypeVar("T")

Function = Callable[[dict[str, Any], "Context"], dict[str, Any] | None]

MAX_RESULT_BYTES = 9 * 2**20
"""A larger result would never reach the database, which could then not refuse it. What it stores it says itself."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a function knows beside the document. `entity` is None for a record without one; `now` is the run's."""

    id: str
    path: str
    entity: str | None
    now: datetime


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
        document = view.document
        plain = self._guarded(lambda: PlainDocument(view.kit, document.fields))
        context = Context(document.id, document.path, view.entity, view.now)
        answer = self._guarded(lambda: self.function(plain.values, context))
        if answer is None:
            return None
        if not isinstance(answer, dict):
            raise Refused(self._rule, f"the function answered a {type(answer).__name__} instead of a dict or None")
        return self._guarded(lambda: _fitting(view.kit, plain.stored(answer)))

    @property
    def _rule(self) -> str:
        return f"transform.python {self.name}"

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise Refused(self._rule, told(error)) from error


def _fitting(kit: ValueKit, result: Fields) -> Fields:
    size = sum(kit.size(value) for value in result.values())
    if size > MAX_RESULT_BYTES:
        raise ValueError(f"the result has {size:,} bytes, more than the {MAX_RESULT_BYTES:,} that one commit can carry")
    return result


def load(name: str) -> Entrypoint:
    """Import ``module:attribute``.

    Raises:
        TransformUnusable: when there is no such function, or it is not a plain one.
    """
    module, _, attribute = name.partition(":")
    where = f"transform.python.entrypoint {name}"
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise TransformUnusable(f"{where}: {told(error)}; it must be importable in the worker's image") from error
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise TransformUnusable(f"{where}: it must be a plain function (doc, context), and is {function!r}")
    return Entrypoint(name, function)
