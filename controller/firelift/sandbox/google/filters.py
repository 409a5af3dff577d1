"""The part of Cloud Monitoring's filter language that selects time series, as a predicate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firelift.sandbox.google.filter_tokens import Token, tokens
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firelift.sandbox.google.values import Identity, RefusedError

MAX_LENGTH = 2048
"""Characters in a filter (Cloud Monitoring's own limit)."""

_FIELD = re.compile(r"(metric|resource)\.(type|labels?\.[A-Za-z_][\w./-]*)|project")
_FUNCTIONS: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "starts_with": lambda value, given: value.startswith(given[0]),
    "ends_with": lambda value, given: value.endswith(given[0]),
    "has_substring": lambda value, given: given[0] in value,
    "monitoring.regex.full_match": lambda value, given: re.fullmatch(given[0], value) is not None,
    "one_of": lambda value, given: value in given,
}
_ORDERED: dict[str, Callable[[int, int], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator function(arguments)`; a plain value has the function `is`."""

    field: str
    operator: str
    function: str
    arguments: tuple[str, ...]

    def matches(self, identity: Identity) -> bool:
        """Tell whether a series has what is asked."""
        value = identity.read(self.field)
        if self.operator in _ORDERED:
            return value.lstrip("-").isdigit() and _ORDERED[self.operator](int(value), int(self.arguments[0]))
        if self.operator == ":":
            return self.arguments[0].lower() in value.lower()
        equal = (
            value == self.arguments[0] if self.function == "is" else _FUNCTIONS[self.function](value, self.arguments)
        )
        return equal if self.operator == "=" else not equal


@dataclass(frozen=True, slots=True)
class Combined:
    """Several expressions joined by `AND` or `OR`, or one under `NOT`."""

    operator: str
    parts: tuple[Expression, ...]

    def matches(self, identity: Identity) -> bool:
        """Tell whether a series satisfies the parts, combined."""
        answers = (part.matches(identity) for part in self.parts)
        if self.operator == "NOT":
            return not any(answers)
        return all(answers) if self.operator == "AND" else any(answers)


Expression = Comparison | Combined


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """A filter that names exactly one metric type, and the condition on its series."""

    metric: str
    condition: Expression

    def matches(self, identity: Identity) -> bool:
        """Tell whether a series is selected."""
        return self.condition.matches(identity)


def parse(text: str) -> SeriesFilter:
    """Read a filter of ListTimeSeries. Raises RefusedError (INVALID_ARGUMENT) in Cloud Monitoring's words."""
    if len(text) > MAX_LENGTH:
        raise _bad(text, f"a filter has at most {MAX_LENGTH} characters, this one has {len(text)}")
    parser = _Parser(text)
    condition = parser.conjunction()
    parser.finish()
    for group in ("metric.labels", "resource.labels"):
        if len(set(_joiners(condition, group))) > 1:
            raise _bad(text, f"AND and OR cannot be mixed for '{group}' restrictions.")
    named = {name for part in _conjuncts(condition) for name in _metrics(part)}
    if len(named) != 1:
        raise _bad(text, f'must specify exactly one metric type (metric.type = "..."), found {len(named)}')
    return SeriesFilter(named.pop(), condition)


def _bad(text: str, reason: str) -> RefusedError:
    return invalid(f'Field filter had an invalid value of "{text}": {reason}')


def _metrics(part: Expression) -> tuple[str, ...]:
    match part:
        case Comparison("metric.type", "=", "is", arguments):
            return arguments
        case _:
            return ()


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Combined) and expression.operator == "AND":
        for part in expression.parts:
            yield from _conjuncts(part)
    else:
        yield expression


def _mentions(expression: Expression, group: str) -> bool:
    if isinstance(expression, Comparison):
        return expression.field.startswith(group + ".")
    return any(_mentions(part, group) for part in expression.parts)


def _joiners(expression: Expression, group: str) -> Iterator[str]:
    if isinstance(expression, Combined):
        if sum(_mentions(part, group) for part in expression.parts) > 1:
            yield expression.operator
        for part in expression.parts:
            yield from _joiners(part, group)


class _Parser:
    """Recursive descent; NOT binds tightest, then OR, then AND, as in Google's other filters (AIP-160)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text, lambda reason: _bad(text, reason)))
        self._next = 0

    def conjunction(self) -> Expression:
        parts = [self._disjunction()]
        while self._peek().kind not in {"end", ")"}:
            self._accept("AND")
            parts.append(self._disjunction())
        return parts[0] if len(parts) == 1 else Combined("AND", tuple(parts))

    def finish(self) -> None:
        self._expect("end")

    def _disjunction(self) -> Expression:
        parts = [self._negation()]
        while self._accept("OR"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Combined("OR", tuple(parts))

    def _negation(self) -> Expression:
        if self._accept("NOT") or self._accept("-"):
            return Combined("NOT", (self._negation(),))
        if self._accept("("):
            inner = self.conjunction()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._expect("word").text
        if not _FIELD.fullmatch(field) or field == "project":
            raise _bad(self._text, f"{field!r} is not a selector of time series that is served here")
        field = field.replace(".label.", ".labels.")
        operator = self._expect("operator").text
        function, arguments = self._operand()
        if operator in _ORDERED and not (function == "is" and arguments[0].lstrip("-").isdigit()):
            raise _bad(self._text, f"{operator} compares whole numbers only")
        if operator == ":" and function != "is":
            raise _bad(self._text, f"{operator} cannot be used with {function}()")
        return Comparison(field, operator, function, arguments)

    def _operand(self) -> tuple[str, tuple[str, ...]]:
        token = self._take()
        if token.kind == "string" or (token.kind == "word" and self._peek().kind != "("):
            return "is", (token.text,)
        if token.kind != "word" or token.text not in _FUNCTIONS:
            raise _bad(self._text, f"{token.text!r} is not a value; functions are {', '.join(sorted(_FUNCTIONS))}")
        return token.text, self._arguments(token.text)

    def _arguments(self, function: str) -> tuple[str, ...]:
        self._expect("(")
        arguments = [self._expect("string").text]
        while self._accept(","):
            arguments.append(self._expect("string").text)
        self._expect(")")
        if len(arguments) > 1 and function != "one_of":
            raise _bad(self._text, f"{function}() takes one argument, got {len(arguments)}")
        if function == "monitoring.regex.full_match":
            self._check_pattern(arguments[0])
        return tuple(arguments)

    def _check_pattern(self, pattern: str) -> None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise _bad(self._text, f"{pattern!r} is not a regular expression: {error}") from error

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _accept(self, kind: str) -> bool:
        found = self._peek().kind == kind
        if found:
            self._take()
        return found

    def _expect(self, kind: str) -> Token:
        token = self._take()
        if token.kind != kind:
            found = token.text or "the end"
            raise _bad(self._text, f"expected {kind} at character {token.position}, found {found!r}")
        return token
