"""A bounded page of a query, read through interruptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from firelift.migration.store import Document, FieldPath, Micros, Page, Source
from firelift.stores.firestore import messages, proto
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.proto import micros, timestamp
from firelift.stores.firestore.transport import Sized, Transport

PAGE_DOCUMENTS = 5_000
PAGE_BYTES = 2 * 2**20
"""A worker holds a page for each of its four lanes, what there is room for ahead of them, and what it makes of them and
commits: that comes to 240 MiB where documents have 1 MB, measured on the emulator with 100 of them."""


@dataclass(slots=True)
class PageReader:
    """Keeps what it has received, so that a new attempt asks only for what lies behind it."""

    name: DatabaseName
    source: Source
    limit: int
    mask: Sequence[FieldPath] | None
    read_time: Micros | None
    documents: list[Document] = field(default_factory=list)
    size: int = 0

    async def attempt(self, transport: Transport, deadline: float) -> Page:
        """Read to the end of the page; a `grpc.RpcError` leaves the reader ready for another attempt."""
        had = len(self.documents)
        wanted = min(self.limit, PAGE_DOCUMENTS) - had
        if wanted <= 0 or self.size >= PAGE_BYTES:
            return self._page(exhausted=False)
        await transport.query(self._request(wanted), deadline, self._take)
        full = self.size >= PAGE_BYTES or len(self.documents) - had >= wanted
        return self._page(exhausted=not full)

    def _take(self, sized: Sized) -> bool:
        answer, size = sized
        if answer.HasField("document"):
            self.documents.append(messages.document(self.name, answer.document, micros(answer.read_time), size))
            self.size += size
        return self.size < PAGE_BYTES

    def _request(self, wanted: int) -> Any:
        start = self.documents[-1].path if self.documents else self.source.start
        parent, query = messages.query(self.name, replace(self.source, start=start))
        messages.project(query, self.mask)
        query.limit.value = wanted
        request = proto.RunQueryRequest(parent=parent, structured_query=query)
        if self.read_time is not None:
            request.read_time.CopyFrom(timestamp(self.read_time))
        return request

    def _page(self, *, exhausted: bool) -> Page:
        return Page(self.documents, exhausted=exhausted, size=self.size)
