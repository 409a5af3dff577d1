"""The turn: observe, decide, record, tell, act. It never raises for what one object does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from firelift.api.conditions import Reason
from firelift.api.run import RunState
from firelift.kube import rollouts
from firelift.kube.events import Subject
from firelift.kube.rollouts import RolloutObject
from firelift.migration.errors import MoreToDo, StoreError
from firelift.operator import ledger as ledgers
from firelift.operator import status as statuses
from firelift.operator.act import Actor
from firelift.operator.crowd import Crowd
from firelift.operator.lost import farewell, lost
from firelift.operator.measure import Measurer
from firelift.operator.memory import ObjectMemory
from firelift.operator.observe import observe, read_environments
from firelift.operator.orphans import give_locks_back, remove_jobs
from firelift.operator.services import Services
from firelift.operator.show_locks import show_locks
from firelift.operator.speak import send_event
from firelift.operator.tell import Teller
from firelift.operator.turns import guarded
from firelift.operator.wakeups import Key
from firelift.rollout.allowed import Barred, stranger, unclaimed
from firelift.rollout.ground import RolloutKey
from firelift.rollout.intents import Decision, EnsureRun, Intent
from firelift.rollout.machine import decide, initial_state
from firelift.rollout.observation import Rollout
from firelift.rollout.required import unmet_environment
from firelift.rollout.state import RolloutState

AGAIN_SECONDS = 0.05
"""The shortest pause between two turns."""

_TURNS_A_SECOND = 25
"""Of all rollouts at work that nothing wakes. A turn costs the operator some 10 ms of a processor, and the API server
half of that."""

_LEASES_KEPT = 6
"""Turns of a rollout at work within the time that its workers go on without word."""

_RAREST_SECONDS = 10.0
"""Between two turns of a rollout at work: one that nobody watches for longer counts as unwatched, and not as stuck."""

_UNREACHABLE_SECONDS = 2.0
_LEAVING_SECONDS = 1.0
_BARRED_SECONDS = 5.0
"""Nothing tells that a Namespace was changed."""


class Reconciler:
    """Turns for all objects. `poke` marks an object dirty."""

    def __init__(self, services: Services, poke: Callable[[Key], None]) -> None:
        self._services = services
        self._poke = poke
        self._teller = Teller(services)
        self._memories: dict[Key, ObjectMemory] = {}
        settings = services.settings
        self._crowd = Crowd(
            settings.working_seconds, min(settings.run_lease_seconds / _LEASES_KEPT, _RAREST_SECONDS), _TURNS_A_SECOND
        )

    async def turn(self, key: Key) -> float | None:
        """One turn; in how many seconds the next one is due, None when the object is gone.

        Raises:
            LeadershipLost: this process may change nothing any more.
        """
        services = self._services
        memory = self._memories.setdefault(key, self._new_memory())

        async def attempt() -> float | None:
            return await self._turn(key, memory)

        async def trouble(sentence: str) -> None:
            seen = await rollouts.read(services.cluster, *key)
            if seen is not None:
                await self._teller.trouble(memory, seen, sentence)

        return await guarded(services, memory, services.log.bind(rollout=str(key)), attempt, trouble)

    def standing_on(self, environment: Key) -> list[Key]:
        """The rollouts whose last turn has looked at this environment."""
        here = ((key, memory) for key, memory in self._memories.items() if key.namespace == environment.namespace)
        return [key for key, memory in here if environment.name in memory.grounds]

    def resting_on(self, rollout: Key) -> list[Key]:
        """The rollouts whose last turn has looked at this one."""
        seen = RolloutKey(*rollout)
        return [key for key, memory in self._memories.items() if seen in memory.rests_on]

    async def _turn(self, key: Key, memory: ObjectMemory) -> float | None:
        services = self._services
        self._crowd.note(key, belongs=False)
        seen = await rollouts.read(services.cluster, *key)
        if seen is None or (seen.deleting and not seen.held):
            self._forget(key)
            return None
        memory.belongs_to(seen.uid)
        if seen.value is None:
            sentence = f"{seen.invalid}; nothing is done until the manifest is corrected"
            await self._teller.say(memory, seen, Reason.INVALID_SPEC, sentence)
            return services.settings.resync_seconds
        tenancy = await services.tenancies.of(seen.namespace)
        rollout = replace(seen.value, tenancy=tenancy, begun=statuses.begun(seen.status))
        if found := stranger(rollout, held=seen.held):
            return await self._barred(memory, seen, found)
        read = await ledgers.read(services, rollout)
        if read.seen.error or lost(rollout, read, seen.status) or farewell(rollout, read, seen.status):
            return await self._without_ledger(memory, seen, rollout, read)
        if found := unclaimed(rollout, read.seen):
            return await self._barred(memory, seen, found)
        return await self._work(key, memory, seen, rollout, read)

    async def _work(
        self, key: Key, memory: ObjectMemory, seen: RolloutObject, rollout: Rollout, read: ledgers.LedgerRead
    ) -> float:
        services = self._services
        state = read.state or initial_state(rollout, services.now())
        try:
            observation = await observe(services, memory, rollout, state, read, lambda: self._poke(key))
        except (StoreError, TimeoutError) as error:
            return await self._unreachable(memory, seen, ledgers.sentence(rollout, error))
        observation = replace(observation, conditions=statuses.conditions(seen.status))
        try:
            return await self._follow(memory, seen, Actor(services, rollout, read, observation), state)
        except MoreToDo as more:
            await self._teller.say(memory, seen, Reason.STARTING, str(more))
            return AGAIN_SECONDS

    async def _follow(self, memory: ObjectMemory, seen: RolloutObject, actor: Actor, state: RolloutState) -> float:
        """Decide, then do all that follows from it, each thing only when the one before it was taken."""
        decision = decide(actor.rollout, state, actor.observation)
        # What a turn that breaks off has left undone may be of a run that no later turn looks at.
        tidied, memory.tidied = memory.tidied, False
        # The finalizer first: a ledger that is claimed without it would be nobody's after a deletion.
        if decision.finalizer and not seen.held and not seen.deleting:
            seen = await rollouts.hold(self._services.cluster, seen)
        actor.ledger = await ledgers.record(self._services, actor.rollout, actor.ledger, decision)
        seen = await self._teller.tell(memory, seen, statuses.dump(decision.status))
        self._services.metrics.rollouts.measure(
            Key(seen.namespace, seen.name), decision.progress.share, decision.progress.rate
        )
        for intent in decision.intents:
            await self._act(actor, intent)
        memory.pace, memory.lease = actor.pace, await actor.settle_pace(memory.lease)
        memory.refusals = actor.refusals
        await actor.tidy(thoroughly=not tidied)
        await show_locks(self._services, memory, actor.rollout, actor.observation.locks)
        if not decision.finalizer and seen.held:
            await rollouts.let_go(self._services.cluster, seen)
        memory.tidied = True
        memory.succeeded()
        return AGAIN_SECONDS if actor.news else self._seconds_until(Key(seen.namespace, seen.name), decision)

    async def _barred(self, memory: ObjectMemory, seen: RolloutObject, found: Barred) -> float:
        """Nothing is its own in that database, so nothing keeps it either."""
        if seen.deleting:
            await rollouts.let_go(self._services.cluster, seen)
            return AGAIN_SECONDS
        await self._teller.say(memory, seen, found.reason, f"{found.message}; nothing was read or written there")
        memory.succeeded()
        return max(self._services.settings.tenancy_seconds, _BARRED_SECONDS)

    async def _act(self, actor: Actor, intent: Intent) -> None:
        kind, count = type(intent).__name__, self._services.metrics.intents
        try:
            await actor.act(intent)
        except Exception:
            count.labels(kind, "failed").inc()
            raise
        count.labels(kind, "done").inc()

    async def _without_ledger(
        self, memory: ObjectMemory, seen: RolloutObject, rollout: Rollout, read: ledgers.LedgerRead
    ) -> float:
        if words := farewell(rollout, read, seen.status):
            return await self._bid(words, memory, seen, rollout, read)
        if (found := lost(rollout, read, seen.status)) is not None:
            await self._teller.say(memory, seen, *found)
            await remove_jobs(self._services, rollout)
            memory.succeeded()
            return self._services.settings.resync_seconds
        if read.unreadable:
            return await self._unreachable(memory, seen, read.seen.error, Reason.LEDGER_UNREADABLE)
        if missing := await self._ground_is_missing(memory, seen, rollout):
            return await self._unreachable(memory, seen, missing, Reason.WAITING_FOR_ENVIRONMENT)
        return await self._unreachable(memory, seen, read.seen.error)

    async def _bid(
        self, words: str, memory: ObjectMemory, seen: RolloutObject, rollout: Rollout, read: ledgers.LedgerRead
    ) -> float:
        """Give back what an object holds whose ledger is lost, and let it go; the Event is all that outlives it."""
        services, subject = self._services, Subject(seen.namespace, seen.name, seen.uid)
        await send_event(services, subject, reason=Reason.LEDGER_LOST, message=words, warning=True)
        if not await remove_jobs(services, rollout):
            await self._teller.say(memory, seen, Reason.RELEASING, f"{words}, as soon as its workers have left")
            return _LEAVING_SECONDS
        await give_locks_back(services, rollout, read.store)
        await show_locks(services, memory, rollout, {})
        await rollouts.let_go(services.cluster, seen)
        return AGAIN_SECONDS

    async def _ground_is_missing(self, memory: ObjectMemory, seen: RolloutObject, rollout: Rollout) -> str:
        """Before anything has begun, a database that is not there may be one that its environment has yet to make."""
        required = rollout.spec.requires.environment
        if required is None or seen.status.get("startedPhases"):
            return ""
        memory.grounds = frozenset({required.name})
        found = await read_environments(self._services, rollout, (required.name,))
        unmet = unmet_environment(rollout, found)
        return unmet.message if unmet is not None and unmet.reason is Reason.WAITING_FOR_ENVIRONMENT else ""

    async def _unreachable(
        self, memory: ObjectMemory, seen: RolloutObject, sentence: str, reason: Reason = Reason.DATABASE_UNREACHABLE
    ) -> float:
        """Say it, where nothing more important is said already, and try again soon."""
        self._services.metrics.turns.labels("rollout", "unreachable").inc()
        await self._teller.say(memory, seen, reason, f"{sentence}; it is asked again")
        return memory.again(_UNREACHABLE_SECONDS)

    def _seconds_until(self, key: Key, decision: Decision) -> float:
        seconds = min((decision.due - self._services.now()).total_seconds(), self._services.settings.resync_seconds)
        working = any(isinstance(intent, EnsureRun) and intent.state is RunState.RUN for intent in decision.intents)
        self._crowd.note(key, belongs=working)
        if working:
            seconds = min(seconds, self._crowd.seconds)
        return max(seconds, AGAIN_SECONDS)

    def _forget(self, key: Key) -> None:
        self._memories.pop(key).measurer.close()
        self._teller.forget(key)

    def _new_memory(self) -> ObjectMemory:
        services = self._services
        timeout = services.settings.measurement_timeout_seconds
        return ObjectMemory(Measurer(services.monitoring, services.metrics, timeout_seconds=timeout))
