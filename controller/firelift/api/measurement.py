"""What a gate's query answered: facts, before any verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, aware datetimes; `start` exclusive, `end` inclusive, as Cloud Monitoring counts."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value and what it rests on.

    `value` None means no data, NaN stays NaN. `samples` is the denominator's sum, else the distribution's count, else
    the number of points. `unit` is Cloud Monitoring's (``ms``, ``s``, ``By``, ``1``, empty when unknown); a ratio's is
    ``1``. `newest` is the time of the newest point. `error` is the sentence of a failed query, `absent` why there is no
    data where that is known, `told` what the source says of the value in words.
    """

    value: float | None
    samples: int
    unit: str
    query: str
    time: datetime
    newest: datetime | None = None
    error: str | None = None
    absent: str = ""
    told: str = ""
