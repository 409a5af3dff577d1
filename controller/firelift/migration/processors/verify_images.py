"""Verify, from our side: is what earlier runs wrote still what they wrote, and what its source would become now?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from firelift.api.migration import OnExisting
from firelift.api.run import VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.fields import changed_paths, get, missed_paths, overlap, written
from firelift.migration.ignored import respecting
from firelift.migration.image import Image, Operation
from firelift.migration.imaged import Imager
from firelift.migration.ledger.cleaned import Cleaned
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import Documents, differences
from firelift.migration.readers import JournalRecord, Keep
from firelift.migration.store import Document, FieldPath, Fields, Missing
from firelift.migration.transform.transform import Transform
from firelift.migration.work import Change

Targets = Callable[[Document], Mapping[str, Fields] | None]
"""The fields of each target of a source; None when it is not told what it becomes."""


@dataclass(frozen=True, slots=True)
class ImageJudge:
    """Counts images that are not well; one that is leaves no counts.

    Its document is the scan's too, and counting it twice would halve the ratio of mismatches. For the same reason a
    difference that the scan sees is the scan's; `scans` says whether it looks at a source. Only a copy whose source a
    delete step has cleaned up is seen here alone, and counted.
    """

    transform: Transform
    plan: VerifyPlan
    scans: Keep
    cleaned: Cleaned

    async def change(self, record: JournalRecord, documents: Documents, becomes: Targets) -> Change:
        """What is to be said of an image, where `documents` has its document and its source."""
        if await self._has_outlived(record, documents):
            return self._outlived(record, documents)
        return self._change(record, documents, becomes)

    async def _has_outlived(self, record: JournalRecord, documents: Documents) -> bool:
        """Whether it is of a copy that we have made of a source, and have deleted the source since."""
        image, document = record.image, documents[record.image.path]
        made = isinstance(document, Document) and document.create_time == record.commit_time
        if not made or image.operation is not Operation.CREATE or image.source is None:
            return False
        return isinstance(documents[image.source], Missing) and await self.cleaned.holds(image.source)

    def _outlived(self, record: JournalRecord, documents: Documents) -> Change:
        """A copy that is all there is: the app's own once it was changed, and else what was committed."""
        document = documents[record.image.path]
        untouched = isinstance(document, Document) and document.update_time == record.commit_time
        changed = self._changed(record.image, document) if untouched and isinstance(document, Document) else []
        return _not_as_committed(document.path, changed) if changed else Change(tallies.UNCHANGED)

    def _change(self, record: JournalRecord, documents: Documents, becomes: Targets) -> Change:
        document = documents[record.image.path]
        if isinstance(document, Missing):
            gone = f"the marker {document.path} is gone"
            return Change(tallies.MISSING, example=gone) if record.marks else Change(tallies.NOTHING)
        if self._orphaned(record, document, documents, becomes):
            return Change(tallies.EXTRA, example=f"{document.path} is a copy of {record.image.source}, which is gone")
        if document.update_time != record.commit_time:
            return Change(tallies.NOTHING)
        changed = self._changed(record.image, document)
        if changed:
            return _not_as_committed(document.path, changed)
        return self._compared(record.image, document, documents, becomes)

    def _compared(self, image: Image, document: Document, documents: Documents, becomes: Targets) -> Change:
        """A copy that nobody has touched since our commit against what its source becomes now, stale fields too."""
        source = documents[image.source] if image.source else None
        targets = becomes(source) if isinstance(source, Document) else None
        if not isinstance(source, Document) or targets is None or document.path not in targets:
            return Change(tallies.NOTHING)
        kit, there = self.transform.kit, document.fields
        if kit.same(there, targets[document.path]):
            return Change(tallies.NOTHING)
        wanted = respecting(kit, targets[document.path], there, self.transform.ignored)
        if self.plan.authority is Authority.SOURCE and self.scans(source) and any(missed_paths(kit, there, wanted)):
            return Change(tallies.NOTHING)
        stale = [path for path in changed_paths(kit, there, wanted) if self._answered_for(image, document, path)]
        if not stale:
            return Change(tallies.NOTHING)
        sentence = f"{source.path} and {document.path}: {differences(kit, there, wanted, stale)}"
        return Change(tallies.DIFFERENT, example=f"{sentence}, and nobody has touched the copy since it was made")

    def _answered_for(self, image: Image, document: Document, path: FieldPath) -> bool:
        """Whether a path of a target is the migration's: what the app had there is its own where we only filled."""
        filled = image.operation is Operation.UPDATE and self.transform.spec.on_existing is OnExisting.FILL_MISSING
        absent = get(self.transform.kit, document.fields, path) is None
        return not filled or absent or any(overlap(path, ours) for ours in image.after)

    def _orphaned(self, record: JournalRecord, document: Document, documents: Documents, becomes: Targets) -> bool:
        """Whether our own copy has outlived its source, or its source now belongs elsewhere."""
        image = record.image
        ours = image.operation is Operation.CREATE and document.create_time == record.commit_time
        if not ours or image.source is None or self.plan.authority is Authority.TARGET:
            return False
        source = documents[image.source]
        if isinstance(source, Missing):
            return True
        targets = becomes(source)
        return targets is not None and document.path not in targets

    def _changed(self, image: Image, document: Document) -> list[str]:
        found = Imager(self.transform.kit).digests(document.fields, image.after)
        return [written(path) for path, digest in image.after.items() if found[path] != digest]


def _not_as_committed(path: str, changed: Sequence[str]) -> Change:
    return Change(tallies.DIFFERENT, example=f"{path} is not what was committed, at {', '.join(changed)}")
