"""The same loop as a competent engineer writes it with the official client: `stream`, `to_dict`, `BulkWriter`.

Its limit of 500 writes a second is lifted. It has no journal, no way back, no guard against live writes; and a batch
that fails as a call is lost without a word (see the conformance tests). It is timed all the same as if it were safe.

Run as ``python -m tests.bench.official PROJECT``.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD, Client
from google.cloud.firestore_v1.bulk_writer import BulkWriterOptions
from tests.bench.material import COLLECTION

UNLIMITED = BulkWriterOptions(initial_ops_per_second=1_000_000, max_ops_per_second=1_000_000)


def changed(doc: dict[str, Any]) -> dict[str, Any]:
    """The five fields of `material.TRANSFORM`."""
    return {
        "logType": doc["type"],
        "energyKcal": doc["calories"],
        "durationSeconds": doc["duration"],
        "type": DELETE_FIELD,
        "calories": DELETE_FIELD,
        "duration": DELETE_FIELD,
        "createdAt": datetime.fromtimestamp(doc["ts"], tz=UTC),
        "speed": doc["distance"] / doc["duration"],
    }


def main(project: str) -> None:
    """Move everything, and say how long it took."""
    client = Client(project=project)
    began = time.perf_counter()
    writer: Any = client.bulk_writer(options=UNLIMITED)
    moved = 0
    for snapshot in client.collection(COLLECTION).stream():
        doc = snapshot.to_dict() or {}
        if "logType" not in doc:
            writer.update(snapshot.reference, changed(doc))
            moved += 1
    writer.flush()
    writer.close()
    print(json.dumps({"documents": moved, "seconds": time.perf_counter() - began}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1])
