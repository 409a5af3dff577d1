"""How often one entity may be written: a sliding minute for each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from firelift.api.run import RunKind, RunPlan
from firelift.migration.chunks import Chunk
from firelift.migration.clock import Clock

MINUTE = 60.0
FORGETTING = 10_000
"""When so many entities are remembered, those whose minute is over are forgotten."""


_MARGIN = 0.001
"""So that a wait that is over has not ended a rounding too early."""

WRITING = frozenset({RunKind.MIGRATE, RunKind.SWEEP, RunKind.DELETE})


def entity_pace(plan: RunPlan, clock: Clock) -> EntityPace | None:
    """The pace of a run's entities, None where they may be written as often as the run gets to them."""
    per_minute = plan.pace.per_entity_writes_per_minute
    return EntityPace(per_minute, clock) if per_minute is not None and plan.kind in WRITING else None


class EntityPace:
    """At most `per_minute` documents of an entity in any sixty seconds, all lanes of one process together.

    What was written before it was made it does not know, so that it allows nothing in its first minute: a process that
    is started again must not write an entity's minute twice. Writes count from when they are known to have landed.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._blind_until = clock.seconds() + MINUTE
        self._written: dict[str, deque[tuple[float, int]]] = {}

    @property
    def now(self) -> float:
        """Seconds, by the clock that it goes by."""
        return self._clock.seconds()

    def left(self, entity: str) -> int:
        """How many documents of an entity may be written now."""
        if self._clock.seconds() < self._blind_until:
            return 0
        return max(0, self._per_minute - sum(count for _, count in self._recent(entity)))

    def wait(self, entities: Iterable[str]) -> float:
        """Seconds until one of these entities may be written."""
        now = self._clock.seconds()
        free = min((self._free(entity) for entity in entities), default=now)
        left = max(self._blind_until, free) - now
        return left + _MARGIN if left > 0 else 0.0

    def landed(self, chunk: Chunk) -> None:
        """A chunk is committed."""
        for record, change in zip(chunk.records, chunk.changes, strict=True):
            if record.entity is not None and change.writes:
                self._wrote(record.entity, len(change.writes))

    def _wrote(self, entity: str, documents: int) -> None:
        if len(self._written) >= FORGETTING:
            self._written = {each: recent for each in self._written if (recent := self._recent(each))}
        self._written.setdefault(entity, deque()).append((self._clock.seconds(), documents))

    def _recent(self, entity: str) -> deque[tuple[float, int]]:
        written, now = self._written.get(entity, deque()), self._clock.seconds()
        while written and written[0][0] + MINUTE <= now:
            written.popleft()
        return written

    def _free(self, entity: str) -> float:
        """When the entity may be written again; a time that is over when it may be now."""
        recent = self._recent(entity)
        total, free = sum(count for _, count in recent), 0.0
        for time, count in recent:
            if total < self._per_minute:
                break
            total, free = total - count, time + MINUTE
        return free
