"""What a gate's query asks of Cloud Monitoring, as requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, TimeInterval

if TYPE_CHECKING:
    from firelift.api.gates import CloudMonitoringQuery, SeriesQuery
    from firelift.api.measurement import Window

MAX_BLOCKS = 60
"""How finely a window is divided to learn when the newest point was."""
_COUNTED_BY = {
    "ALIGN_DELTA": "ALIGN_DELTA",
    "ALIGN_RATE": "ALIGN_DELTA",
    "ALIGN_SUM": "ALIGN_SUM",
    "ALIGN_PERCENTILE_99": "ALIGN_SUM",
    "ALIGN_PERCENTILE_95": "ALIGN_SUM",
    "ALIGN_PERCENTILE_50": "ALIGN_SUM",
    "ALIGN_PERCENTILE_05": "ALIGN_SUM",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One ListTimeSeries: a filter, and how its series become one."""

    filter: str
    aligner: str
    reducer: str
    group_by: tuple[str, ...]
    period: timedelta

    def request(self, project: str, window: Window) -> ListTimeSeriesRequest:
        """Return the request over a window."""
        return ListTimeSeriesRequest(
            name=f"projects/{project}",
            filter=self.filter,
            interval=TimeInterval(start_time=window.start, end_time=window.end),
            aggregation=Aggregation(
                alignment_period=self.period,
                per_series_aligner=getattr(Aggregation.Aligner, self.aligner),
                cross_series_reducer=getattr(Aggregation.Reducer, self.reducer),
                group_by_fields=list(self.group_by),
            ),
            view=ListTimeSeriesRequest.TimeSeriesView.FULL,
        )

    def __str__(self) -> str:
        grouped = f" by {', '.join(self.group_by)}" if self.group_by else ""
        return f"{self.filter} | {self.aligner} {self.period.total_seconds():g}s | {self.reducer}{grouped}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The requests of one measurement: of the value (or numerator and denominator), and of what it rests on."""

    values: tuple[Ask, ...]
    activity: Ask

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Every request, the values first."""
        return (*self.values, self.activity)

    def __str__(self) -> str:
        return " over ".join(f"({ask})" for ask in self.values) if len(self.values) > 1 else str(self.values[0])


def plan(query: CloudMonitoringQuery, window: Window, shortest: timedelta) -> Plan:
    """Turn a gate's query into requests, each series aligned to one point over the whole window.

    A single query defaults to ALIGN_MEAN and REDUCE_MEAN, the parts of a ratio to ALIGN_DELTA and REDUCE_SUM. An
    aligned point bears the end of its period as its time, so the newest point's real time needs a request of its own,
    on periods as short as `shortest` allows; the same request counts the samples. Raises ValueError for a query that
    is neither a single one nor a ratio, and for an aligner or reducer that there is not.
    """
    period = window.end - window.start
    if query.query is not None:
        values: tuple[Ask, ...] = (_ask(query.query, "ALIGN_MEAN", "REDUCE_MEAN", period),)
    elif query.numerator is not None and query.denominator is not None:
        values = tuple(_ask(part, "ALIGN_DELTA", "REDUCE_SUM", period) for part in (query.numerator, query.denominator))
    else:
        raise ValueError("a Cloud Monitoring query has either query, or numerator and denominator")
    counted_by = _COUNTED_BY.get(values[-1].aligner, "ALIGN_COUNT")
    activity = Ask(values[-1].filter, counted_by, "REDUCE_SUM", (), _block(period, shortest))
    return Plan(values, activity)


def _ask(query: SeriesQuery, aligner: str, reducer: str, period: timedelta) -> Ask:
    ask = Ask(query.filter, query.aligner or aligner, query.reducer or reducer, query.group_by, period)
    if ask.aligner == "ALIGN_NONE" or ask.aligner not in Aggregation.Aligner.__members__:
        raise ValueError(f"aligner {ask.aligner} does not give one value per window; ALIGN_MEAN, for one, does")
    if ask.reducer not in Aggregation.Reducer.__members__:
        raise ValueError(f"reducer {ask.reducer} is not one of Cloud Monitoring's; REDUCE_MEAN, for one, is")
    return ask


def _block(period: timedelta, shortest: timedelta) -> timedelta:
    second = timedelta(seconds=1)
    for blocks in range(MAX_BLOCKS, 1, -1):
        if not period % (second * blocks) and period / blocks >= shortest:
            return period / blocks
    return period
