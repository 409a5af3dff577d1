"""What documents hold in the field that a new TTL would watch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firelift.environment.observation import FieldSeen, FieldWanted
from firelift.migration.store import Create
from firelift.operator.ground import fields
from firelift.stores.memory.store import MemoryStore

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(days=1), NOW + timedelta(days=1)


async def _holding(documents: dict[str, dict[str, Any]]) -> MemoryStore:
    store = MemoryStore()
    for path, content in documents.items():
        await store.commit([Create(path, {key: store.values.encode(value) for key, value in content.items()})])
    return store


async def test_values_are_counted_by_type_and_those_that_are_past_apart() -> None:
    store = await _holding(
        {
            "telemetry/a": {"expireAt": PAST},
            "telemetry/b": {"expireAt": FUTURE},
            "telemetry/c": {"expireAt": 1_700_000_000_000},
            "telemetry/d": {"other": 1},
            "users/ada/telemetry/e": {"expireAt": PAST},
            "elsewhere/f": {"expireAt": PAST},
        }
    )
    seen = await fields.look(store, FieldWanted("telemetry", "expireAt"), NOW, seconds=5)
    assert seen == FieldSeen({"timestamp": 3, "integer": 1}, expired=2, examples=("telemetry/c",))


async def test_a_field_within_a_map_is_found() -> None:
    store = await _holding({"telemetry/a": {"meta": {"expireAt": PAST}}, "telemetry/b": {"meta": "text"}})
    seen = await fields.look(store, FieldWanted("telemetry", "meta.expireAt"), NOW, seconds=5)
    assert seen == FieldSeen({"timestamp": 1}, expired=1)


async def test_no_more_documents_are_read_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "PAGE", 2)
    monkeypatch.setattr(fields, "MOST", 4)
    store = await _holding({f"telemetry/{number}": {"expireAt": PAST} for number in range(9)})
    seen = await fields.look(store, FieldWanted("telemetry", "expireAt"), NOW, seconds=5)
    assert seen == FieldSeen({"timestamp": 4}, expired=4, sampled=True)
