"""What every benchmark moves: documents of a fitness app, and the migrations of the design's example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import DatabaseRef, PaceSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan

LEDGER = "bench.speed"
COLLECTION = "fitness_logs"
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
USERS = 1_000

IN_PLACE_BATCH = 400
COPY_BATCH = 200
"""With a guard for each document, and within 500 writes of a commit."""

TRANSFORM: dict[str, Any] = {
    "rename": {"type": "logType", "calories": "energyKcal", "duration": "durationSeconds"},
    "set": {"createdAt": "timestamp(doc.ts)", "speed": "doc.distance / double(doc.duration)"},
}
"""Five fields: three renames, two expressions."""


def plain_document(number: int) -> dict[str, Any]:
    """16 fields, about 520 bytes on the wire: most of what Firestore can hold, as apps hold it."""
    return {
        "userId": f"user-{number % USERS:06d}",
        "type": ("run", "ride", "swim", "row")[number % 4],
        "calories": 120 + number % 700,
        "duration": 600 + number % 5_000,
        "distance": 1_000.0 + number % 9_000,
        "ts": 1_700_000_000 + number,
        "title": f"Morning session number {number} along the river",
        "notes": "felt good, wind from the west, " * 3,
        "device": "watch-7",
        "heartRate": {"avg": 128 + number % 40, "max": 171, "zones": [5, 12, 30, 8]},
        "tags": ["outdoor", "training", "week-12"],
        "public": number % 2 == 0,
        "recordedAt": SINCE + timedelta(seconds=number, microseconds=number % 1_000_000),
        "elevation": 12.5 * (number % 90),
        "version": 3,
        "app": {"name": "productivity", "build": "2024.3.1"},
    }


def in_place() -> MigrationSpec:
    """The five fields changed where they stand."""
    return _migration({"inPlace": {}}, appliesWhen="!has(doc.logType)")


def copy() -> MigrationSpec:
    """The same, into a collection below each user, with a guard on every source."""
    return _migration({"document": "users/{doc.userId}/fitness_logs_v2/{id}"})


def _migration(target: dict[str, Any], **more: Any) -> MigrationSpec:
    source = {"collection": COLLECTION}
    spec = {"name": "logs", "source": source, "target": target, "entityKey": "userId", "transform": TRANSFORM, **more}
    return MigrationSpec.model_validate(spec)


def plan(kind: RunKind, spec: MigrationSpec, *, project: str, subjects: tuple[str, ...] = ()) -> RunPlan:
    """One run of everybody by one worker, with no pace to hold it back."""
    batch = IN_PLACE_BATCH if spec.in_place else COPY_BATCH
    return RunPlan(
        id=f"{kind}.0",
        ledger=LEDGER,
        database=DatabaseRef(project=project),
        seed="bench",
        attempt=1,
        phase="one",
        step="step",
        kind=kind,
        migration=spec,
        selection=Selection(to_bucket=10_000),
        now=SINCE,
        pace=PaceSpec(max_writes_per_second=100_000, batch_size=batch, max_retries=5),
        workers=1,
        verify=VerifyPlan(recheck_seconds=0) if kind is RunKind.VERIFY else None,
        subjects=subjects,
    )
