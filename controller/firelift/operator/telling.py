"""Telling people: the status once per turn, one log line per change, and Prometheus at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from firelift.kube.client import Json
from firelift.kube.objects import CustomObject, CustomResource
from firelift.operator.crowd import Crowd
from firelift.operator.memory import TurnMemory
from firelift.operator.services import Services
from firelift.operator.status import worth_writing
from firelift.operator.telemetry.board import Board
from firelift.operator.wakeups import Key

_WRITES_A_SECOND = 5
"""Of statuses in which only numbers have moved. Each takes the API server 15 to 40 ms of a processor."""

_LONGEST_SECONDS = 60.0
"""Between two of them of one object, however many there are."""

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Voice(Generic[Parsed]):
    """How one kind is told of: its name in the log, of what changes a line is logged, and what is left without numbers.

    `logged` begins with the reason; the rest says where it stands.
    """

    kind: str
    resource: CustomResource[Parsed]
    board: Board
    logged: tuple[str, ...]
    essence: Callable[[Json], Json]


class StatusTeller(Generic[Parsed]):
    """Writes statuses, each only on the very version of the object that was read."""

    def __init__(self, services: Services, voice: Voice[Parsed]) -> None:
        self._services = services
        self._voice = voice
        self._moving = Crowd(services.settings.progress_seconds, _LONGEST_SECONDS, _WRITES_A_SECOND)

    async def tell(self, memory: TurnMemory, seen: CustomObject[Parsed], status: Json) -> CustomObject[Parsed]:
        """Write the status when it is worth it; the object as it is then.

        Raises:
            Changed: the object is no longer as it was read; nothing was written.
        """
        key = Key(seen.namespace, seen.name)
        self._voice.board.tell(key, status)
        self._moving.note(key, belongs=seen.status != status)
        if not worth_writing(
            seen.status,
            status,
            seconds_since_write=memory.seconds_since_status,
            progress_seconds=self._moving.seconds,
            of=self._voice.essence,
        ):
            return seen
        written = await self._voice.resource.write_status(self._services.cluster, seen, status)
        memory.status_time = time.monotonic()
        self._moving.note(key, belongs=False)
        if any(seen.status.get(name) != status.get(name) for name in self._voice.logged):
            self._log(written, seen.status, status)
        return written

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._voice.board.forget(key)
        self._moving.note(key, belongs=False)

    def _log(self, seen: CustomObject[Parsed], before: Json, status: Json) -> None:
        self._services.log.info(
            "state changed",
            kind=self._voice.kind,
            namespace=seen.namespace,
            name=seen.name,
            # `from` is a word of Python.
            **{"from": self._state(before), "to": self._state(status)},
            reason=status.get("reason", ""),
            message=status.get("message", ""),
        )

    def _state(self, status: Json) -> str:
        """`Migrating one-percent/migrate`, or a reason alone."""
        reason, *place = (str(status.get(name) or "") for name in self._voice.logged)
        return " ".join(filter(None, (reason, "/".join(filter(None, place)))))
