"""Tokens that the database does not take, and indexes that it does not have: by a server that says so when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import google.auth.credentials
import grpc
import pytest
import pytest_asyncio
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from tests.contract.scripted import Script, Turn, got, listed

from firelift.migration.errors import Denied, IndexNotReady, StoreError, UnknownOutcome
from firelift.migration.store import Create, Source
from firelift.stores.firestore import proto
from firelift.stores.firestore.identity import Identity
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.proto import timestamp
from firelift.stores.firestore.store import FirestoreStore
from firelift.stores.firestore.transport import Patience, Transport

Code = grpc.StatusCode
REFUSED = Turn((), Code.UNAUTHENTICATED, "the token has expired")
USERS = Source("users")


class NotLeading(Exception):
    """What the permit raises."""


class Tokens(google.auth.credentials.Credentials):
    """Counts what is asked of it, and fails, or takes so long that the leadership is lost, when it is told to."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # the library has no types
        self.asked = 0
        self.failure: GoogleAuthError | None = None
        self.leading = True
        self.leads_behind = True

    def permit(self) -> None:
        """That of who leads."""
        if not self.leading:
            raise NotLeading

    def refresh(self, _: Any) -> None:
        """Count it."""
        self.asked += 1
        self.leading = self.leads_behind
        if self.failure:
            raise self.failure


@dataclass
class Scene:
    """A store, the script of its server and its tokens."""

    store: FirestoreStore
    script: Script
    tokens: Tokens = field(default_factory=Tokens)


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Scene]:
    script, tokens = Script(), Tokens()
    server = grpc.aio.server(handlers=[script.handlers()])
    host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    name = DatabaseName("scripted", "(default)")
    transport = Transport(
        name, host, Patience(call=5, reads=5, first_pause=0.01), Identity(tokens), permit=tokens.permit
    )
    store = FirestoreStore(name, transport)
    yield Scene(store, script, tokens)
    await store.close()
    await server.stop(grace=None)


def landed() -> Turn:
    answer = proto.CommitResponse(commit_time=timestamp(5))
    answer.write_results.add(update_time=timestamp(5))
    return Turn([answer])


async def test_a_commit_that_was_not_let_in_is_made_once_more_with_a_new_token(scene: Scene) -> None:
    scene.script.turns["Commit"] = [REFUSED, landed()]
    assert (await scene.store.commit([Create("users/a", {})])).commit_time == 5
    assert (scene.tokens.asked, len(scene.script.asked["Commit"])) == (1, 2)


async def test_a_commit_is_not_made_once_more_by_who_has_lost_the_leadership(scene: Scene) -> None:
    scene.script.turns["Commit"] = [REFUSED, landed()]
    scene.tokens.leads_behind = False
    with pytest.raises(NotLeading):
        await scene.store.commit([Create("users/a", {})])
    assert (scene.tokens.asked, len(scene.script.asked["Commit"])) == (1, 1)
    with pytest.raises(NotLeading):
        await scene.store.commit([Create("users/a", {})])
    assert len(scene.script.asked["Commit"]) == 1


async def test_reads_that_were_not_let_in_are_made_once_more_with_a_new_token(scene: Scene) -> None:
    scene.script.turns = {
        "BatchGetDocuments": [REFUSED, Turn(got("a", at=5))],
        "RunQuery": [Turn(listed("a"), Code.UNAUTHENTICATED), Turn(listed("b", "c"))],
    }
    assert [each.path for each in await scene.store.get(["users/a"])] == ["users/a"]
    page = await scene.store.page(USERS, limit=10)
    assert [each.path for each in page.documents] == ["users/a", "users/b", "users/c"]
    assert scene.tokens.asked == 2


@pytest.mark.parametrize("call", ["Commit", "RunQuery"])
async def test_who_is_not_let_in_with_a_new_token_either_is_denied(scene: Scene, call: str) -> None:
    scene.script.turns[call] = [REFUSED]
    with pytest.raises(Denied, match=r"UNAUTHENTICATED: .*: the token has expired"):
        await (scene.store.commit([Create("users/a", {})]) if call == "Commit" else scene.store.page(USERS, limit=1))
    assert (scene.tokens.asked, len(scene.script.asked[call])) == (1, 2)


async def test_calls_that_were_not_let_in_together_share_a_new_token(scene: Scene) -> None:
    scene.script.turns["BatchGetDocuments"] = [*[REFUSED] * 5, Turn(got("a", at=5))]
    await asyncio.gather(*(scene.store.get(["users/a"]) for _ in range(5)))
    assert scene.tokens.asked == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [(RefreshError("the key was withdrawn"), Denied), (TransportError("no route", retryable=True), UnknownOutcome)],  # type: ignore[no-untyped-call]
    ids=["for good", "for now"],
)
async def test_a_token_that_cannot_be_had_is_said_with_what_was_refused(
    scene: Scene, failure: GoogleAuthError, error: type[StoreError]
) -> None:
    scene.script.turns["Commit"] = [REFUSED]
    scene.tokens.failure = failure
    with pytest.raises(StoreError) as raised:
        await scene.store.commit([Create("users/a", {})])
    assert type(raised.value) is error
    assert "the token has expired; asked for a new token, and got none" in str(raised.value)
    assert str(failure.args[0]) in str(raised.value)


LINK = "https://console.firebase.google.com/v1/r/project/shop/firestore/indexes?create_composite=" + "Q" * 400
MISSING = (
    f"The query requires an index. You can create it here: {LINK}",
    f"The query requires an index. That index is currently building and cannot be used yet. See its status: {LINK}",
    f"The query requires a COLLECTION_GROUP_ASC index for collection logs and field userId. See {LINK}",
)


@pytest.mark.parametrize("told", MISSING)
async def test_an_index_that_is_missing_or_being_built_is_told_from_every_other_refusal(
    scene: Scene, told: str
) -> None:
    scene.script.turns["RunQuery"] = [Turn((), Code.FAILED_PRECONDITION, told)]
    with pytest.raises(IndexNotReady) as raised:
        await scene.store.page(USERS, limit=1)
    assert told in raised.value.message
    scene.script.turns["RunQuery"] = [Turn((), Code.FAILED_PRECONDITION, "the database is in Datastore mode")]
    with pytest.raises(StoreError) as other:
        await scene.store.page(USERS, limit=1)
    assert type(other.value) is StoreError
