"""Readers that keep the pace of entities, where a run has one."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.run import RunPlan
from firelift.migration.clock import Pause
from firelift.migration.entities.open_entities import OpenEntities
from firelift.migration.entities.pace import EntityPace
from firelift.migration.entities.paced import PacedReader, PacedScan
from firelift.migration.entities.reader import ById, ByKey, Entities
from firelift.migration.entities.whose import Whose
from firelift.migration.processors.retry import LetterRecord
from firelift.migration.readers import Keep
from firelift.migration.store import Document
from firelift.migration.work import Reader, Record


@dataclass(frozen=True, slots=True)
class Pacing:
    """Makes them; `pace` None: entities may be written as often as the run gets to them."""

    plan: RunPlan
    whose: Whose
    pace: EntityPace | None
    sleep: Pause

    def entities(self, records: ByKey | ById, entities: Entities, keep: Keep, *, marks: bool) -> PacedReader:
        """Of a lane of entities."""
        many = self.plan.migration.one_to_many
        opened = OpenEntities(entities, self.plan.seed, self.pace, self.sleep)
        return PacedReader(records, opened, keep, self.whose.entity, many, marks)

    def scan(self, scan: Reader) -> Reader:
        """Of a lane that reads whatever is there; the scan itself where no pace is kept."""
        many = self.plan.migration.one_to_many
        return scan if self.pace is None else PacedScan(scan, self._of, self.pace, self.sleep, many)

    def _of(self, record: Record) -> str | None:
        payload = record.payload
        source = payload.source if isinstance(payload, LetterRecord) else payload
        return self.whose.entity(source) if isinstance(source, Document) else None
