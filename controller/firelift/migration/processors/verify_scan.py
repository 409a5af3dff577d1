"""Verify, from the source's side: is every document of the cohort where and what the transform says it should be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.api.cohort import Selection
from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration import fields as paths
from firelift.migration.ignored import respecting
from firelift.migration.ledger.moved import MovedBefore
from firelift.migration.ledger.origins import Origins
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import differences
from firelift.migration.processors.migrate import without_result
from firelift.migration.processors.recheck import Sleep, persisting
from firelift.migration.processors.rivals import second_source
from firelift.migration.store import Document, Missing, Store
from firelift.migration.transform.transform import LeftAlone, Outcome, Result, Transform
from firelift.migration.work import Change, Record


@dataclass(frozen=True, slots=True)
class VerifyScan:
    """The processor. It writes nothing; documents are compared at the moment at which their page was read.

    `origins` is None where two sources can never have one target.
    """

    store: Store
    transform: Transform
    selection: Selection
    seed: str
    plan: VerifyPlan
    origins: Origins | None
    moved: MovedBefore
    sleep: Sleep

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        read: list[Document] = [record.payload for record in records]
        found = await (self._anew(read) if again else self._judge(read))
        return await persisting(found, read, self._anew, lambda: self.sleep(self.plan.recheck_seconds))

    async def _anew(self, read: Sequence[Document]) -> list[Change]:
        return await self._judge(await self.store.get([document.path for document in read]))

    async def _judge(self, sources: Sequence[Document | Missing]) -> list[Change]:
        outcomes = [self._outcome(source) for source in sources]
        if self.transform.template is None:
            return [self._in_place(source, outcome) for source, outcome in zip(sources, outcomes, strict=True)]
        wanted = [outcome.target for outcome in outcomes if isinstance(outcome, Result)]
        at = max((source.read_time for source in sources), default=None)
        targets = {target.path: target for target in (await self.store.get(wanted, read_time=at) if wanted else [])}
        return [
            await self._copy(source, outcome, targets[outcome.target])
            if isinstance(source, Document) and isinstance(outcome, Result)
            else without_result(source.path, outcome)
            for source, outcome in zip(sources, outcomes, strict=True)
        ]

    def _outcome(self, source: Document | Missing) -> Outcome | None:
        if isinstance(source, Missing) or not self.transform.selects(self.selection, self.seed, source):
            return None
        return self.transform.attempt(source)

    async def _copy(self, source: Document, result: Result, target: Document | Missing) -> Change:
        switched = self.plan.authority is Authority.TARGET
        if isinstance(target, Missing):
            if switched and await self.moved.to(target.path, source):
                return Change(tallies.SKIPPED)
            return Change(tallies.MISSING, example=f"{source.path}: there is no {target.path}")
        # What differs is then the app's; that our own untouched copies are whole is told by the journal.
        if switched and self.origins is None:
            return Change(tallies.UNCHANGED)
        kit = self.transform.kit
        wanted = respecting(kit, result.fields, target.fields, self.transform.ignored)
        missed = list(paths.missed_paths(kit, target.fields, wanted))
        first = await self.origins.of(target) if missed and self.origins else None
        if first is not None and first != source.path:
            return without_result(source.path, second_source(target.path, first))
        if switched or not missed:
            return Change(tallies.UNCHANGED)
        sentence = differences(kit, target.fields, wanted, missed)
        return Change(tallies.DIFFERENT, example=f"{source.path} and {target.path}: {sentence}")

    def _in_place(self, source: Document | Missing, outcome: Outcome | None) -> Change:
        match source, outcome:
            case Document(), Result(_, fields):
                left = any(paths.changed_paths(self.transform.kit, source.fields, fields))
                example = f"{source.path} has not been migrated"
                return Change(tallies.MISSING, example=example) if left else Change(tallies.UNCHANGED)
            case Document(), LeftAlone():
                broken = self.transform.broken(source)
                example = f"{source.path}: {broken.reason}" if broken else ""
                return Change(tallies.DIFFERENT, example=example) if broken else Change(tallies.UNCHANGED)
        return without_result(source.path, outcome)
