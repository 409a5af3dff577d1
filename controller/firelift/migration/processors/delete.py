"""Delete: a source goes only in a commit that also verifies all that it has become.

Its target holds it when it is what the source becomes, whoever wrote it. It also does when it is our copy of this very
version of the source: then what differs is what the app wrote since, where it lives now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from firelift.api.cohort import Selection
from firelift.migration.imaged import Imager
from firelift.migration.ledger.history import SourceHistory
from firelift.migration.processors import tallies
from firelift.migration.processors.findings import unlike
from firelift.migration.processors.migrate import without_result
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields, Missing, Store, Verify
from firelift.migration.transform.one_to_many import Becomes, targets_of
from firelift.migration.transform.transform import Transform
from firelift.migration.work import Change, Record

MOST = 450
"""Targets of one source: the commit verifies each, and has 500 writes with the journal's."""

Targets = Mapping[str, Document | Missing]


@dataclass(frozen=True, slots=True)
class DeleteSources:
    """The processor. `becomes` is the migration, from one document to one or to many.

    A source that is left is counted as kept, with a dead letter that says why.
    """

    store: Store
    transform: Transform
    becomes: Becomes
    selection: Selection
    seed: str
    imager: Imager
    history: SourceHistory

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        read: Sequence[Document | Missing] = [record.payload for record in records]
        sources = await self.store.get([source.path for source in read]) if again else read
        become = [self._becomes(source) for source in sources]
        wanted = list(dict.fromkeys(path for each in become for path in (each or {}) if each and len(each) <= MOST))
        targets = {target.path: target for target in (await self.store.get(wanted) if wanted else [])}
        return [await self._change(source, each, targets) for source, each in zip(sources, become, strict=True)]

    def _becomes(self, source: Document | Missing) -> Mapping[str, Fields] | None:
        if isinstance(source, Missing) or not self.transform.selects(self.selection, self.seed, source):
            return None
        return targets_of(self.becomes(source))

    async def _change(
        self, source: Document | Missing, become: Mapping[str, Fields] | None, targets: Targets
    ) -> Change:
        # Nothing was made of it, so that nothing holds it.
        if isinstance(source, Missing) or not become:
            return Change(tallies.SKIPPED)
        if len(become) > MOST:
            return _kept(source, f"it has become {len(become):,} documents, and one commit can verify {MOST}")
        for path, fields in become.items():
            reason = await self._not_held(source, targets[path], fields)
            if reason:
                return _kept(source, reason)
        found = [target for path in become if isinstance(target := targets[path], Document)]
        guards = tuple(Verify(target.path, target.update_time) for target in found)
        imaged = self.imager.delete(source)
        return Change(tallies.DELETED, (imaged.write,), guards, (imaged.image,))

    async def _not_held(self, source: Document, target: Document | Missing, fields: Fields) -> str:
        """Why a target does not hold what a source becomes; empty when it does."""
        if isinstance(target, Missing):
            return f"there is no {target.path}"
        sentence = unlike(self.transform, target, fields)
        if not sentence or await self._lives_on(source, target):
            return ""
        return f"{target.path} is not what it becomes: {sentence}"

    async def _lives_on(self, source: Document, target: Document) -> bool:
        """Whether the target is our copy of this very version of the source, and so only the app has changed it."""
        written = (await self.history.of(source.path)).get(target.path)
        return written is not None and written.is_ours(target) and source.update_time < written.time


def _kept(source: Document, reason: str) -> Change:
    change = without_result(source.path, Refused("delete", f"the source stays: {reason}"))
    return replace(change, tally=tallies.KEPT)
