"""Migrate and sweep an aggregate: each group recomputed as a whole, its target written where it is not so yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from firelift.api.migration import OnExisting
from firelift.migration import fields as paths
from firelift.migration.aggregate.gather import Gathering
from firelift.migration.aggregate.groups import Aggregation, Group
from firelift.migration.aggregate.history import EntityHistory, Ours
from firelift.migration.aggregate.members import MOST_GUARDS, Members
from firelift.migration.fields import overlap
from firelift.migration.ignored import respecting
from firelift.migration.image import Operation
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.processors import tallies
from firelift.migration.processors.migrate import CREATES_FIRST, without_result
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, Missing, Store
from firelift.migration.work import Change, Record

TALLY = {Operation.CREATE: tallies.CREATED, Operation.UPDATE: tallies.UPDATED, Operation.DELETE: tallies.DELETED}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The processor. `looks`: targets are read before they are written, as a sweep does: it mostly finds them there."""

    store: Store
    gathering: Gathering
    history: EntityHistory
    imager: Imager
    policy: OnExisting
    looks: bool

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per group."""
        read: list[Group] = [record.payload for record in records]
        found = await self.gathering.again(read) if again else read
        look = again or self.looks or self.policy not in CREATES_FIRST
        wanted = [group.target for group in found if group.fault is None]
        targets = {each.path: each for each in (await self.store.get(wanted) if look and wanted else [])}
        return [await self._change(group, targets) for group in found]

    async def _change(self, group: Group, targets: Mapping[str, Document | Missing]) -> Change:
        target = targets.get(group.target) or Missing(group.target, 0)
        looked = group.target in targets
        if group.emptied:
            return await self._emptied(group, target)
        result = self.gathering.aggregation.result(group)
        if isinstance(result, Refused):
            transform = self.gathering.aggregation.transform
            return without_result(group.target, transform.refused(group.target, result))
        if result is None:
            return Change(tallies.SKIPPED)
        ours = (await self.history.of(group.entity)).get(group.target) if looked else None
        if isinstance(target, Missing):
            if ours and not ours.gone:
                return Change(tallies.SKIPPED)
            return self._written(self.imager.create(group.target, result, None), group, blind=not looked)
        stands = ours if ours is not None and await self.history.stands(ours, target) else None
        return self._onto(target, result, group, stands)

    async def _emptied(self, group: Group, target: Document | Missing) -> Change:
        """What becomes of a target whose documents are all gone: it goes too, when it is ours and untouched."""
        ours = (await self.history.of(group.entity)).get(group.target)
        if isinstance(target, Missing) or ours is None or not ours.untouched(target):
            return Change(tallies.SKIPPED)
        return self._written(self.imager.delete(target), group)

    def _onto(self, target: Document, result: Fields, group: Group, ours: Ours | None) -> Change:
        """What is written onto a target; `ours` is what we have made of it where that still stands."""
        kit = self.imager.kit
        wanted = respecting(kit, result, target.fields, self.imager.ignored)
        mask = list(paths.missed_paths(kit, target.fields, wanted))
        if ours is not None:
            mask += self._stale(target, wanted, ours)
        elif mask:
            kept = self._by_policy(target, wanted, group.members)
            if kept is None:
                return Change(tallies.SKIPPED)
            mask = kept
        imaged = self.imager.update(target, wanted, mask)
        return self._written(imaged, group) if imaged else Change(tallies.UNCHANGED)

    def _stale(self, target: Document, wanted: Fields, ours: Ours) -> list[FieldPath]:
        """What we have written and a group no longer has, such as the greatest of no values."""
        kit = self.imager.kit
        whole = [path for path in ours.after if paths.get(kit, target.fields, path) is not None]
        leaves = [path for path in whole if paths.get(kit, wanted, path) is None]
        return [path for path in leaves if not any(overlap(path, ignored) for ignored in self.imager.ignored)]

    def _by_policy(self, target: Document, wanted: Fields, members: Members | None) -> list[FieldPath] | None:
        """The paths that `onExisting` lets us write where the app has its own; None for no look at all."""
        newest = members.newest if members else 0
        match self.policy:
            case OnExisting.SKIP:
                return None
            case OnExisting.KEEP_NEWER if newest <= target.update_time:
                return None
            case OnExisting.FILL_MISSING:
                return list(paths.absent_paths(self.imager.kit, target.fields, wanted))
        return list(paths.missed_paths(self.imager.kit, target.fields, wanted))

    def _written(self, imaged: Imaged, group: Group, *, blind: bool = False) -> Change:
        change = Change(TALLY[imaged.image.operation], (imaged.write,), images=(imaged.image,), blind=blind)
        if group.count > MOST_GUARDS:
            many = f"{group.target}: {group.count:,} documents are too many for one Commit to guard"
            return replace(change, example=f"{many}; a sweep must follow")
        return replace(change, guards=tuple(group.members.guards) if group.members else ())


@dataclass(frozen=True, slots=True)
class ValidateGroups:
    """Computes each group and looks at no target: what cannot be computed is kept as a dead letter."""

    aggregation: Aggregation

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - nothing is written that could conflict
        """One change per group."""
        return [self._judged(record.payload) for record in records]

    def _judged(self, group: Group) -> Change:
        result = self.aggregation.result(group)
        if isinstance(result, Refused):
            return without_result(group.target, result)
        return Change(tallies.SKIPPED if result is None else tallies.UNCHANGED)
