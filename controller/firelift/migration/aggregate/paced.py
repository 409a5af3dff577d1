"""The reader of an aggregate whose entities may be written only so often."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from firelift.migration.aggregate.gather import Gathering
from firelift.migration.aggregate.groups import Group
from firelift.migration.entities.open_entities import Opened, OpenEntities
from firelift.migration.entities.order import groups
from firelift.migration.path_order import order
from firelift.migration.work import Batch, Record

KEPT_SECONDS = 2.0
"""How long groups that were computed are still given out. Who had to wait for a minute is read anew."""


@dataclass(slots=True)
class PacedGroups:
    """The groups of a lane's entities side by side, of each as many as it may be written now.

    The cursor is an `OpenCursor` whose paths are targets; it goes on from the cursor of a `GroupReader` too. The
    payload is a `Group`; `keep` chooses targets.
    """

    gathering: Gathering
    entities: OpenEntities
    keep: Callable[[str], bool]
    _kept: Mapping[str, Sequence[Group]] = field(default_factory=dict, init=False)
    _until: float = field(default=0.0, init=False)

    async def read(self, after: str | None) -> Batch:
        """Groups of those open entities that may be written now; waits until there is one."""
        opened = await self.entities.opened(after)
        if not opened.reading:
            return Batch((), after or "", exhausted=True)
        ready = await self.entities.ready(opened.reading)
        for entity, found in (self._still(ready) or await self._gathered(ready, opened)).items():
            self._take(opened, entity, found)
        return opened.batch(behind=self.entities.end)

    def _still(self, ready: Sequence[str]) -> Mapping[str, Sequence[Group]]:
        """What was computed a moment ago of entities that may go on: a sweep, which seldom writes, seldom waits."""
        pace = self.entities.pace
        if pace is None or pace.now >= self._until:
            self._kept = {}
        return {entity: self._kept[entity] for entity in ready if entity in self._kept}

    async def _gathered(self, ready: Sequence[str], opened: Opened) -> Mapping[str, Sequence[Group]]:
        """As many entities as one query can ask for, of these as many as can be held."""
        self._kept, scanned = await self.gathering.some(next(groups(ready)))
        opened.scanned += scanned
        if self.entities.pace is not None:
            self._until = self.entities.pace.now + KEPT_SECONDS
        return self._kept

    def _take(self, opened: Opened, entity: str, found: Sequence[Group]) -> None:
        behind, pace = opened.reading[entity], self.entities.pace
        left = [each for each in found if behind is None or order(each.target) > order(behind)]
        left = [each for each in left if self.keep(each.target)]
        now = left if pace is None else left[: pace.left(entity)]
        for number, group in enumerate(now, start=1):
            if number < len(left):
                opened.reading[entity] = group.target
            else:
                del opened.reading[entity]
            opened.records.append(Record(opened.cursor(), group, entity))
        if not left:
            del opened.reading[entity]
