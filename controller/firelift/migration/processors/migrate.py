"""Migrate and sweep: documents of a source become copies elsewhere, or change in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from firelift.api.cohort import Selection
from firelift.api.migration import OnExisting
from firelift.migration.existing import Decision, Existing, Idle
from firelift.migration.image import Operation
from firelift.migration.imaged import Imaged
from firelift.migration.ledger.moved import MovedBefore
from firelift.migration.ledger.origins import Origins
from firelift.migration.processors import tallies
from firelift.migration.processors.rivals import owners, second_source
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields, Missing, Store, Verify
from firelift.migration.structs import struct
from firelift.migration.transform.transform import Outcome, Result, Transform
from firelift.migration.work import Change, Record

CREATES_FIRST = frozenset({OnExisting.FILL_MISSING, OnExisting.SKIP})
"""Policies that need no look at a target that is not there, which at first it hardly ever is."""

TALLY = {
    Operation.CREATE: tallies.CREATED,
    Operation.UPDATE: tallies.UPDATED,
    Idle.UNCHANGED: tallies.UNCHANGED,
    Idle.SKIPPED: tallies.SKIPPED,
}


@struct
class Copy:
    """A source with what it becomes, the target as it is, and what that alone leads to.

    A target that has not been `looked` for counts as missing.
    """

    source: Document
    wanted: Fields
    target: Document | Missing
    decision: Decision
    looked: bool


@dataclass(frozen=True, slots=True)
class Migrate:
    """The processor. `origins` is None where two sources can never have one target.

    `swept` is what a sweep asks, None for any other run. It reads targets before writing, because it mostly finds them
    there, and leaves those that were deleted since they were written. `looks`: nothing is taken to be missing unseen,
    because no commit will tell.
    """

    store: Store
    transform: Transform
    selection: Selection
    seed: str
    existing: Existing
    origins: Origins | None
    swept: MovedBefore | None
    looks: bool = False

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        foreseen = None if again else self.foresee(records)
        if foreseen is not None:
            return foreseen
        sources = await self._sources(records, again=again)
        outcomes = [self._outcome(source) for source in sources]
        if self.transform.template is None:
            return self._changed(sources, outcomes)
        targets = await self._read(outcomes)
        copies = await self._copies(zip(sources, outcomes, strict=True), targets)
        return self._all_settled(copies, await self._owned(copies))

    def foresee(self, records: Sequence[Record]) -> list[Change] | None:
        """What becomes of documents in place, and of copies that are made first and looked for when they are there."""
        in_place = self.transform.template is None
        if not in_place and (self.looks or self.swept is not None or self.existing.policy not in CREATES_FIRST):
            return None
        sources: list[Document | Missing] = [record.payload for record in records]
        outcomes = [self._outcome(source) for source in sources]
        if in_place:
            return self._changed(sources, outcomes)
        copies = [self._copy(source, outcome, {}) for source, outcome in zip(sources, outcomes, strict=True)]
        return self._all_settled(copies, {})

    def _changed(self, sources: Sequence[Document | Missing], outcomes: Sequence[Outcome | None]) -> list[Change]:
        return [self._in_place(source, outcome) for source, outcome in zip(sources, outcomes, strict=True)]

    def _all_settled(self, copies: Iterable[Copy | Change], owned: Mapping[str, str]) -> list[Change]:
        claims: dict[str, str] = {}
        return [copy if isinstance(copy, Change) else self._settled(copy, owned, claims) for copy in copies]

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

    async def _copies(
        self, pairs: Iterable[tuple[Document | Missing, Outcome | None]], targets: Mapping[str, Document | Missing]
    ) -> list[Copy | Change]:
        if self.swept is None:
            return [self._copy(source, outcome, targets) for source, outcome in pairs]
        return [await self._swept_copy(source, outcome, targets, self.swept) for source, outcome in pairs]

    def _copy(
        self, source: Document | Missing, outcome: Outcome | None, targets: Mapping[str, Document | Missing]
    ) -> Copy | Change:
        if isinstance(source, Missing) or not isinstance(outcome, Result):
            return without_result(source.path, outcome)
        target = targets.get(outcome.target) or Missing(outcome.target, source.read_time)
        decision = self.existing.decide(source, outcome.fields, target)
        return Copy(source, outcome.fields, target, decision, looked=outcome.target in targets)

    async def _swept_copy(
        self,
        source: Document | Missing,
        outcome: Outcome | None,
        targets: Mapping[str, Document | Missing],
        swept: MovedBefore,
    ) -> Copy | Change:
        """As `_copy`; but a change of the source is carried on to a copy that nobody has touched."""
        copy = self._copy(source, outcome, targets)
        if isinstance(copy, Change) or isinstance(source, Missing):
            return copy
        if isinstance(copy.target, Missing):
            return Change(tallies.SKIPPED) if await swept.to(copy.target.path, source) else copy
        if self.existing.policy not in CREATES_FIRST or source.update_time <= copy.target.update_time:
            return copy
        ours = await swept.ours(copy.target, source)
        if ours is None:
            return copy
        return replace(copy, decision=self.existing.renewed(source, copy.wanted, copy.target, ours))

    async def _owned(self, copies: Iterable[Copy | Change]) -> Mapping[str, str]:
        """The source of each target for which it matters, where this migration has written it."""
        if self.origins is None:
            return {}
        targets = {copy.target.path: copy.target for copy in copies if isinstance(copy, Copy) and self._contested(copy)}
        return await owners(self.origins, (target for target in targets.values() if isinstance(target, Document)))

    def _contested(self, copy: Copy) -> bool:
        if isinstance(copy.target, Missing):
            return False
        # A sweep meets its own copies by the million, and one that is as it should be tells nothing about others.
        return self.swept is None or self.existing.contested(copy.decision, copy.wanted, copy.target)

    def _settled(self, copy: Copy, owned: Mapping[str, str], claims: dict[str, str]) -> Change:
        """The change of a copy among those of its batch; `claims` has the sources of targets about to be written."""
        source, target = copy.source, copy.target.path
        first = owned.get(target) or claims.get(target, source.path)
        if first != source.path:
            return replace(self._second(source, target, first), provisional=target not in owned)
        if isinstance(copy.decision, Imaged):
            claims[target] = source.path
        return _change(copy.decision, (Verify(source.path, source.update_time),), blind=not copy.looked)

    def _second(self, source: Document, target: str, first: str) -> Change:
        return without_result(source.path, self.transform.refused(source.path, second_source(target, first)))

    def _in_place(self, source: Document | Missing, outcome: Outcome | None) -> Change:
        if isinstance(source, Missing) or not isinstance(outcome, Result):
            return without_result(source.path, outcome)
        return _change(self.existing.imager.change(source, outcome.fields) or Idle.UNCHANGED, ())


def without_result(path: str, outcome: Outcome | None) -> Change:
    """The change of a record that writes nothing: a dead letter, or one that was left alone."""
    if isinstance(outcome, Refused):
        letter = outcome.dead_letter(path)
        return Change(tallies.DEAD_LETTER, dead_letter=letter, example=f"{path}: {outcome.reason}")
    return Change(tallies.SKIPPED)


def _change(decision: Imaged | Idle, guards: tuple[Verify, ...], *, blind: bool = False) -> Change:
    if isinstance(decision, Imaged):
        tally = TALLY[decision.image.operation]
        return Change(tally, (decision.write,), guards, (decision.image,), blind=blind)
    return Change(TALLY[decision])
