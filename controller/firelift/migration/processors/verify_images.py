"""Verify, from our side: is what earlier runs wrote still what they wrote, and does its source still exist?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.fields import written
from firelift.migration.image import Image, Operation
from firelift.migration.imaged import Imager
from firelift.migration.processors import tallies
from firelift.migration.processors.recheck import Sleep, persisting
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Document, Missing, Store
from firelift.migration.transform.transform import Result, Transform
from firelift.migration.work import Change, Record


@dataclass(frozen=True, slots=True)
class VerifyImages:
    """The processor. It writes nothing.

    An image that is found well leaves no counts: its document belongs to a scanned lane too, and counting it twice
    would halve the ratio of mismatches.
    """

    store: Store
    transform: Transform
    plan: VerifyPlan
    sleep: Sleep

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - always read anew
        """One change per record."""
        wanted: list[JournalRecord] = [record.payload for record in records]
        found = await self._judge(wanted)
        return await persisting(found, wanted, self._judge, lambda: self.sleep(self.plan.recheck_seconds))

    async def _judge(self, records: Sequence[JournalRecord]) -> list[Change]:
        paths = {record.image.path for record in records}
        paths |= {record.image.source for record in records if record.image.source}
        found = await self.store.get(sorted(paths)) if paths else []
        documents = {document.path: document for document in found}
        return [self._change(record, documents) for record in records]

    def _change(self, record: JournalRecord, documents: Mapping[str, Document | Missing]) -> Change:
        document = documents[record.image.path]
        if isinstance(document, Missing):
            return Change(tallies.NOTHING)
        if self._orphaned(record, document, documents):
            return Change(tallies.EXTRA, example=f"{document.path} is a copy of {record.image.source}, which is gone")
        changed = self._changed(record.image, document) if document.update_time == record.commit_time else []
        if changed:
            example = f"{document.path} is not what was committed, at {', '.join(changed)}"
            return Change(tallies.DIFFERENT, example=example)
        return Change(tallies.NOTHING)

    def _orphaned(self, record: JournalRecord, document: Document, documents: Mapping[str, Document | Missing]) -> bool:
        """Whether our own copy has outlived its source, or its source now belongs elsewhere."""
        image = record.image
        ours = image.operation is Operation.CREATE and document.create_time == record.commit_time
        if not ours or image.source is None or self.plan.authority is Authority.TARGET:
            return False
        source = documents[image.source]
        if isinstance(source, Missing):
            return True
        outcome = self.transform.attempt(source)
        return isinstance(outcome, Result) and outcome.target != document.path

    def _changed(self, image: Image, document: Document) -> list[str]:
        imager = Imager(self.transform.kit)
        after = image.after.items()
        return [written(path) for path, digest in after if imager.digest(document.fields, path) != digest]
