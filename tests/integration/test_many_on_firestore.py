"""One source, many documents, on the emulator: beyond one commit, with every type, swept and taken back."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest_asyncio
from google.type.latlng_pb2 import LatLng
from tests.moving import KIT, counts, migration, plan, ran

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.ledger.progress import RunProgress
from firelift.migration.store import Create, Source, Update
from firelift.stores.firestore.proto import Value
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SESSIONS = migration(
    {
        "name": "messages",
        "source": {"collection": "chats"},
        "target": {"document": "users/{doc.owner}/sessions/{id}/messages/{item.id}", "forEach": "doc.messages"},
        "entityKey": "owner",
        "transform": {"rename": {"t": "text"}, "set": {"position": "index", "owner": "doc.owner"}},
        "validate": [{"rule": "size(out.text) > 0"}],
    }
)
MESSAGES = 950
POINT = Value(geo_point_value=LatLng(latitude=1.5, longitude=-2))


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"many-{secrets.token_hex(6)}", emulator_host=emulator)
    yield opened
    await opened.close()


def messages(count: int, first: int = 0) -> Value:
    return KIT.encode([{"id": f"m{number:04d}", "t": "x", "where": POINT} for number in range(first, count)])


async def done(store: FirestoreStore, kind: RunKind, number: int = 0, subjects: tuple[str, ...] = ()) -> RunProgress:
    made: RunPlan = plan(kind, SESSIONS, number, subjects=subjects, verify=VerifyPlan(recheck_seconds=0))
    pace = PaceSpec(max_writes_per_second=100_000, batch_size=400)
    return await ran(store, made.model_copy(update={"pace": pace}), SystemClock())


async def test_a_chat_of_a_thousand_messages_is_moved_swept_verified_and_taken_back(store: FirestoreStore) -> None:
    owner = KIT.encode("ada")
    chats = {f"chats/c{n}": {"owner": owner, "messages": messages(5)} for n in range(9)}
    chats |= {"chats/big": {"owner": owner, "messages": messages(MESSAGES)}}
    chats |= {"chats/odd": {"owner": owner, "messages": KIT.encode([{"id": "m", "t": ""}, {"id": "n", "t": "x"}])}}
    await store.commit([Create(path, fields) for path, fields in chats.items()])
    count = MESSAGES + 45
    migrated = counts(await done(store, RunKind.MIGRATE))
    assert migrated == {"read": count + 1, "created": count, "dead_letters": 1}
    (first,) = await store.get(["users/ada/sessions/big/messages/m0007"])
    fields = getattr(first, "fields", {})
    assert fields["where"] == POINT
    assert {name: KIT.decode(fields[name]) for name in ("id", "text", "position", "owner")} == {
        "id": "m0007",
        "text": "x",
        "position": 7,
        "owner": "ada",
    }
    verified = counts(await done(store, RunKind.VERIFY, 0, ("migrate.0",)))
    assert verified == {"read": count + 1, "unchanged": count, "dead_letters": 1}
    await store.commit([Update("chats/big", {"messages": messages(MESSAGES + 10, 600)}, [("messages",)], None)])
    swept = counts(await done(store, RunKind.SWEEP))
    assert [swept[name] for name in ("created", "updated", "deleted", "unchanged")] == [10, 350, 600, 45]
    subjects = ("migrate.0", "sweep.0")
    verified = counts(await done(store, RunKind.VERIFY, 1, subjects))
    assert verified == {"read": 406, "unchanged": 405, "dead_letters": 1}
    reverted = counts(await done(store, RunKind.REVERT, 0, subjects))
    assert reverted == {"read": 960 + count, "updated": 350, "deleted": 405, "unchanged": 1200}
    assert await store.count(Source("messages", all_descendants=True)) == 0
    assert counts(await done(store, RunKind.REVERT_VERIFY, 0, subjects)) == {"read": 1955, "unchanged": 1955}
