"""Telling people about a rollout."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.kube.rollouts import ROLLOUTS, RolloutObject
from firelift.operator import status as statuses
from firelift.operator.memory import ObjectMemory
from firelift.operator.services import Services
from firelift.operator.telling import StatusTeller, Voice
from firelift.rollout.observation import Rollout


class Teller(StatusTeller[Rollout]):
    """Writes the statuses of rollouts."""

    def __init__(self, services: Services) -> None:
        logged = ("reason", "phase", "step")
        super().__init__(services, Voice("rollout", ROLLOUTS, services.metrics.rollouts, logged, statuses.essence))

    async def say(self, memory: ObjectMemory, seen: RolloutObject, reason: Reason, message: str) -> None:
        """Put what was found before a decision could be made into the status as it stands."""
        now, generation = self._services.now(), seen.generation
        status = statuses.told(seen.status, reason, message, generation=generation, now=now, deleting=seen.deleting)
        await self.tell(memory, seen, status)

    async def trouble(self, memory: ObjectMemory, seen: RolloutObject, sentence: str) -> None:
        """Add why a turn failed to the status as it stands."""
        now, generation = self._services.now(), seen.generation
        await self.tell(memory, seen, statuses.with_trouble(seen.status, sentence, generation=generation, now=now))
