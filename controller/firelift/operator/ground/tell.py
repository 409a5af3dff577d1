"""Telling people about an environment."""

from __future__ import annotations

from firelift.environment.observation import Environment
from firelift.kube.environments import ENVIRONMENTS, EnvironmentObject
from firelift.operator.ground import status as statuses
from firelift.operator.memory import TurnMemory
from firelift.operator.services import Services
from firelift.operator.telling import StatusTeller, Voice


class Teller(StatusTeller[Environment]):
    """Writes the statuses of environments."""

    def __init__(self, services: Services) -> None:
        board = services.metrics.environments
        super().__init__(services, Voice("environment", ENVIRONMENTS, board, ("reason",), statuses.essence))

    async def invalid(self, memory: TurnMemory, seen: EnvironmentObject, sentence: str) -> None:
        """Say that nobody can read the spec."""
        now, generation = self._services.now(), seen.generation
        await self.tell(memory, seen, statuses.refused(seen.status, sentence, generation=generation, now=now))

    async def trouble(self, memory: TurnMemory, seen: EnvironmentObject, sentence: str) -> None:
        """Add why a turn failed to the status as it stands."""
        now, generation = self._services.now(), seen.generation
        await self.tell(memory, seen, statuses.with_trouble(seen.status, sentence, generation=generation, now=now))
