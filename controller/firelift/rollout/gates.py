"""What one interval of a gate says: a verdict, and a sentence with both numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firelift.api.gates import GateSpec, Limit
from firelift.api.measurement import Measurement, Window
from firelift.api.quantity import Quantity, UnitMismatch, number_text, parse
from firelift.rollout.condition import ConditionError, holds
from firelift.rollout.state import GateRecord, GateVerdict, Judged

MISSED_PER_TURN = 20
"""How many intervals of one gate are asked for in one turn."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(seconds=60)
_QUEUES = 3
"""Steps that began within as many seconds ask at the same moment."""


@dataclass(frozen=True, slots=True)
class _Bound:
    limit: Quantity
    upper: bool

    def broken_by(self, value: float, unit: str) -> bool:
        measured = self.limit.of(value, unit)
        return measured > self.limit.number if self.upper else measured < self.limit.number

    def sentence(self, value: float, unit: str, *, broken: bool) -> str:
        sign = (">" if broken else "≤") if self.upper else ("<" if broken else "≥")
        measured = self.limit.of(value, unit)
        return f"{self.limit.text(measured)} {sign} {self.limit.text(self.limit.number)}"


def windows_due(gate: GateSpec, record: GateRecord, now: datetime) -> tuple[Window, ...]:
    """The windows that can be judged now, oldest first, at most `MISSED_PER_TURN`.

    The first one begins with the first whole minute of `record.since`, where interval and window are whole minutes, as
    the points of most metrics are; else with its first whole second. Each other one ends `intervalSeconds` behind the
    one before. They are asked for when `delaySeconds` have passed since their end, and up to 20 s more for those that
    end with a minute: else all rollouts would ask, and be written, at the same moment.
    """
    first, last = _next_end(gate, record), now - _delay(gate, record)
    step, width = timedelta(seconds=gate.interval_seconds), timedelta(seconds=gate.window_seconds)
    count = min(MISSED_PER_TURN, (last - first) // step + 1) if last >= first else 0
    return tuple(Window(first + i * step - width, first + i * step) for i in range(count))


def is_newest(gate: GateSpec, window: Window, now: datetime) -> bool:
    """Whether no later window of the gate can be judged yet."""
    return window.end + timedelta(seconds=gate.interval_seconds + gate.delay_seconds) > now


def next_due(gate: GateSpec, record: GateRecord) -> datetime:
    """When the next window can be judged."""
    return _next_end(gate, record) + _delay(gate, record)


def intervals(gate: GateSpec, seconds: int) -> int:
    """How many windows fit into a soak of this length; at least one, because no data is never success."""
    return max(1, (seconds - gate.window_seconds) // gate.interval_seconds + 1)


def judge(gate: GateSpec, window: Window, measurement: Measurement) -> Judged:
    """The verdict on one measurement. An error is not a failure, and neither is the absence of data."""
    verdict, message = _verdict(gate, window, measurement)
    value = measurement.value
    return Judged(
        window_end=window.end,
        verdict=verdict,
        value="" if value is None or math.isnan(value) else value_text(gate.limit, value, measurement.unit)[:128],
        limit=limit_text(gate.limit),
        samples=max(0, measurement.samples),
        query=measurement.query[:512],
        message=message[:512],
    )


def limit_text(limit: Limit) -> str:
    """The limit as a person reads it: ``≤ 0.1%``."""
    if limit.condition is not None:
        return limit.condition[:128]
    parts = [f"≥ {limit.min}" if limit.min else "", f"≤ {limit.max}" if limit.max else ""]
    return " and ".join(filter(None, parts))


def value_text(limit: Limit, value: float, unit: str) -> str:
    """A measured value in the unit of its limit, else in its own."""
    text = limit.max or limit.min
    if text is not None and limit.condition is None and math.isfinite(value):
        try:
            quantity = parse(text)
            return quantity.text(quantity.of(value, unit))
        except ValueError:
            pass
    return f"{number_text(value)}{'' if unit == '1' else unit}"


def _verdict(gate: GateSpec, window: Window, measurement: Measurement) -> tuple[GateVerdict, str]:
    if measurement.error is not None:
        return GateVerdict.ERROR, measurement.error or "the query failed"
    if measurement.value is None or math.isnan(measurement.value):
        absent = measurement.absent or "the query answered nothing"
        return GateVerdict.NO_DATA, absent if measurement.value is None else "the value is NaN"
    if measurement.samples < gate.min_samples:
        return GateVerdict.NO_DATA, f"{measurement.samples:,} samples < {gate.min_samples:,}"
    if age := _too_old(gate, window, measurement):
        return GateVerdict.STALE, f"the newest point is {age:,.0f}s old > {gate.freshness_seconds:,}s"
    verdict, message = _compare(gate.limit, measurement.value, measurement)
    return verdict, f"{message}; {measurement.told}" if measurement.told else message


def _too_old(gate: GateSpec, window: Window, measurement: Measurement) -> float:
    if not gate.freshness_seconds or measurement.newest is None:
        return 0.0
    age = (window.end - measurement.newest).total_seconds()
    return age if age > gate.freshness_seconds else 0.0


def _compare(limit: Limit, value: float, measurement: Measurement) -> tuple[GateVerdict, str]:
    if not math.isfinite(value):
        return GateVerdict.ERROR, f"the value is {value}"
    try:
        if limit.condition is not None:
            return _by_condition(limit.condition, value, measurement)
        return _by_bounds(limit, value, measurement.unit)
    except (UnitMismatch, ConditionError, ValueError) as error:
        return GateVerdict.ERROR, str(error)


def _by_condition(condition: str, value: float, measurement: Measurement) -> tuple[GateVerdict, str]:
    true = holds(condition, value, measurement.samples)
    shown = f"{number_text(value)}{'' if measurement.unit == '1' else measurement.unit}"
    sentence = f"{condition} is {'true' if true else 'false'} of {shown}, {measurement.samples:,} samples"
    return (GateVerdict.PASS if true else GateVerdict.FAIL), sentence


def _by_bounds(limit: Limit, value: float, unit: str) -> tuple[GateVerdict, str]:
    bounds = [_Bound(parse(text), upper) for text, upper in ((limit.max, True), (limit.min, False)) if text]
    if not bounds:
        return GateVerdict.ERROR, "the gate has no limit"
    for bound in bounds:
        if bound.broken_by(value, unit):
            return GateVerdict.FAIL, bound.sentence(value, unit, broken=True)
    return GateVerdict.PASS, " and ".join(bound.sentence(value, unit, broken=False) for bound in bounds)


def _next_end(gate: GateSpec, record: GateRecord) -> datetime:
    """At least one interval behind the last one that was judged, also where an earlier version has judged it."""
    grain = _MINUTE if _by_minutes(gate) else timedelta(seconds=1)
    first = _EPOCH - (_EPOCH - record.since) // grain * grain + timedelta(seconds=gate.window_seconds)
    if record.cursor < first:
        return first
    step = timedelta(seconds=gate.interval_seconds)
    return first - (first - record.cursor) // step * step + step


def _delay(gate: GateSpec, record: GateRecord) -> timedelta:
    """The gate's own, and the rollout's place in the queue, by the second at which its step began."""
    seconds = record.since.second // _QUEUES if _by_minutes(gate) else 0
    return timedelta(seconds=gate.delay_seconds + seconds)


def _by_minutes(gate: GateSpec) -> bool:
    return not (gate.interval_seconds % _MINUTE.seconds or gate.window_seconds % _MINUTE.seconds)
