"""logging.googleapis.com v2: metrics made of log entries. Their names may have slashes, escaped in a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Json, Resources, timestamp
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

_METRICS = "v2/projects/{project}/metrics"


class LogsApi:
    """Log metrics by project and name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._metrics = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        one = f"{_METRICS}/{{metric}}"
        return [
            Route("POST", _METRICS, "CreateLogMetric", self._create),
            Route("GET", _METRICS, "ListLogMetrics", listed("metrics", self._metrics)),
            Route("GET", one, "GetLogMetric", lambda call: self._metrics.get(call.name)),
            Route("PUT", one, "UpdateLogMetric", self._put),
            Route("DELETE", one, "DeleteLogMetric", self._delete),
        ]

    def _create(self, call: Call) -> Json:
        _check(call.body)
        now = timestamp(self._clock.now())
        metric = {**call.body, "createTime": now, "updateTime": now}
        return self._metrics.add(f"{call.name}/{call.body['name']}", metric)

    def _put(self, call: Call) -> Json:
        """Replace a metric, or make it when there is none, as the service does."""
        _check({"name": call.path["metric"], **call.body})
        now = timestamp(self._clock.now())
        made = self._metrics.get(call.name)["createTime"] if call.name in self._metrics else now
        times = {"createTime": made, "updateTime": now}
        return self._metrics.put(call.name, {**call.body, "name": call.path["metric"], **times})

    def _delete(self, call: Call) -> Json:
        self._metrics.remove(call.name)
        return {}


def _check(metric: Json) -> None:
    if not metric.get("name") or not metric.get("filter"):
        raise invalid("a log metric needs a name and a filter")
