"""Bars and sparklines of a few characters."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"
_FULL, _EMPTY = "█", "░"
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NO_VALUE = "·"


def sparkline(values: Sequence[str], limit: str = "") -> str:
    """A character for each value such as ``0.41%``, against the largest of them and of the numbers in the limit."""
    numbers = [_number(value) for value in values]
    top = max([abs(each) for each in (*numbers, *_limits(limit)) if each is not None], default=0.0)
    return "".join(_NO_VALUE if each is None else _level(abs(each), top) for each in numbers)


def bar(share: float, width: int) -> str:
    """A bar that is filled to a share between 0 and 1."""
    filled = math.floor(max(0.0, min(1.0, share)) * width)
    return _FULL * filled + _EMPTY * (width - filled)


def _level(value: float, top: float) -> str:
    return _LEVELS[min(len(_LEVELS) - 1, int(value / top * len(_LEVELS)))] if top else _LEVELS[0]


def _number(value: str) -> float | None:
    found = _NUMBER.match(value.replace(",", ""))
    return float(found.group()) if found else None


def _limits(limit: str) -> list[float | None]:
    return [_number(each) for each in _NUMBER.findall(limit)] if limit[:1] in {"≤", "≥"} else []
