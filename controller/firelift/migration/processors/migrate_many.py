"""Migrate and sweep, one-to-many: all documents of a source in one commit, guarded by the source's version.

A sweep derives them anew. A document whose element has gone from the source since goes too, while it is still as we
wrote it; one that the app has changed stays, and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from firelift.api.cohort import Selection
from firelift.api.run import Totals
from firelift.migration.chunks import total
from firelift.migration.existing import Decision, Existing
from firelift.migration.imaged import Imaged
from firelift.migration.ledger.history import Written
from firelift.migration.ledger.moved import Ours
from firelift.migration.ledger.origins import Origins
from firelift.migration.parts import Deriving, Part
from firelift.migration.processors import tallies
from firelift.migration.processors.migrate import CREATES_FIRST, TALLY, without_result
from firelift.migration.processors.rivals import owners, second_source
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Missing, Store, Verify
from firelift.migration.transform.transform import Result, Transform
from firelift.migration.work import Change, DeadLetter, Record

LISTED = 3

Targets = Mapping[str, Document | Missing]


@dataclass(slots=True)
class Batch:
    """What the parts of one batch share: targets as they are, and who has them or is about to."""

    looked: bool
    targets: Targets
    owned: Mapping[str, str]
    claims: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MigrateMany:
    """The processor. `origins` is None where two sources can never have one target.

    `most` is how many documents one commit may write. `looks`: nothing is taken to be missing unseen, because no commit
    will tell.
    """

    store: Store
    derive: Deriving
    selection: Selection
    seed: str
    existing: Existing
    origins: Origins | None
    most: int
    looks: bool = False

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        parts = await self._parts(records, again=again)
        swept = self.derive.history is not None
        look = again or self.looks or swept or self.existing.policy not in CREATES_FIRST
        targets = await self._read(parts) if look else {}
        batch = Batch(look, targets, await self._owned(parts, targets))
        return [self._change(part, batch) if isinstance(part, Part) else part for part in parts]

    async def _parts(self, records: Sequence[Record], *, again: bool) -> list[Part | Change]:
        """The parts, derived anew after a conflict; what is no longer there, or of this cohort, is left alone."""
        read: list[Part | Missing] = [record.payload for record in records]
        if not again:
            return [self._checked(part) for part in read]
        paths = [part.source.path if isinstance(part, Part) else part.path for part in read]
        sources = dict.fromkeys(paths)
        now = dict(zip(sources, await self.store.get(list(sources)), strict=True))
        return [self._checked(await self._anew(part, now[path])) for part, path in zip(read, paths, strict=True)]

    async def _anew(self, part: Part | Missing, source: Document | Missing) -> Part | Missing:
        if isinstance(source, Missing):
            return source
        start, stop = (part.start, part.stop) if isinstance(part, Part) else (0, None)
        # What a last part has gained since it was read, and cannot take any more, is the next sweep's.
        return replace(await self.derive(source), start=start, stop=start + self.most if stop is None else stop)

    def _checked(self, part: Part | Missing) -> Part | Change:
        """The part; an outcome that must stop the run does so here, where it is the next to be written."""
        if isinstance(part, Missing) or not self.transform.selects(self.selection, self.seed, part.source):
            return Change(tallies.NOTHING if isinstance(part, Part) and part.start else tallies.SKIPPED)
        if isinstance(part.outcome, Refused):
            return replace(part, outcome=self.transform.refused(part.source.path, part.outcome))
        return part

    @property
    def transform(self) -> Transform:
        """Of the migration."""
        return self.derive.splitting.transform

    async def _read(self, parts: Iterable[Part | Change]) -> Targets:
        mine = [part for part in parts if isinstance(part, Part)]
        wanted = [path for part in mine for path in (*(result.target for result in part.results), *part.gone)]
        found = await self.store.get(list(dict.fromkeys(wanted))) if wanted else []
        return {document.path: document for document in found}

    async def _owned(self, parts: Iterable[Part | Change], targets: Targets) -> Mapping[str, str]:
        """The sources of targets that are there, less those that are a source's own by its history."""
        if self.origins is None:
            return {}
        mine = [part for part in parts if isinstance(part, Part)]
        asked = {each.target for part in mine for each in part.results if each.target not in part.written}
        there = (targets[path] for path in asked if path in targets)
        return await owners(self.origins, (target for target in there if isinstance(target, Document)))

    def _change(self, part: Part, batch: Batch) -> Change:
        source = part.source
        if part.letter is not None:
            return without_result(source.path, part.letter)
        rival = next((result for result in part.results if _first(result, source, batch) != source.path), None)
        if rival is not None:
            return self._second(rival, part, batch)
        decisions = [self._decision(part, result, batch) for result in part.results]
        vanished = self._vanished(part, batch)
        gone = [each for each in vanished if isinstance(each, Imaged)]
        touched = [each for each in vanished if isinstance(each, Document)]
        if not decisions and not vanished:
            return Change(tallies.NOTHING if part.start else tallies.SKIPPED)
        return _together(part, decisions, gone, touched, batch)

    def _second(self, result: Result, part: Part, batch: Batch) -> Change:
        source = part.source
        refused = second_source(result.target, _first(result, source, batch))
        change = without_result(source.path, self.transform.refused(source.path, refused))
        letter = change.dead_letter and replace(change.dead_letter, apart=part.start)
        return replace(change, dead_letter=letter, provisional=result.target not in batch.owned)

    def _decision(self, part: Part, result: Result, batch: Batch) -> Decision | None:
        """What is done for one element; None where the app has deleted what we had made of it."""
        source, written = part.source, part.written.get(result.target)
        target = batch.targets.get(result.target) or Missing(result.target, source.read_time)
        if isinstance(target, Missing) and written and not written.gone and written.time > source.create_time:
            return None
        if isinstance(target, Document) and written and self._renews(source, target, written):
            ours = Ours(whole=written.is_ours(target), paths=frozenset(written.image.after))
            return self.existing.renewed(source, result.fields, target, ours)
        return self.existing.decide(source, result.fields, target)

    def _renews(self, source: Document, target: Document, written: Written) -> bool:
        """Whether a sweep carries a change of the source on to a document that nobody has touched since we wrote it."""
        stays = self.existing.policy in CREATES_FIRST
        return stays and written.is_untouched(target) and source.update_time > target.update_time

    def _vanished(self, part: Part, batch: Batch) -> list[Imaged | Document]:
        """Our documents whose elements are no longer in the source: to be deleted, or changed by the app since."""
        found: list[Imaged | Document] = []
        for path in part.gone:
            target, written = batch.targets[path], part.written[path]
            if isinstance(target, Document) and written.is_ours(target):
                found.append(self._deleted(target, part.source) if written.is_untouched(target) else target)
        return found

    def _deleted(self, target: Document, source: Document) -> Imaged:
        imaged = self.existing.imager.delete(target)
        return replace(imaged, image=replace(imaged.image, source=source.path))


def _together(
    part: Part,
    decisions: Sequence[Decision | None],
    gone: Sequence[Imaged],
    touched: Sequence[Document],
    batch: Batch,
) -> Change:
    source = part.source
    imaged = [*(each for each in decisions if isinstance(each, Imaged)), *gone]
    batch.claims.update((each.write.path, source.path) for each in imaged)
    counted = [_tally(each) for each in decisions]
    counted += [tallies.DELETED] * len(gone) + [tallies.KEPT] * len(touched)
    return Change(
        tally=total(counted),
        writes=tuple(each.write for each in imaged),
        guards=(Verify(source.path, source.update_time),) if imaged else (),
        images=tuple(each.image for each in imaged),
        dead_letter=_letter(part, touched) if touched else None,
        example=f"{source.path}: {_told(touched)}" if touched else "",
        blind=not batch.looked and bool(imaged),
    )


def _first(result: Result, source: Document, batch: Batch) -> str:
    """The source that a target belongs to."""
    return batch.owned.get(result.target) or batch.claims.get(result.target, source.path)


def _tally(decision: Decision | None) -> Totals:
    if isinstance(decision, Imaged):
        return TALLY[decision.image.operation]
    return tallies.SKIPPED if decision is None else TALLY[decision]


def _letter(part: Part, touched: Sequence[Document]) -> DeadLetter:
    return DeadLetter(part.source.path, _told(touched), rule="target.forEach", apart=part.start)


def _told(touched: Sequence[Document]) -> str:
    names = ", ".join(document.path for document in touched[:LISTED])
    more = f" and {len(touched) - LISTED:,} more" if len(touched) > LISTED else ""
    return f"their elements have gone from the source, and the app has changed them since, so they stay: {names}{more}"
