"""Verify: sources and images are read once, and judged from both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile

from firelift.migration.bounded import Fitting
from firelift.migration.clock import Pause
from firelift.migration.ledger.joined import Sighting, of_image
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import Documents
from firelift.migration.processors.recheck import persisting
from firelift.migration.processors.summing import summed
from firelift.migration.processors.verify_images import ImageJudge
from firelift.migration.processors.verify_scan import ScanJudge
from firelift.migration.readers import JournalRecord, Keep
from firelift.migration.store import Document, Fields, Micros, Missing, Store, ValueKit
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
    documents: Fitting
    becomes: Becomes
    scans: Keep
    scan: ScanJudge
    images: ImageJudge
    sleep: Pause

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        met = [_sighting(record.payload) for record in records]
        found = await self._judge(met, anew=again)
        rest = self.scan.plan.recheck_seconds
        return await persisting(found, met, lambda doubtful: self._judge(doubtful, anew=True), lambda: self.sleep(rest))

    async def _judge(self, met: Sequence[Sighting], *, anew: bool) -> list[Change]:
        changes: list[Change] = []
        while left := met[len(changes) :]:
            changes += await self._first(left, anew=anew)
        return changes

    async def _first(self, met: Sequence[Sighting], *, anew: bool) -> list[Change]:
        """The changes of the first of them: as many as memory has room for, at least one."""
        sources = await self._sources(met, anew=anew)
        at = max((source.read_time for source in sources.values()), default=None)
        outcomes = Outcomes(self.becomes, {}, None if self.scan.in_place else self.store.values)
        known = takewhile(lambda each: not anew or each.path in sources, met)
        group = self._group(known, sources, outcomes)
        documents = await self._documents(group, sources, at)
        whole = [each for each, _ in takewhile(lambda one: documents.keys() >= one[1], group)]
        return [await self._change(each, documents, outcomes) for each in whole]

    async def _sources(self, met: Sequence[Sighting], *, anew: bool) -> Documents:
        """The sources that the scan has met, as they were read, or those of the first as they are now."""
        if not anew:
            return {each.path: each.source for each in met if each.source is not None}
        wanted = list(dict.fromkeys(each.path for each in met))
        return {source.path: source for source in await self.documents.get(wanted)}

    def _group(
        self, met: Iterable[Sighting], sources: Documents, outcomes: Outcomes
    ) -> list[tuple[Sighting, set[str]]]:
        """The first of them, each with what it is judged by: its source, its targets, the documents of its images."""
        group: list[tuple[Sighting, set[str]]] = []
        count = 0
        for each in met:
            wanted = {*self._targets(each, sources, outcomes), *([each.path] if each.path in sources else [])}
            wanted |= {path for record in each.images for path in (record.image.path, of_image(record))}
            group.append((each, wanted))
            count += len(wanted)
            if count >= AT_ONCE:
                break
        return group

    def _targets(self, each: Sighting, sources: Documents, outcomes: Outcomes) -> Sequence[str]:
        """The targets to which a source leads the scan."""
        source = sources.get(each.path)
        if not each.scanned or not isinstance(source, Document) or self.scan.in_place or not self.scans(source):
            return ()
        outcome = outcomes.of(source)
        return [result.target for result in outcome.results] if isinstance(outcome, Elements) else ()

    async def _documents(
        self, group: Sequence[tuple[Sighting, set[str]]], sources: Documents, at: Micros | None
    ) -> Documents:
        """What a group is judged by, whole for the first of it."""
        documents = {each.path: sources[each.path] for each, _ in group if each.path in sources}
        unread = [
            path for path in dict.fromkeys(chain.from_iterable(paths for _, paths in group)) if path not in documents
        ]
        found = await self.documents.get(unread, at) if unread else []
        documents |= {document.path: document for document in found}
        # Of a source that leads to more than there is room for all the same.
        short = [path for path in group[0][1] if path not in documents]
        rest = await self.store.get(short, read_time=found[0].read_time) if short else []
        return documents | {document.path: document for document in rest}

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
    """What sources become, each asked for once, and with its fields in one piece by the `kit` of copies."""

    becomes: Becomes
    known: dict[tuple[str, Micros], Outcome]
    kit: ValueKit | None

    def of(self, source: Document) -> Outcome:
        """What a source becomes."""
        key = (source.path, source.update_time)
        if key not in self.known:
            self.known[key] = self._whole(self.becomes(source))
        return self.known[key]

    def _whole(self, outcome: Outcome) -> Outcome:
        """In place only what changes is looked at. A copy is compared from both sides, each time as a whole."""
        if self.kit is None or not isinstance(outcome, Elements):
            return outcome
        return Elements(tuple(replace(each, fields=self.kit.whole(each.fields)) for each in outcome.results))

    def targets(self, source: Document) -> Mapping[str, Fields] | None:
        """The fields of each of its targets; None when it is not told what it becomes."""
        return targets_of(self.of(source))


def _sighting(payload: Sighting | Document | Missing | JournalRecord) -> Sighting:
    if isinstance(payload, JournalRecord):
        return Sighting(of_image(payload), None, (payload,), scanned=False)
    return payload if isinstance(payload, Sighting) else Sighting(payload.path, payload)
