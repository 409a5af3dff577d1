"""What the page shows: statuses as told last, and the last hour of rates and gates. It goes with the process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from firelift.kube.client import Json
from firelift.operator.telemetry.board import Told
from firelift.operator.telemetry.rollouts import bounds, number
from firelift.operator.wakeups import Key

SECONDS_BETWEEN_POINTS = 10.0
POINTS = 360
"""An hour, at the least pause between two points."""

Clock = Callable[[], float]
Name = tuple[str, Key]
"""A kind, in lower case, and an object of it."""


@dataclass(slots=True)
class Shown:
    """An object, and its points: Unix seconds, documents per second, and each gate's value."""

    told: Told
    changed: int
    points: deque[tuple[float, float, dict[str, float]]] = field(default_factory=lambda: deque(maxlen=POINTS))


class Live:
    """Written by the event loop and read by the page's threads."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._shown: dict[Name, Shown] = {}
        self._version = 0
        self._news = threading.Condition()

    def hear(self, kind: str, key: Key, told: Told | None) -> None:
        """An object of this kind says this now; None: it is gone."""
        with self._news:
            self._version += 1
            if told is None:
                self._shown.pop((kind, key), None)
            else:
                shown = self._shown.setdefault((kind, key), Shown(told, 0))
                shown.told, shown.changed = told, self._version
                self._note(shown)
            self._news.notify_all()

    def wait(self, version: int, seconds: float) -> int:
        """The version at hand, as soon as it is another one than this, or when the time is over."""
        with self._news:
            self._news.wait_for(lambda: self._version != version, timeout=seconds)
            return self._version

    def everything(self) -> Json:
        """A line for each object, by kind."""
        with self._news:
            shown = list(self._shown.items())
        kinds: dict[str, list[Json]] = {"rollout": [], "environment": []}
        for (kind, key), each in sorted(shown, key=lambda item: item[0]):
            kinds[kind].append(_line(key, each.told))
        return {f"{kind}s": lines for kind, lines in kinds.items()}

    def one(self, kind: str, key: Key) -> Json | None:
        """All that is known of an object; None when there is none of that name."""
        with self._news:
            shown = self._shown.get((kind, key))
            points = list(shown.points) if shown is not None else []
        if shown is None:
            return None
        status = shown.told.status
        limits = {gate["name"]: bounds(gate.get("limit", "")) for gate in status.get("gates", ())}
        return {**_line(key, shown.told), "status": status, "points": points, "limits": limits}

    def _note(self, shown: Shown) -> None:
        now = self._clock()
        if shown.points and now - shown.points[-1][0] < SECONDS_BETWEEN_POINTS:
            return
        shown.points.append((round(now, 1), shown.told.rate, dict(_values(shown.told.status))))


def _values(status: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for gate in status.get("gates", ()):
        if (value := number(gate.get("value", ""))) is not None:
            yield gate["name"], value


def _line(key: Key, told: Told) -> Json:
    status = told.status
    said = {name: status.get(name, "") for name in ("reason", "message", "phase", "step", "progress", "gatesSummary")}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    return {**key._asdict(), **said, "conditions": conditions, "share": told.progress, "rate": told.rate}
