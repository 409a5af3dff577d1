"""Durations on the command line, as `kubectl --timeout` takes them."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_PART = re.compile(r"([0-9]+)(d|h|m|s)")
_WHOLE = re.compile(r"([0-9]+(d|h|m|s))+")
_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_LONGEST = timedelta(days=365)


class DurationType(click.ParamType[timedelta]):
    """Such as ``90s``, ``30m``, ``1h30m`` or ``7d``; more than nothing, and a year at most."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse it."""
        if isinstance(value, timedelta):
            return value
        parts = _PART.findall(str(value)) if _WHOLE.fullmatch(str(value)) else []
        found = timedelta(seconds=min(10**9, sum(int(number) * _SECONDS[unit] for number, unit in parts)))
        if not timedelta() < found <= _LONGEST:
            self.fail(f"{value!r} must be a duration such as 90s, 30m, 1h30m or 7d, and 365d at most", param, ctx)
        return found
