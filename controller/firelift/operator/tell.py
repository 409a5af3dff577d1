"""Telling people: the status once per turn, one log line per change, and how many rollouts say what."""

from __future__ import annotations

import time

from firelift.api.conditions import Reason
from firelift.kube import rollouts
from firelift.kube.client import Json
from firelift.kube.rollouts import RolloutObject
from firelift.operator import status as statuses
from firelift.operator.memory import ObjectMemory
from firelift.operator.services import Services
from firelift.operator.wakeups import Key

_LOGGED = ("reason", "phase", "step")


class Teller:
    """Writes statuses, each only on the very version of the object that was read."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reasons: dict[Key, str] = {}

    async def tell(self, memory: ObjectMemory, seen: RolloutObject, status: Json) -> RolloutObject:
        """Write the status when it is worth it; the object as it is then.

        Raises:
            Changed: the object is no longer as it was read; nothing was written.
        """
        self._count(Key(seen.namespace, seen.name), status.get("reason", ""))
        if not statuses.worth_writing(
            seen.status,
            status,
            seconds_since_write=memory.seconds_since_status,
            progress_seconds=self._services.settings.progress_seconds,
        ):
            return seen
        written = await rollouts.write_status(self._services.cluster, seen, status)
        memory.status_time = time.monotonic()
        if any(seen.status.get(name) != status.get(name) for name in _LOGGED):
            self._log(written, status)
        return written

    async def say(self, memory: ObjectMemory, seen: RolloutObject, reason: Reason, message: str) -> None:
        """Put what was found before a decision could be made into the status as it stands."""
        now, generation = self._services.now(), seen.generation
        status = statuses.told(seen.status, reason, message, generation=generation, now=now, deleting=seen.deleting)
        await self.tell(memory, seen, status)

    async def trouble(self, memory: ObjectMemory, seen: RolloutObject, sentence: str) -> None:
        """Add why a turn failed to the status as it stands."""
        now, generation = self._services.now(), seen.generation
        await self.tell(memory, seen, statuses.with_trouble(seen.status, sentence, generation=generation, now=now))

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._count(key, "")

    def _log(self, seen: RolloutObject, status: Json) -> None:
        fields = {name: status.get(name, "") for name in (*_LOGGED, "message")}
        self._services.log.info("rollout", rollout=f"{seen.namespace}/{seen.name}", **fields)

    def _count(self, key: Key, reason: str) -> None:
        gauge, before = self._services.metrics.rollouts, self._reasons.pop(key, "")
        if before:
            gauge.labels(before).dec()
        if reason:
            gauge.labels(reason).inc()
            self._reasons[key] = reason
