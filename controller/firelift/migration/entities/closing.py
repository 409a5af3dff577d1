"""The closing scan: records that no lane of entities has read, because nobody has listed whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from firelift.migration.entities.reader import Entities
from firelift.migration.readers import ScanReader
from firelift.migration.store import Document
from firelift.migration.work import Batch


@dataclass(slots=True)
class ClosingReader:
    """A scan that leaves out the records of listed entities. `whose` tells a record's entity."""

    scan: ScanReader
    entities: Entities
    whose: Callable[[Document], str | None]
    _ready: ScanReader | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """As `ScanReader.read`."""
        if self._ready is None:
            listed, kept, whose = frozenset(await self.entities()), self.scan.keep, self.whose
            self._ready = replace(self.scan, keep=lambda document: kept(document) and whose(document) not in listed)
        return await self._ready.read(after)
