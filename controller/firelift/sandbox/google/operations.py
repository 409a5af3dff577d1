"""Long-running operations: what they say of themselves as the stand-in's clock goes on."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firelift.sandbox.google.resources import Ids, Json, not_found, timestamp
from firelift.sandbox.google.values import SECOND, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

MAX_OPERATIONS = 10_000
"""Kept; the oldest are forgotten first."""
_FILTER = re.compile(r"(?:done\s*[:=]\s*(true|false))?")
_NEVER = sys.maxsize
Metadata = Callable[[float], Json]


@dataclass(slots=True)
class Operation:
    """One operation: over at `ends` on the stand-in's clock, then with `response`, or with `error` if it has one."""

    name: str
    begun: int
    ends: int
    metadata: Metadata
    response: Json
    error: Json | None = None

    def done(self, now: int) -> bool:
        """Tell whether it is over."""
        return now >= self.ends

    def fraction(self, now: int) -> float:
        """Return how much of it is done, from 0 to 1."""
        return 1.0 if self.done(now) else (now - self.begun) / (self.ends - self.begun)

    def told(self, now: int) -> Json:
        """Return it as google.longrunning.Operation in JSON; one that goes on has no `done`."""
        ended: Json = {"endTime": timestamp(self.ends)} if self.done(now) else {}
        metadata = {**self.metadata(self.fraction(now)), "startTime": timestamp(self.begun), **ended}
        answer: Json = {"name": self.name, "metadata": metadata}
        if self.done(now):
            answer |= {"done": True} | ({"error": self.error} if self.error else {"response": self.response})
        return answer


class Operations:
    """The operations of all APIs by name."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._kept: dict[str, Operation] = {}

    def start(self, parent: str, metadata: Metadata, response: Json, seconds: float | None = 0) -> Operation:
        """Begin one below `parent` (empty: `operations/N`), over after so many seconds.

        0 is over at once; None when whoever does the work sets `ends`.
        """
        begun = self._clock.now()
        name = f"{parent}/operations/{self._ids.number()}".lstrip("/")
        ends = _NEVER if seconds is None else begun + round(seconds * SECOND)
        operation = Operation(name, begun, ends, metadata, response)
        self._kept[name] = operation
        if len(self._kept) > MAX_OPERATIONS:
            del self._kept[next(iter(self._kept))]
        return operation

    def begin(self, parent: str, kind: str, response: Json, seconds: float = 0, **metadata: Any) -> Json:
        """Begin one whose metadata of type `kind` never changes, and return it as JSON."""
        told = {"@type": f"type.googleapis.com/{kind}", **metadata}
        return self.start(parent, lambda _fraction: told, response, seconds).told(self._clock.now())

    def find(self, name: str) -> Operation:
        """Return an operation, or raise RefusedError (NOT_FOUND)."""
        if name not in self._kept:
            raise not_found(name)
        return self._kept[name]

    def get(self, name: str) -> Json:
        """Return an operation as it is now."""
        return self.find(name).told(self._clock.now())

    def below(self, parent: str, filter_: str = "") -> list[Json]:
        """Return the operations of a parent as they are now, oldest first.

        Raises RefusedError (INVALID_ARGUMENT) for a filter other than `done:true`, `done:false` or one with `=`.
        """
        match = _FILTER.fullmatch(filter_)
        if match is None:
            raise invalid(f"filter {filter_!r} is not served: done:true or done:false")
        now = self._clock.now()
        kept = [operation for name, operation in self._kept.items() if name.startswith(f"{parent}/operations/")]
        wanted = {"true": {True}, "false": {False}}.get(match[1], {True, False})
        return [operation.told(now) for operation in kept if operation.done(now) in wanted]

    def cancel(self, name: str) -> Json:
        """End an operation that goes on; one that is over stays as it is."""
        operation, now = self.find(name), self._clock.now()
        if not operation.done(now):
            operation.ends, operation.error = now, {"code": 1, "message": "The operation was cancelled."}
        return {}

    def delete(self, name: str) -> Json:
        """Forget an operation; what it does goes on."""
        self.find(name)
        del self._kept[name]
        return {}
