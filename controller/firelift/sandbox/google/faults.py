"""Faults on demand, and the log of what was asked."""

from __future__ import annotations

import random
from collections import Counter, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import grpc
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FAULTS = 100
MAX_REQUESTS = 2_000
Code = Annotated[str, Field(pattern="^(" + "|".join(code.name for code in grpc.StatusCode) + ")$")]


class Fault(BaseModel):
    """What goes wrong, for which calls, how often and how long; several effects of one fault apply together."""

    model_config = ConfigDict(extra="forbid")

    api: str = Field(default="*", description="the API's name, such as firestore or monitoring; * is every one")
    method: str = Field(default="*", description="the method's name, such as ListTimeSeries; * is every one")
    match: str = Field(default="", description="only calls whose filter or resource name contains this")
    latency_ms: int = Field(default=0, ge=0, le=3_600_000, description="how long the call waits first")
    code: Code = Field(default="OK", description="the gRPC status it ends with")
    applied: bool = Field(default=False, description="the call takes effect all the same: only its answer is lost")
    message: str = Field(default="a fault was asked for", max_length=1000)
    probability: float = Field(default=1.0, gt=0, le=1)
    count: int | None = Field(default=None, ge=1, description="how many calls it hits, then it is gone")
    until: AwareDatetime | None = Field(default=None, description="when it ends by itself")
    empty: bool = Field(default=False, description="the answer has no series")
    stale_seconds: int = Field(default=0, ge=0, description="points newer than this are hidden")
    nan: bool = Field(default=False, description="every number in the answer is NaN")


class FaultBook:
    """The faults in force, asked once per call."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._faults: list[Fault] = []
        self._now = now
        self._random = random.Random(0)  # noqa: S311 - repeatable faults, no secrets

    def add(self, fault: Fault) -> None:
        """Put a fault in force. Raises ValueError when 100 are."""
        if len(self.active()) >= MAX_FAULTS:
            raise ValueError(f"{MAX_FAULTS} faults are in force already; delete some first")
        self._faults.append(fault)

    def clear(self) -> None:
        """End every fault."""
        self._faults.clear()

    def active(self) -> list[Fault]:
        """Return the faults in force, oldest first."""
        now = self._now()
        self._faults = [fault for fault in self._faults if fault.until is None or fault.until > now]
        return list(self._faults)

    def strike(self, api: str, method: str, detail: str) -> list[Fault]:
        """Return the faults that hit this call, and use up one of each one's count."""
        return [fault for fault in self.active() if self._hits(fault, api, method, detail)]

    def _hits(self, fault: Fault, api: str, method: str, detail: str) -> bool:
        if fault.api not in {"*", api} or fault.method not in {"*", method} or fault.match not in detail:
            return False
        if self._random.random() >= fault.probability:
            return False
        if fault.count is not None:
            fault.count -= 1
            if not fault.count:
                self._faults.remove(fault)
        return True


class RequestLog:
    """The last 2,000 calls, and how many there were of each method and status since the start."""

    def __init__(self) -> None:
        self._last: deque[dict[str, Any]] = deque(maxlen=MAX_REQUESTS)
        self._counts: Counter[str] = Counter()

    def add(self, method: str, detail: str, code: str, seconds: float) -> None:
        """Note a call that has ended."""
        self._counts[f"{method} {code}"] += 1
        self._last.append(
            {
                "time": datetime.now(UTC).isoformat(),
                "method": method,
                "detail": detail[:500],
                "code": code,
                "milliseconds": round(seconds * 1000, 3),
            }
        )

    def report(self) -> dict[str, Any]:
        """Return {"counts": {"Method CODE": n}, "requests": [oldest … newest]}."""
        return {"counts": dict(self._counts), "requests": list(self._last)}
