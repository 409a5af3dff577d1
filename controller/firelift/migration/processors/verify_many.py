"""Verify, one-to-many, from the source's side: is each of its documents there, and what its element says?

What is there and has no element any more is told by the journal: `VerifyImages` counts it as extra.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firelift.api.cohort import Selection
from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration import fields as paths
from firelift.migration.chunks import total
from firelift.migration.ignored import respecting
from firelift.migration.ledger.history import SourceHistory
from firelift.migration.ledger.origins import Origins
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import differences
from firelift.migration.processors.migrate import without_result
from firelift.migration.processors.recheck import Sleep, persisting
from firelift.migration.processors.rivals import second_source
from firelift.migration.store import Document, Micros, Missing, Store
from firelift.migration.transform.one_to_many import Elements, OneToMany, Outcome
from firelift.migration.transform.transform import LeftAlone, Result
from firelift.migration.work import Change, Record

AT_ONCE = 1_000
"""Documents that are held at once, unless one source alone has more."""


@dataclass(frozen=True, slots=True)
class VerifyMany:
    """The processor. It writes nothing, and counts documents; a source without elements is skipped.

    `origins` is None where two sources can never have one target.
    """

    store: Store
    splitting: OneToMany
    selection: Selection
    seed: str
    plan: VerifyPlan
    origins: Origins | None
    history: SourceHistory
    sleep: Sleep

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        read: list[Document] = [record.payload for record in records]
        found = await (self._anew(read) if again else self._judge(read))
        return await persisting(found, read, self._anew, lambda: self.sleep(self.plan.recheck_seconds))

    async def _anew(self, read: Sequence[Document]) -> list[Change]:
        return await self._judge(await self.store.get([document.path for document in read]))

    async def _judge(self, sources: Sequence[Document | Missing]) -> list[Change]:
        at = max((source.read_time for source in sources), default=None)
        changes: list[Change] = []
        group: list[tuple[Document | Missing, Outcome | None]] = []
        count = 0
        for source in sources:
            outcome = self._outcome(source)
            group.append((source, outcome))
            count += len(outcome.results) if isinstance(outcome, Elements) else 0
            if count >= AT_ONCE or source is sources[-1]:
                changes += await self._compared(group, at)
                group, count = [], 0
        return changes

    async def _compared(
        self, group: Sequence[tuple[Document | Missing, Outcome | None]], at: Micros | None
    ) -> list[Change]:
        wanted = [each.target for _, outcome in group if isinstance(outcome, Elements) for each in outcome.results]
        found = await self.store.get(list(dict.fromkeys(wanted)), read_time=at) if wanted else []
        targets = {target.path: target for target in found}
        return [await self._source(source, outcome, targets) for source, outcome in group]

    def _outcome(self, source: Document | Missing) -> Outcome | None:
        if isinstance(source, Missing) or not self.splitting.transform.selects(self.selection, self.seed, source):
            return None
        return self.splitting.attempt(source)

    async def _source(
        self, source: Document | Missing, outcome: Outcome | None, targets: Mapping[str, Document | Missing]
    ) -> Change:
        if isinstance(source, Missing) or not isinstance(outcome, Elements):
            return without_result(source.path, None if isinstance(outcome, LeftAlone | Elements) else outcome)
        changes = [await self._element(source, result, targets[result.target]) for result in outcome.results]
        if not changes:
            return Change(tallies.SKIPPED)
        summed = Change(
            tally=total(change.tally for change in changes),
            example=next((change.example for change in changes if change.example), ""),
        )
        return await self._second(source, outcome, targets) or summed if summed.tally.mismatches else summed

    async def _second(
        self, source: Document, outcome: Elements, targets: Mapping[str, Document | Missing]
    ) -> Change | None:
        """The dead letter of a source that another one was faster than: for one of its targets, and so for all."""
        there = [targets[result.target] for result in outcome.results]
        for target in there if self.origins else ():
            first = await self.origins.of(target) if self.origins and isinstance(target, Document) else None
            if first is not None and first != source.path:
                return without_result(source.path, second_source(target.path, first))
        return None

    async def _element(self, source: Document, result: Result, target: Document | Missing) -> Change:
        switched = self.plan.authority is Authority.TARGET
        if isinstance(target, Missing):
            if switched and await self._moved(source, target.path):
                return Change(tallies.SKIPPED)
            return Change(tallies.MISSING, example=f"{source.path}: there is no {target.path}")
        kit = self.splitting.transform.kit
        wanted = respecting(kit, result.fields, target.fields, self.splitting.transform.ignored)
        missed = list(paths.missed_paths(kit, target.fields, wanted))
        # What differs once reads have switched is the app's; that our own are whole is told by the journal.
        if switched or not missed:
            return Change(tallies.UNCHANGED)
        sentence = differences(kit, target.fields, wanted, missed)
        return Change(tallies.DIFFERENT, example=f"{source.path} and {target.path}: {sentence}")

    async def _moved(self, source: Document, target: str) -> bool:
        written = (await self.history.of(source.path)).get(target)
        return written is not None and not written.gone and written.time > source.create_time
