"""Verify: sources and images are read once, and judged from both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from firelift.migration.ledger.joined import Sighting, of_image
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import Documents
from firelift.migration.processors.recheck import Sleep, persisting
from firelift.migration.processors.summing import summed
from firelift.migration.processors.verify_images import ImageJudge
from firelift.migration.processors.verify_scan import ScanJudge
from firelift.migration.readers import JournalRecord, Keep
from firelift.migration.store import Document, Fields, Micros, Missing, Store
from firelift.migration.transform.one_to_many import Becomes, Elements, Outcome, targets_of
from firelift.migration.work import Change, Record

AT_ONCE = 1_000
"""Documents that are held at once, unless one source alone has more."""


@dataclass(frozen=True, slots=True)
class Verify:
    """The processor. It writes nothing; documents are compared at the moment at which their page was read.

    The payload is a `Sighting`, in a lane that just scans a `Document`, in one that just walks a journal a
    `JournalRecord`. `scans` says whether a source is of the cohort.
    """

    store: Store
    becomes: Becomes
    scans: Keep
    scan: ScanJudge
    images: ImageJudge
    sleep: Sleep

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        met = [_sighting(record.payload) for record in records]
        found = await self._judge(met, anew=again)
        rest = self.scan.plan.recheck_seconds
        return await persisting(found, met, lambda doubtful: self._judge(doubtful, anew=True), lambda: self.sleep(rest))

    async def _judge(self, met: Sequence[Sighting], *, anew: bool) -> list[Change]:
        sources = await self._sources(met, anew=anew)
        at = max((source.read_time for source in sources.values()), default=None)
        outcomes = Outcomes(self.becomes, {})
        changes: list[Change] = []
        for group in self._groups(met, sources, outcomes):
            documents = await self._documents(group, sources, outcomes, at)
            changes += [await self._change(each, documents, outcomes) for each in group]
        return changes

    async def _sources(self, met: Sequence[Sighting], *, anew: bool) -> Documents:
        """The sources that the scan has met, as they were read or as they are now."""
        if not anew:
            return {each.path: each.source for each in met if each.source is not None}
        wanted = list(dict.fromkeys(each.path for each in met))
        return {source.path: source for source in await self.store.get(wanted)}

    def _groups(self, met: Sequence[Sighting], sources: Documents, outcomes: Outcomes) -> Iterator[Sequence[Sighting]]:
        group: list[Sighting] = []
        count = 0
        for each in met:
            group.append(each)
            count += len(each.images) + len(self._wanted(each, sources, outcomes))
            if count >= AT_ONCE:
                yield group
                group, count = [], 0
        if group:
            yield group

    def _wanted(self, each: Sighting, sources: Documents, outcomes: Outcomes) -> Sequence[str]:
        """The targets to which a source leads the scan."""
        source = sources.get(each.path)
        if not each.scanned or not isinstance(source, Document) or self.scan.in_place or not self.scans(source):
            return ()
        outcome = outcomes.of(source)
        return [result.target for result in outcome.results] if isinstance(outcome, Elements) else ()

    async def _documents(
        self,
        group: Sequence[Sighting],
        sources: Documents,
        outcomes: Outcomes,
        at: Micros | None,
    ) -> Documents:
        """All that a group is judged by: sources, their targets, and the documents of their images."""
        documents = {each.path: sources[each.path] for each in group if each.path in sources}
        wanted = [target for each in group for target in self._wanted(each, sources, outcomes)]
        wanted += [path for each in group for record in each.images for path in (record.image.path, of_image(record))]
        unread = [path for path in dict.fromkeys(wanted) if path not in documents]
        found = await self.store.get(unread, read_time=at) if unread else []
        return documents | {document.path: document for document in found}

    async def _change(self, each: Sighting, documents: Documents, outcomes: Outcomes) -> Change:
        changes = [await self.images.change(record, documents, outcomes.targets) for record in each.images]
        found = [change for change in changes if change.tally is not tallies.NOTHING]
        if each.scanned:
            source = documents[each.path]
            outcome = outcomes.of(source) if isinstance(source, Document) and self.scans(source) else None
            found.insert(0, await self.scan.change(source, outcome, documents))
        return summed(found) if found else Change(tallies.NOTHING)


@dataclass(slots=True)
class Outcomes:
    """What sources become, each asked for once."""

    becomes: Becomes
    known: dict[tuple[str, Micros], Outcome]

    def of(self, source: Document) -> Outcome:
        """What a source becomes."""
        key = (source.path, source.update_time)
        if key not in self.known:
            self.known[key] = self.becomes(source)
        return self.known[key]

    def targets(self, source: Document) -> Mapping[str, Fields] | None:
        """The fields of each of its targets; None when it is not told what it becomes."""
        return targets_of(self.of(source))


def _sighting(payload: Sighting | Document | Missing | JournalRecord) -> Sighting:
    if isinstance(payload, JournalRecord):
        return Sighting(of_image(payload), None, (payload,), scanned=False)
    return payload if isinstance(payload, Sighting) else Sighting(payload.path, payload)
