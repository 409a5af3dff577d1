"""Recorded series of a metric, and how a gate would have decided on them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firelift.api.gates import GateSpec
from firelift.api.measurement import Measurement, Window
from firelift.api.steps import FailureAction
from firelift.cli.exits import Exit, Problem
from firelift.rollout.evidence import Objection, counted_in, objections
from firelift.rollout.gates import judge, windows_due
from firelift.rollout.state import GateRecord, Judged

COLUMNS = "time,value[,samples] or time,numerator,denominator"
_MOST_VERDICTS = 100_000


@dataclass(frozen=True, slots=True)
class Point:
    """One point: a value and what it rests on, or a numerator over a denominator."""

    time: datetime
    value: float
    samples: int
    denominator: float | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """One verdict, and why the rollout would have stopped behind it, if it would."""

    judged: Judged
    objection: Objection | None


def load(path: str) -> list[Point]:
    """The points of a CSV file with a header, in the order of their times.

    Raises:
        Problem: it cannot be read, or a line makes no sense.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            points = [_point(path, number, row) for number, row in enumerate(csv.DictReader(file), 2)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise Problem(f"{path} cannot be read: {error}", Exit.USAGE) from error
    if not points:
        raise Problem(f"{path} has no points; it must be CSV with the columns {COLUMNS}", Exit.USAGE)
    return sorted(points, key=lambda point: point.time)


def replay(gate: GateSpec, points: Sequence[Point], unit: str, default: FailureAction) -> Iterator[Decided]:
    """Judge each interval that the points cover as the operator would have, until it would have stopped.

    The step begins at the first point, and each window is asked for `delaySeconds` after its end.
    """
    record = GateRecord(name=gate.name, since=points[0].time, cursor=points[0].time)
    now = points[-1].time + timedelta(seconds=gate.delay_seconds)
    for _ in range(_MOST_VERDICTS):
        due = windows_due(gate, record, now)[:1]
        if not due:
            return
        judged = judge(gate, due[0], measured(points, due[0], unit))
        record = counted_in(record, judged)
        found = sorted(objections(gate, record, default), key=lambda each: each.action is not FailureAction.REVERT)
        yield Decided(judged, found[0] if found else None)
        if found:
            return


def measured(points: Sequence[Point], window: Window, unit: str) -> Measurement:
    """What a query of the window would have answered: the ratio of sums, else the mean weighted by samples."""
    within = [point for point in points if window.start < point.time <= window.end]
    if not within:
        return Measurement(None, 0, unit, "recorded", window.end, absent="no point of the series lies in the window")
    newest = within[-1].time
    if within[0].denominator is not None:
        below = sum(point.denominator or 0.0 for point in within)
        value = sum(point.value for point in within) / below if below else None
        return Measurement(value, int(below), "1", "recorded", window.end, newest, absent="the denominator is 0")
    samples = sum(point.samples for point in within)
    value = sum(point.value * point.samples for point in within) / samples if samples else None
    return Measurement(value, samples, unit, "recorded", window.end, newest, absent="there are no samples")


def _point(path: str, number: int, row: dict[str, str]) -> Point:
    try:
        time = datetime.fromisoformat(row["time"].strip())
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        if "denominator" in row:
            return Point(time, float(row["numerator"]), 0, float(row["denominator"]))
        return Point(time, float(row["value"]), int(row.get("samples") or 1))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Problem(
            f"{path} line {number}: {error!r}; each line must have {COLUMNS}, times as 2026-11-21T08:00:00Z", Exit.USAGE
        ) from error
