"""Verify an aggregate: each group computed anew, and compared type by type with its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.aggregate.gather import Gathering
from firelift.migration.aggregate.groups import Group
from firelift.migration.aggregate.history import EntityHistory, Ours
from firelift.migration.clock import Pause
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import unlike
from firelift.migration.processors.migrate import without_result
from firelift.migration.processors.recheck import persisting
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields, Missing, Store
from firelift.migration.work import Change, Record


@dataclass(frozen=True, slots=True)
class VerifyAggregate:
    """The processor. It writes nothing."""

    store: Store
    gathering: Gathering
    history: EntityHistory
    plan: VerifyPlan
    sleep: Pause

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per group."""
        read: list[Group] = [record.payload for record in records]
        found = await (self._anew(read) if again else self._judge(read))
        return await persisting(found, read, self._anew, lambda: self.sleep(self.plan.recheck_seconds))

    async def _anew(self, groups: Sequence[Group]) -> list[Change]:
        return await self._judge(await self.gathering.again(groups))

    async def _judge(self, groups: Sequence[Group]) -> list[Change]:
        wanted = [group.target for group in groups if group.fault is None]
        at = max((group.members.read_time for group in groups if group.members), default=None)
        found = {each.path: each for each in (await self.store.get(wanted, read_time=at) if wanted else [])}
        return [await self._change(group, found.get(group.target)) for group in groups]

    async def _change(self, group: Group, target: Document | Missing | None) -> Change:
        ours = (await self.history.of(group.entity)).get(group.target)
        if group.emptied:
            return _emptied(group, target, ours)
        result = self.gathering.aggregation.result(group)
        if isinstance(result, Refused):
            return without_result(group.target, result)
        if result is None:
            return Change(tallies.SKIPPED)
        switched = self.plan.authority is Authority.TARGET
        if isinstance(target, Document):
            theirs = switched and (ours is None or ours.time != target.update_time)
            return Change(tallies.UNCHANGED) if theirs else self._compared(group, target, result)
        missing = f"there is no {group.target} of {group.count:,} documents"
        return Change(tallies.SKIPPED) if switched and ours else Change(tallies.MISSING, example=missing)

    def _compared(self, group: Group, target: Document, result: Fields) -> Change:
        sentence = unlike(self.gathering.aggregation.transform, target, result)
        if not sentence:
            return Change(tallies.UNCHANGED)
        return Change(tallies.DIFFERENT, example=f"{group.target} of {group.count:,} documents: {sentence}")


def _emptied(group: Group, target: Document | Missing | None, ours: Ours | None) -> Change:
    if isinstance(target, Document) and ours and ours.untouched(target):
        return Change(tallies.EXTRA, example=f"{group.target} is of documents that are all gone")
    return Change(tallies.NOTHING)
