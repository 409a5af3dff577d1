"""ListTimeSeries: from a request and the stored series to the pages of an answer."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from google.cloud.monitoring_v3 import Aggregation
from google.cloud.monitoring_v3 import ListTimeSeriesRequest as View

from firelift.sandbox.google.align import Periods, align
from firelift.sandbox.google.filters import parse
from firelift.sandbox.google.reduce import reduce_series
from firelift.sandbox.google.values import SECOND, Series, invalid
from firelift.sandbox.google.wire import ListTimeSeriesResponse, project_of, write_series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firelift.sandbox.google.series import SeriesStore

MAX_PAGE = 100_000
"""Points (view FULL) or series (view HEADERS) in one answer (Cloud Monitoring's own limit)."""


class Interval:
    """The half-open time (start, end] of a read, in nanoseconds."""

    def __init__(self, message: Any) -> None:
        if not message.HasField("start_time") or not message.HasField("end_time"):
            raise invalid("Field interval had an invalid value: startTime and endTime must be specified.")
        self.start: int = message.start_time.ToNanoseconds()
        self.end: int = message.end_time.ToNanoseconds()
        if self.start >= self.end:
            raise invalid("Field interval had an invalid value: startTime must be earlier than endTime.")

    def holds(self, time: int) -> bool:
        """Tell whether a point that ends then is inside."""
        return self.start < time <= self.end


def answer(request: Any, store: SeriesStore, newest: int, shortest: int) -> list[Series]:
    """Return the series that a ListTimeSeries request asks for, points oldest first.

    `newest` hides later points (nanoseconds); `shortest` is the least alignment period (seconds).
    """
    interval = Interval(request.interval)
    if request.order_by:
        raise invalid("Field orderBy is unsupported: it must be left blank.")
    series = list(store.select(project_of(request.name), parse(request.filter), newest))
    if request.HasField("aggregation"):
        series = aggregate(series, request.aggregation, interval, shortest)
        if request.HasField("secondary_aggregation"):
            series = aggregate(series, request.secondary_aggregation, interval, shortest)
    elif request.HasField("secondary_aggregation"):
        raise invalid("Field secondaryAggregation may only be specified if aggregation is specified.")
    inside = (one.having(tuple(point for point in one.points if interval.holds(point.end))) for one in series)
    return [one for one in inside if one.points]


def aggregate(series: Sequence[Series], message: Any, interval: Interval, shortest: int) -> list[Series]:
    """Align each series, then reduce them, as one Aggregation message says."""
    aligner = Aggregation.Aligner(message.per_series_aligner).name
    reducer = Aggregation.Reducer(message.cross_series_reducer).name
    if aligner == "ALIGN_NONE":
        if reducer != "REDUCE_NONE":
            raise invalid(
                f'Field aggregation.perSeriesAligner had an invalid value of "ALIGN_NONE": '
                f"{reducer} needs aligned series."
            )
        return list(series)
    length = message.alignment_period.ToNanoseconds()
    if length < shortest * SECOND:
        raise invalid(
            f'Field aggregation.alignmentPeriod had an invalid value of "{length / SECOND:g}s": '
            f"the alignment period must be at least {shortest} seconds."
        )
    periods = Periods(interval.start, interval.end, length)
    aligned = [align(one, aligner, periods) for one in series]
    if reducer == "REDUCE_NONE":
        return aligned
    return reduce_series([one for one in aligned if one.points], reducer, list(message.group_by_fields))


def page(request: Any, series: Sequence[Series]) -> Any:
    """Return one page: at most `page_size` points (FULL) or series (HEADERS), and the token of the next one.

    A series that does not fit continues on the next page under the same header, as in the real service.
    """
    size = min(request.page_size or MAX_PAGE, MAX_PAGE)
    if size < 0:
        raise invalid(f"Field pageSize had an invalid value of {request.page_size}: it cannot be negative.")
    header_only = request.view == View.TimeSeriesView.HEADERS
    begin = _offset(request)
    units = {one.unit for one in series}
    response = ListTimeSeriesResponse(unit=units.pop() if len(units) == 1 else "{not_a_unit}" if units else "")
    width: Callable[[Series], int] = (lambda _: 1) if header_only else (lambda one: len(one.points))
    place = 0
    for one in series:
        first, last = max(begin - place, 0), min(begin + size - place, width(one))
        if first < last:
            newest_first = one.points[::-1][first:last]
            response.time_series.append(write_series(one.having(newest_first[::-1]), header_only=header_only))
        place += width(one)
    if begin + size < place:
        response.next_page_token = f"{_fingerprint(request)}.{begin + size}"
    return response


def _offset(request: Any) -> int:
    if not request.page_token:
        return 0
    fingerprint, _, offset = request.page_token.partition(".")
    if fingerprint != _fingerprint(request) or not offset.isdigit():
        raise invalid("Field pageToken had an invalid value: it belongs to another request.")
    return int(offset)


def _fingerprint(request: Any) -> str:
    question = type(request)()
    question.CopyFrom(request)
    question.ClearField("page_token")
    question.ClearField("page_size")
    return hashlib.sha256(question.SerializeToString(deterministic=True)).hexdigest()[:16]
