"""`limit.condition`: CEL over `value` (double, in the measurement's own unit) and `samples` (int)."""

from __future__ import annotations

import re
from functools import lru_cache

from cel_expr_python import cel

from firelift.api.gates import ARITHMETIC


class ConditionError(ValueError):
    """An expression that does not compile, fails, or answers something else than true or false."""


def holds(expression: str, value: float, samples: int) -> bool:
    """Whether the condition is true.

    Raises:
        ConditionError: with CEL's own sentence.
    """
    answer = _evaluate(expression, value, samples)
    if not isinstance(answer, bool):
        raise ConditionError(f"condition {expression!r} answers {answer!r} where true or false is needed")
    return answer


@lru_cache(maxsize=256)
def check(expression: str) -> str:
    """The sentence of what is wrong with an expression; empty when it compiles."""
    try:
        _compile(expression)
    except ConditionError as error:
        return str(error)
    return ""


def _evaluate(expression: str, value: float, samples: int) -> object:
    try:
        return _compile(expression).eval(data={"value": value, "samples": samples}).value()
    except ConditionError:
        raise
    except Exception as error:  # the library names no class for a failed evaluation
        raise ConditionError(f"condition {expression!r} failed: {error}") from error


@lru_cache(maxsize=256)
def _compile(expression: str) -> cel.Expression:
    # Asked once more of what an older schema has let in, or a ledger holds.
    if re.search(ARITHMETIC, expression) is None:
        raise ConditionError(
            f"condition {expression!r} is more than numbers, comparisons and logic over `value` and `samples`; of "
            "functions there are double() and int()"
        )
    try:
        return _environment().compile(expression)
    except Exception as error:  # the library names no class for a failed compilation
        raise ConditionError(f"condition {expression!r} is not valid CEL: {error}") from error


@lru_cache(maxsize=1)
def _environment() -> cel.Env:
    return cel.NewEnv(variables={"value": cel.Type.DOUBLE, "samples": cel.Type.INT})
