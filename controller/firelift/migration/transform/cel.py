"""CEL over documents, with Google's own C++ engine.

The engine takes Python data with five traps, measured on cel-expr-python 0.1.3, that `_plain`, the choice of
extensions and `_keep_none` steer around: a `datetime` inside a map is refused (a protobuf Timestamp is taken), `bytes`
and `str` are cut at their first NUL (a `bytearray` and a StringValue are not), a map's key too, converting an optional
value to Python ends the process (so there are no optionals here), and each null that it answers takes away a reference
to None that it never had (after some 19,000 of them Python itself ends the process).
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_encoders, ext_math, ext_strings
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.transform.engine_words import told
from firelift.migration.transform.names import Names, names

UINT_TOO_LARGE = 2**63
DOCUMENT = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)

UNMISTAKABLE = frozenset({bool, float, datetime})
"""Plain results that can be stored as they are and stand for themselves: an error's plain value is its text."""

AS_IT_IS = frozenset({bool, int, float, type(None)})
"""Plain data in which there is no trap."""

PRESENCE = re.compile(r"\s*(!?)\s*has\(\s*doc\.([A-Za-z_]\w*)\s*\)\s*", re.ASCII)
"""Whether a field is there, the usual question of a migration in place. It is put twice to every document, before and
after, and to ask the engine takes more than the rest of a transform."""


def _keep_none() -> None:
    """Give None so many references that no engine can take them all. From Python 3.12 on it needs none."""
    if sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += 2**40


_keep_none()


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `where` is the API field that it stands in, `doc` and `out` what it names of them."""

    where: str
    text: str
    doc: Names
    out: Names
    program: Any
    presence: tuple[str, bool] | None = None
    """The field and the answer for a document that has it, of an expression that asks for just that."""

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """The plain value for a scope made by `scope`.

        Raises:
            Refused: with the expression and the engine's message.
        """
        try:
            result = self.program.eval(data=scope)
        except RuntimeError as error:  # such as two equal keys of a map, which the engine does not answer but throw
            raise self._failed(str(error).removesuffix("]").rpartition(" [")[0]) from error
        except MemoryError as error:
            raise Refused(self.where, f"{self.text!r} needs more memory than the worker may have") from error
        value = result.plain_value()
        if type(value) in UNMISTAKABLE:
            return value
        if result.type() == cel.Type.ERROR:
            raise self._failed(str(result.value()))
        return self.storable(value)

    def _failed(self, status: str) -> Refused:
        """Of the engine's ``CODE: message``."""
        shown, quotes = told(status.partition(": ")[2], self.text)
        return Refused(self.where, f"{self.text!r} failed{': ' if shown else ''}{shown}", quotes)

    def is_true(self, scope: Mapping[str, Any]) -> bool:
        """The value of a rule.

        Raises:
            Refused: when it fails, or answers anything but true or false.
        """
        answer = self.evaluate(scope)
        if not isinstance(answer, bool):
            raise Refused(self.where, f"{self.text!r} must answer true or false, and answered {type(answer).__name__}")
        return answer

    def storable(self, value: Any) -> Any:
        """What the engine answers, as it can be stored.

        Raises:
            Refused: for what Firestore has no value for.
        """
        if type(value) in UNMISTAKABLE:
            return value
        match value:
            case bytearray():
                return bytes(value)
            case timedelta():
                raise Refused(
                    self.where,
                    f"{self.text!r} answers a duration, which Firestore cannot store; use .getSeconds() or "
                    ".getMilliseconds() of it, or string(…)",
                )
            case list():
                return [self.storable(item) for item in value]
            case dict():
                return {self._key(key): self.storable(item) for key, item in value.items()}
            case None | bool() | float() | str() | datetime():
                return value
            case int() if value < UINT_TOO_LARGE:
                return value
        raise Refused(self.where, f"{self.text!r} answers {_kind(value)}, which Firestore cannot store")

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            kind = type(key).__name__
            raise Refused(self.where, f"{self.text!r} answers a map with a key that is a {kind} and no string")
        return key


@dataclass(frozen=True, slots=True)
class Together:
    """Expressions over one scope, asked for in one call: entering the engine takes longer than most of them do."""

    program: Any

    def answers(self, scope: Mapping[str, Any]) -> Sequence[Any] | None:
        """What each of them answers, to be made `storable`; None when one of them fails."""
        try:
            plain = self.program.eval(data=scope).plain_value()
        except (RuntimeError, MemoryError):
            return None
        return plain if type(plain) is list else None


def together(expressions: Sequence[Expression], *, with_item: bool = False) -> Together | None:
    """Compiled expressions as one; None for fewer than two, and for what is too deep to stand in a list."""
    if len(expressions) < 2:  # noqa: PLR2004 - one is no list
        return None
    text = ",\n".join(f"{expression.text}\n" for expression in expressions)
    try:
        return Together(_environment(with_out=False, with_item=with_item).compile(f"[{text}]"))
    except RuntimeError:
        return None


def compile_expression(
    text: str, where: str, *, with_out: bool = False, with_item: bool = False, boolean: bool = False
) -> Expression:
    """Compile once; `with_out` lets it see the result, `with_item` an element, `boolean` demands a rule.

    Raises:
        TransformUnusable: with the field's path, the position and the engine's message.
    """
    try:
        program = _environment(with_out=with_out, with_item=with_item).compile(text)
    except (RuntimeError, ValueError, TypeError) as error:
        raise TransformUnusable(f"{where}: {text!r} is not valid CEL: {_message(error)}") from error
    answers = program.return_type()
    if boolean and answers not in (cel.Type.BOOL, cel.Type.DYN):
        raise TransformUnusable(f"{where}: {text!r} must answer true or false, and answers {answers!r}")
    return Expression(where, text, names(text, "doc"), names(text, "out"), program, _presence(text))


def _presence(text: str) -> tuple[str, bool] | None:
    match = PRESENCE.fullmatch(text)
    return (match[2], not match[1]) if match else None


def scope(variables: Mapping[str, Any], **documents: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of one record, with plain documents made ready for the engine.

    Raises:
        Refused: when a document holds what the engine cannot take.
    """
    return {**variables, **{name: _plain(document) for name, document in documents.items()}}


def variables(named: Iterable[str], *, path: str, entity: str | None, now: datetime) -> dict[str, Any]:
    """Of the variables beside `doc` and `out` those that are named; a record without an entity has an empty one."""
    known: dict[str, Any] = {}
    for name in named:
        match name:
            case "now":
                known[name] = now
            case "id":
                known[name] = _plain(path.rpartition("/")[2])
            case "path":
                known[name] = _plain(path)
            case "entity":
                known[name] = _plain(entity or "")
    return known


@cache
def _environment(*, with_out: bool, with_item: bool) -> Any:
    kinds = {"doc": DOCUMENT, "now": cel.Type.TIMESTAMP}
    kinds |= dict.fromkeys(("id", "path", "entity"), cel.Type.STRING)
    if with_out:
        kinds["out"] = DOCUMENT
    if with_item:
        kinds |= {"item": cel.Type.DYN, "index": cel.Type.INT}
    extensions = [ext_strings.ExtStrings(), ext_math.ExtMath(), ext_encoders.ExtEncoders()]
    return cel.NewEnv(variables=kinds, extensions=extensions)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return StringValue(value=value) if "\0" in value else value
    if kind is dict:
        return {_plain_key(key): item if type(item) in AS_IT_IS else _plain(item) for key, item in value.items()}
    if kind is list:
        return [item if type(item) in AS_IT_IS else _plain(item) for item in value]
    if kind is bytes:
        return bytearray(value)
    if kind is datetime:
        stamp = Timestamp()
        stamp.FromDatetime(value)
        return stamp
    return value


def _plain_key(key: str) -> str:
    if "\0" in key:
        raise Refused("transform", f"the field name {key!r} has a NUL in it, which CEL's engine cannot take")
    return key


def _kind(value: object) -> str:
    return "an unsigned integer beyond 2^63-1" if isinstance(value, int) else f"a {type(value).__name__}"


def _message(error: Exception) -> str:
    # "INVALID_ARGUMENT: ERROR: <input>:1:5: message\n | doc. …": the code and the drawing say nothing new.
    lines = [line for line in str(error).splitlines() if not line.startswith(" |")]
    text = "; ".join(line.replace("INVALID_ARGUMENT: ", "").replace("ERROR: ", "") for line in lines)
    return text.replace("<input>:", "line ").removesuffix(" [INVALID_ARGUMENT]")
