"""Migrate and sweep: documents of a source become copies elsewhere, or change in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from firelift.api.cohort import Selection
from firelift.api.migration import OnExisting
from firelift.migration.existing import Existing, Idle
from firelift.migration.image import Operation
from firelift.migration.imaged import Imaged
from firelift.migration.processors import tallies
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Missing, Store, Verify
from firelift.migration.transform.transform import Outcome, Result, Transform
from firelift.migration.work import Change, Record

CREATES_FIRST = frozenset({OnExisting.FILL_MISSING, OnExisting.SKIP})
"""Policies that need no look at a target that is not there, which at first it hardly ever is."""

REMEMBERED_TARGETS = 200_000
"""Of one lane, where a template may lead two sources to one target. About 40 MB of paths."""

TALLY = {
    Operation.CREATE: tallies.CREATED,
    Operation.UPDATE: tallies.UPDATED,
    Idle.UNCHANGED: tallies.UNCHANGED,
    Idle.SKIPPED: tallies.SKIPPED,
}


@dataclass(slots=True)
class Migrate:
    """The processor. `looks_first` reads targets before writing, as a sweep does, which mostly finds them there."""

    store: Store
    transform: Transform
    selection: Selection
    seed: str
    looks_first: bool
    existing: Existing
    _targets: dict[str, str] = field(default_factory=dict)

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        sources = await self._sources(records, again=again)
        outcomes = [self._outcome(source) for source in sources]
        if self.transform.template is None:
            return [self._in_place(source, outcome) for source, outcome in zip(sources, outcomes, strict=True)]
        outcomes = self._one_source_each(sources, outcomes)
        look = again or self.looks_first or self.existing.policy not in CREATES_FIRST
        targets = await self._read(outcomes) if look else {}
        return [self._copy(source, outcome, targets) for source, outcome in zip(sources, outcomes, strict=True)]

    async def _sources(self, records: Sequence[Record], *, again: bool) -> Sequence[Document | Missing]:
        if not again:
            return [record.payload for record in records]
        return await self.store.get([record.payload.path for record in records])

    def _outcome(self, source: Document | Missing) -> Outcome | None:
        """None for what is no longer there, or no longer of this run's cohort."""
        if isinstance(source, Missing) or not self.transform.selects(self.selection, self.seed, source):
            return None
        return self.transform.outcome(source)

    async def _read(self, outcomes: Iterable[Outcome | None]) -> Mapping[str, Document | Missing]:
        wanted = [outcome.target for outcome in outcomes if isinstance(outcome, Result)]
        found = await self.store.get(wanted) if wanted else []
        return {document.path: document for document in found}

    def _one_source_each(
        self, sources: Sequence[Document | Missing], outcomes: Sequence[Outcome | None]
    ) -> list[Outcome | None]:
        return [self._claim(source.path, outcome) for source, outcome in zip(sources, outcomes, strict=True)]

    def _claim(self, source: str, outcome: Outcome | None) -> Outcome | None:
        if not isinstance(outcome, Result) or (self.transform.template and self.transform.template.distinct):
            return outcome
        first = self._targets.setdefault(outcome.target, source)
        if len(self._targets) > REMEMBERED_TARGETS:
            self._targets.pop(next(iter(self._targets)))
        if first == source:
            return outcome
        return Refused("target", f"two sources for one target: {outcome.target} is the copy of {first}")

    def _copy(
        self, source: Document | Missing, outcome: Outcome | None, targets: Mapping[str, Document | Missing]
    ) -> Change:
        if isinstance(source, Missing) or not isinstance(outcome, Result):
            return without_result(source.path, outcome)
        target = targets.get(outcome.target) or Missing(outcome.target, source.read_time)
        guard = Verify(source.path, source.update_time)
        return _change(self.existing.decide(source, outcome.fields, target), (guard,))

    def _in_place(self, source: Document | Missing, outcome: Outcome | None) -> Change:
        if isinstance(source, Missing) or not isinstance(outcome, Result):
            return without_result(source.path, outcome)
        return _change(self.existing.imager.change(source, outcome.fields) or Idle.UNCHANGED, ())


def without_result(path: str, outcome: Outcome | None) -> Change:
    """The change of a record that writes nothing: a dead letter, or one that was left alone."""
    if isinstance(outcome, Refused):
        letter = outcome.dead_letter(path)
        return Change(tallies.DEAD_LETTER, dead_letter=letter, example=f"{path}: {letter.reason}")
    return Change(tallies.SKIPPED)


def _change(decision: Imaged | Idle, guards: tuple[Verify, ...]) -> Change:
    if isinstance(decision, Imaged):
        return Change(TALLY[decision.image.operation], (decision.write,), guards, (decision.image,))
    return Change(TALLY[decision])
