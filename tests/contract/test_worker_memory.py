"""The memory of one worker process over many documents, as the kernel counts it; `make bench` goes on to a million."""

from __future__ import annotations

from tests.bench.growth import MEMORY_LIMIT_MIB, over_made_up_documents

DOCUMENTS = 100_000
NOISE = 1.15


async def test_a_worker_stays_below_256_mib_and_needs_no_more_for_many_documents_than_for_few() -> None:
    points, usage = await over_made_up_documents(DOCUMENTS)
    few, many = (
        [point.resident_mib for point in points if low <= point.documents / DOCUMENTS < high]
        for low, high in ((0, 1 / 2), (3 / 4, 1))
    )
    assert usage.peak_mib <= MEMORY_LIMIT_MIB
    assert max(many) <= max(few) * NOISE
