"""Verify, from the source's side: is every document of the cohort where and what the transform says it should be?

What is there and has no source or element any more is told by the journal: `ImageJudge` counts it as extra.
"""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration import fields as paths
from firelift.migration.ledger.moved import MovedBefore
from firelift.migration.ledger.origins import Origins
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import Documents, unlike
from firelift.migration.processors.migrate import without_result
from firelift.migration.processors.rivals import second_source
from firelift.migration.processors.summing import summed
from firelift.migration.store import Document, Missing
from firelift.migration.transform.one_to_many import Elements, Outcome
from firelift.migration.transform.transform import LeftAlone, Result, Transform
from firelift.migration.work import Change


@dataclass(frozen=True, slots=True)
class ScanJudge:
    """Counts documents of a source; a source without elements is skipped.

    `origins` is None where two sources can never have one target.
    """

    transform: Transform
    plan: VerifyPlan
    origins: Origins | None
    moved: MovedBefore

    @property
    def in_place(self) -> bool:
        """Whether a source is its own target."""
        return self.transform.template is None

    async def change(self, source: Document | Missing, outcome: Outcome | None, documents: Documents) -> Change:
        """What is to be said of a source that becomes `outcome`, None for one that is not of the cohort."""
        if isinstance(source, Document) and self.in_place:
            return self._in_place(source, outcome)
        if isinstance(source, Missing) or not isinstance(outcome, Elements):
            return without_result(source.path, None if isinstance(outcome, Elements) else outcome)
        if not outcome.results:
            return Change(tallies.SKIPPED)
        judged = [await self._target(source, result, documents[result.target]) for result in outcome.results]
        second = await self._second(source, outcome, documents) if any(doubtful for _, doubtful in judged) else None
        return second or summed([change for change, _ in judged])

    async def _target(self, source: Document, result: Result, target: Document | Missing) -> tuple[Change, bool]:
        """What is to be said of one target, and whether it may be another source's."""
        switched = self.plan.authority is Authority.TARGET
        if isinstance(target, Missing):
            if switched and await self.moved.to(target.path, source):
                return Change(tallies.SKIPPED), False
            return Change(tallies.MISSING, example=f"{source.path}: there is no {target.path}"), True
        # What differs is then the app's; that our own untouched copies are whole is told by the journal.
        if switched and self.origins is None:
            return Change(tallies.UNCHANGED), False
        sentence = unlike(self.transform, target, result.fields)
        if switched or not sentence:
            return Change(tallies.UNCHANGED), bool(sentence)
        return Change(tallies.DIFFERENT, example=f"{source.path} and {target.path}: {sentence}"), True

    async def _second(self, source: Document, outcome: Elements, documents: Documents) -> Change | None:
        """The dead letter of a source that another one was faster than: for one of its targets, and so for all."""
        there = [documents[result.target] for result in outcome.results]
        for target in there:
            first = await self.origins.of(target) if self.origins and isinstance(target, Document) else None
            if first is not None and first != source.path:
                return without_result(source.path, second_source(target.path, first))
        return None

    def _in_place(self, source: Document, outcome: Outcome | None) -> Change:
        match outcome:
            case Elements((Result(_, fields),)):
                left = any(paths.changed_paths(self.transform.kit, source.fields, fields))
                example = f"{source.path} has not been migrated"
                return Change(tallies.MISSING, example=example) if left else Change(tallies.UNCHANGED)
            case LeftAlone():
                broken = self.transform.broken(source)
                example = f"{source.path}: {broken.reason}" if broken else ""
                return Change(tallies.DIFFERENT, example=example) if broken else Change(tallies.UNCHANGED)
        return without_result(source.path, None if isinstance(outcome, Elements) else outcome)
