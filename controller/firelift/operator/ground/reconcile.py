"""The turn of an environment: observe, decide, remember, tell, act."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from firelift.environment.intents import Decision
from firelift.environment.machine import decide, initial_state
from firelift.environment.state import EnvironmentState
from firelift.kube import memories
from firelift.kube.environments import ENVIRONMENTS, EnvironmentObject
from firelift.kube.memories import Memory
from firelift.operator.ground import farewell
from firelift.operator.ground import material as materials
from firelift.operator.ground import status as statuses
from firelift.operator.ground.act import Actor
from firelift.operator.ground.material import Material
from firelift.operator.ground.observe import observe
from firelift.operator.ground.services import Ground
from firelift.operator.ground.show import Showcase, Shown
from firelift.operator.ground.tell import Teller
from firelift.operator.memory import TurnMemory
from firelift.operator.turns import guarded
from firelift.operator.wakeups import Key

AGAIN_SECONDS = 0.05
_LACKING_SECONDS = 5.0
"""Nothing tells that what is missing has come, or that a right was given."""
_LEAVING_SECONDS = 5.0
"""Nothing tells that a run of another operator has ended."""


@dataclass(slots=True)
class ObjectMemory(TurnMemory):
    """Of an environment, between two turns. All of it may be lost at any time: it only saves work."""

    shown: Shown = field(default_factory=Shown)

    def belongs_to(self, uid: str) -> None:
        """Forget what was known of an earlier object of this name."""
        if self.uid != uid:
            self.uid, self.shown, self.status_time = uid, Shown(), float("-inf")


class Reconciler:
    """Turns for all environments."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._teller = Teller(ground.services)
        self._memories: dict[Key, ObjectMemory] = {}

    async def turn(self, key: Key) -> float | None:
        """One turn; in how many seconds the next one is due, None when the object is gone.

        Raises:
            LeadershipLost: this process may change nothing any more.
        """
        services = self._ground.services
        memory = self._memories.setdefault(key, ObjectMemory())

        async def attempt() -> float | None:
            return await self._turn(key, memory)

        async def trouble(sentence: str) -> None:
            seen = await ENVIRONMENTS.read(services.cluster, *key)
            if seen is not None:
                await self._teller.trouble(memory, seen, sentence)

        return await guarded(
            services, memory, services.log.bind(environment=str(key)), attempt, trouble, kind="environment"
        )

    async def _turn(self, key: Key, memory: ObjectMemory) -> float | None:
        cluster = self._ground.services.cluster
        seen = await ENVIRONMENTS.read(cluster, *key)
        if seen is None or (seen.deleting and not seen.held):
            self._memories.pop(key)
            self._teller.forget(key)
            return None
        memory.belongs_to(seen.uid)
        if seen.value is None:
            return await self._unread(key, memory, seen)
        environment = replace(seen.value, tenancy=await self._ground.services.tenancies.of(seen.namespace))
        held = await memories.read(cluster, self._ground.memory(environment))
        state = held.state or initial_state(environment)
        self._ground.runs.forget(key, state.run.id if state.run is not None else "")
        material = await materials.gather(cluster, environment, self._ground.modules, self._ground.namespace)
        return await self._follow(memory, seen, held, state, material)

    async def _unread(self, key: Key, memory: ObjectMemory, seen: EnvironmentObject) -> float:
        """Of a spec that nobody can read one thing is heeded: that a deleted object is to be let go."""
        if seen.deleting and await farewell.possible(self._ground, key, seen):
            await farewell.bid(self._ground, seen)
            return AGAIN_SECONDS
        await self._teller.invalid(memory, seen, farewell.sentence(seen))
        settings = self._ground.services.settings
        return _LEAVING_SECONDS if seen.deleting else settings.resync_seconds

    async def _follow(
        self, memory: ObjectMemory, seen: EnvironmentObject, held: Memory, state: EnvironmentState, material: Material
    ) -> float:
        """Decide, then do all that follows from it, each thing only when the one before it was taken."""
        cluster = self._ground.services.cluster
        decision = decide(material.environment, state, await observe(self._ground, memory, seen, state, material))
        # The finalizer first: a ground that is made without it would be nobody's after a deletion.
        if decision.finalizer and not seen.held and not seen.deleting:
            seen = await ENVIRONMENTS.hold(cluster, seen)
        if held.state is None or decision.state != state:
            held = await memories.write(cluster, held, decision.state)
        # Shown before it is told: whoever reads of a plan in the status finds its text.
        problems = await self._showcase(material).show(decision.state, memory.shown)
        seen = await self._teller.tell(memory, seen, statuses.dump(decision.status))
        actor = Actor(self._ground, material, held)
        for intent in decision.intents:
            await actor.act(intent)
        if not decision.finalizer and seen.held:
            await ENVIRONMENTS.let_go(cluster, seen)
            return AGAIN_SECONDS
        told = memory.problems
        memory.succeeded()
        memory.problems = tuple(problems)
        if memory.problems != told:
            return AGAIN_SECONDS
        return self._seconds_until(decision, lacking=bool(material.inputs.missing or problems))

    def _showcase(self, material: Material) -> Showcase:
        services, environment = self._ground.services, material.environment
        return Showcase(services.cluster, self._ground.bundles(environment), environment, services.now())

    def _seconds_until(self, decision: Decision, *, lacking: bool) -> float:
        services = self._ground.services
        seconds = min((decision.due - services.now()).total_seconds(), services.settings.resync_seconds)
        return max(min(seconds, _LACKING_SECONDS) if lacking else seconds, AGAIN_SECONDS)
