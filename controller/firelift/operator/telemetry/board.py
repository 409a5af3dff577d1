"""What each object of a kind says at this moment, for Prometheus to read whenever it comes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from prometheus_client import Metric
from prometheus_client.registry import Collector

from firelift.kube.client import Json
from firelift.operator.wakeups import Key


@dataclass(frozen=True, slots=True)
class Told:
    """An object's status as it was told last, and the numbers that it has only as text."""

    status: Json
    progress: float | None = None
    """Share of the work of the step at hand, from 0 to 1."""
    rate: float = 0.0
    """Documents per second."""


Listener = Callable[[Key, Told | None], None]
"""Hears what each object says, and None when it is gone."""


def nobody(key: Key, told: Told | None) -> None:
    """Where nobody listens."""


Series = Callable[[Mapping[Key, Told]], Iterable[Metric]]
"""Pure: what is told, as samples."""


class Board(Collector):
    """Written by the event loop and read by the thread that serves Prometheus; what is gone leaves no series."""

    def __init__(self, series: Series, listener: Listener = nobody) -> None:
        self._series = series
        self._listener = listener
        self._told: dict[Key, Told] = {}

    def tell(self, key: Key, status: Json) -> None:
        """This is the object's status now."""
        self._put(key, replace(self._told.get(key, Told(status)), status=status))

    def measure(self, key: Key, progress: float | None, rate: float) -> None:
        """So far is it, and so fast."""
        if (told := self._told.get(key)) is not None:
            self._put(key, replace(told, progress=progress, rate=rate))

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._told.pop(key, None)
        self._listener(key, None)

    def collect(self) -> Iterable[Metric]:
        """Samples of all objects."""
        return self._series(self._told.copy())

    def _put(self, key: Key, told: Told) -> None:
        if self._told.get(key) != told:
            self._told[key] = told
            self._listener(key, told)
