"""Numbers with units: a limit as a person writes it, a measurement as a metric carries it, one scale for both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TEXT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)([A-Za-z%]*)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a dimension (``time`` in seconds, ``size`` in bytes, ``ratio``), and what one of it is in the base."""

    name: str
    dimension: str
    factor: Fraction


def _unit(name: str, dimension: str, factor: str) -> Unit:
    return Unit(name, dimension, Fraction(factor))


PLAIN = _unit("", "", "1")
_PERCENT = _unit("%", "ratio", "1/100")
_TIMES = [
    _unit("ns", "time", "1/1000000000"),
    _unit("us", "time", "1/1000000"),
    _unit("ms", "time", "1/1000"),
    _unit("s", "time", "1"),
    _unit("m", "time", "60"),
    _unit("h", "time", "3600"),
]
_SIZES = [
    _unit("B", "size", "1"),
    _unit("KiB", "size", "1024"),
    _unit("MiB", "size", "1048576"),
    _unit("GiB", "size", "1073741824"),
]
LIMIT_UNITS = {unit.name: unit for unit in (PLAIN, _PERCENT, *_TIMES, *_SIZES)}
METRIC_UNITS = {
    **{name: LIMIT_UNITS[name] for name in ("ns", "us", "ms", "s", "h", "%")},
    "min": LIMIT_UNITS["m"],
    "d": _unit("d", "time", "86400"),
    "By": LIMIT_UNITS["B"],
    "KiBy": LIMIT_UNITS["KiB"],
    "MiBy": LIMIT_UNITS["MiB"],
    "GiBy": LIMIT_UNITS["GiB"],
    "kBy": _unit("kB", "size", "1000"),
    "MBy": _unit("MB", "size", "1000000"),
    "GBy": _unit("GB", "size", "1000000000"),
    "1": _unit("", "ratio", "1"),
    "10^2.%": _unit("", "ratio", "1"),
}
"""The units of Cloud Monitoring (a subset of UCUM) that a limit can be compared with."""


class UnitMismatch(ValueError):
    """A limit and a measurement speak of different things."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a unit."""

    number: Fraction
    unit: Unit

    @property
    def base(self) -> Fraction:
        """The number in the base unit of its dimension: seconds, bytes, or a ratio of one."""
        return self.number * self.unit.factor

    def of(self, value: float, unit: str) -> Fraction:
        """A measured value in this quantity's own unit.

        A limit without a unit is compared with the bare number.

        Raises:
            UnitMismatch: if the measurement's unit cannot be brought into this one.
        """
        if not self.unit.dimension:
            return _exact(value)
        measured = METRIC_UNITS.get(unit or ("1" if self.unit.dimension == "ratio" else ""))
        if measured is None or measured.dimension != self.unit.dimension:
            raise UnitMismatch(
                f"the limit is in {self.unit.name}, but the measurement is in {unit or 'a unit that is not known'}"
            )
        return _exact(value) * measured.factor / self.unit.factor

    def text(self, value: Fraction | float) -> str:
        """A value that is in this quantity's unit, in four digits: ``0.41%``, ``250ms``."""
        return f"{number_text(float(value))}{self.unit.name}"


def _exact(value: float) -> Fraction:
    """The number that a person reads: 0.001 is a thousandth, and not the nearest float above it."""
    return Fraction(str(float(value)))


def number_text(value: float) -> str:
    """A number in at most four significant digits, without an exponent where a person would not write one."""
    text = f"{value:.4g}"
    return f"{value:,.0f}" if "e+" in text and abs(value) < 1e15 else text  # noqa: PLR2004 - beyond, digits mislead


def parse(text: str) -> Quantity:
    """A limit such as ``0.1%``, ``200ms``, ``5MiB`` or ``42``.

    Raises:
        ValueError: if the text is no number with one of `LIMIT_UNITS`.
    """
    match = _TEXT.fullmatch(text)
    if match is None or match[2] not in LIMIT_UNITS:
        raise ValueError(f"{text!r} is not a number with one of the units {', '.join(filter(None, LIMIT_UNITS))}")
    return Quantity(Fraction(match[1]), LIMIT_UNITS[match[2]])
