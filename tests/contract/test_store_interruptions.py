"""How the Firestore store bears what the emulator never does: cut streams, lost answers, unordered partitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
import pytest_asyncio
from tests.contract.scripted import DATABASE, ROOT, Script, Turn, counted, got, listed, partitions

from firelift.migration.errors import (
    AlreadyExists,
    Denied,
    FailedPrecondition,
    NotFound,
    Poison,
    Pressure,
    StoreError,
    TooLarge,
    UnknownOutcome,
)
from firelift.migration.store import Create, Document, Missing, Source, Verify
from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import micros
from firelift.stores.firestore.store import FirestoreStore, open_firestore
from firelift.stores.firestore.transport import Patience

Code = grpc.StatusCode
USERS = Source("users")
IMPATIENT = Patience(call=0.5, reads=0.5, first_pause=0.001, longest_pause=0.01)


@pytest_asyncio.fixture
async def script() -> Script:
    return Script()


@asynccontextmanager
async def serving(script: Script, patience: Patience) -> AsyncIterator[FirestoreStore]:
    server = grpc.aio.server(handlers=[script.handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    opened = open_firestore("scripted", emulator_host=f"127.0.0.1:{port}", patience=patience)
    yield opened
    await opened.close()
    await server.stop(grace=None)


@pytest_asyncio.fixture
async def store(script: Script) -> AsyncIterator[FirestoreStore]:
    async with serving(script, IMPATIENT) as opened:
        yield opened


def names(documents: object) -> str:
    assert isinstance(documents, list)
    return "".join(document.id for document in documents)


async def test_a_page_that_was_cut_goes_on_behind_what_it_has(store: FirestoreStore, script: Script) -> None:
    script.turns["RunQuery"] = [
        Turn(listed(*"abcdef"), Code.UNAVAILABLE),
        Turn((), Code.INTERNAL),
        Turn(listed(*"ghij")),
    ]
    page = await store.page(USERS, limit=10)
    assert names(page.documents) == "abcdefghij"
    assert not page.exhausted
    asked = [request.structured_query for request in script.asked["RunQuery"]]
    assert [query.limit.value for query in asked] == [10, 4, 4]
    assert [query.HasField("start_at") for query in asked] == [False, True, True]
    assert asked[2].start_at.values[0].reference_value == f"{ROOT}/users/f"
    assert not asked[2].start_at.before


async def test_a_page_that_fails_before_its_first_document_is_asked_again(
    store: FirestoreStore, script: Script
) -> None:
    script.turns["RunQuery"] = [Turn((), Code.UNAVAILABLE), Turn(listed(*"ab"))]
    page = await store.page(USERS, limit=10)
    assert (names(page.documents), page.exhausted) == ("ab", True)


async def test_a_page_cut_behind_its_last_document_is_complete(store: FirestoreStore, script: Script) -> None:
    script.turns["RunQuery"] = [Turn(listed(*"ab"), Code.UNAVAILABLE), Turn(listed("c"))]
    page = await store.page(USERS, limit=2)
    assert (names(page.documents), page.exhausted) == ("ab", False)
    assert len(script.asked["RunQuery"]) == 1


async def test_a_page_asks_for_five_thousand_documents_at_most(store: FirestoreStore, script: Script) -> None:
    script.turns["RunQuery"] = [Turn(())]
    await store.page(USERS, limit=1_000_000)
    assert script.asked["RunQuery"][0].structured_query.limit.value == 5_000


async def test_a_get_that_was_cut_asks_for_what_is_left_at_the_time_of_what_it_has(
    store: FirestoreStore, script: Script
) -> None:
    script.turns["BatchGetDocuments"] = [
        Turn(got("c", at=4), Code.UNAVAILABLE),
        Turn(got("-a", at=4), Code.UNAVAILABLE),
        Turn(got("b", at=4)),
    ]
    answers = await store.get(["users/a", "users/b", "users/c"])
    assert [(type(answer), answer.path, answer.read_time) for answer in answers] == [
        (Missing, "users/a", 4),
        (Document, "users/b", 4),
        (Document, "users/c", 4),
    ]
    asked = script.asked["BatchGetDocuments"]
    assert [[name[-1] for name in each.documents] for each in asked] == [["a", "b", "c"], ["a", "b"], ["b"]]
    assert [micros(each.read_time) for each in asked] == [0, 4, 4]


async def test_a_get_that_was_cut_behind_its_last_answer_is_complete(store: FirestoreStore, script: Script) -> None:
    script.turns["BatchGetDocuments"] = [Turn(got("b", "a", at=5), Code.UNAVAILABLE)]
    assert names(await store.get(["users/a", "users/b"])) == "ab"
    assert len(script.asked["BatchGetDocuments"]) == 1


@pytest.mark.parametrize(
    ("order", "found", "calls"),
    [("bacd", "ab", 1), ("cbda", "a", 2), ("adcb", "a", 1)],
    ids=["out of order", "the first one comes last", "one behind the other"],
)
async def test_a_get_that_is_full_answers_for_the_first_paths_in_whatever_order_they_come(
    store: FirestoreStore, script: Script, order: str, found: str, calls: int
) -> None:
    answers = got(*order, at=5)
    script.turns["BatchGetDocuments"] = [Turn(answers), Turn(got("a", at=5))]
    documents = await store.get([f"users/{name}" for name in "abcd"], most=2 * answers[0].found.ByteSize())
    assert names(documents) == found
    assert len(script.asked["BatchGetDocuments"]) == calls


async def test_a_get_reads_at_the_latest_time_of_its_answers(store: FirestoreStore, script: Script) -> None:
    script.turns["BatchGetDocuments"] = [Turn([*got("a", at=5), *got("b", at=7)])]
    assert {answer.read_time for answer in await store.get(["users/a", "users/b"])} == {7}


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.RESOURCE_EXHAUSTED])
async def test_a_commit_is_sent_once_whatever_happens(store: FirestoreStore, script: Script, code: Code) -> None:
    script.turns["Commit"] = [Turn((), code)]
    with pytest.raises(StoreError) as failure:
        await store.commit([Create("users/a", {})])
    assert failure.value.code == code.name
    assert len(script.asked["Commit"]) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (Code.ALREADY_EXISTS, AlreadyExists),
        (Code.FAILED_PRECONDITION, FailedPrecondition),
        (Code.NOT_FOUND, NotFound),
        (Code.ABORTED, Pressure),
        (Code.RESOURCE_EXHAUSTED, Pressure),
        (Code.UNAVAILABLE, UnknownOutcome),
        (Code.DEADLINE_EXCEEDED, UnknownOutcome),
        (Code.INTERNAL, UnknownOutcome),
        (Code.UNKNOWN, UnknownOutcome),
        (Code.CANCELLED, UnknownOutcome),
        (Code.DATA_LOSS, UnknownOutcome),
        (Code.INVALID_ARGUMENT, Poison),
        (Code.OUT_OF_RANGE, Poison),
        (Code.PERMISSION_DENIED, Denied),
        (Code.UNIMPLEMENTED, StoreError),
    ],
)
async def test_a_failed_commit_has_the_error_of_its_consequence(
    store: FirestoreStore, script: Script, code: Code, error: type[StoreError]
) -> None:
    script.turns["Commit"] = [Turn((), code, details="because")]
    with pytest.raises(StoreError) as failure:
        await store.commit([Create("users/a", {})])
    assert type(failure.value) is error
    assert str(failure.value) == f"{code.name}: commit to {DATABASE}: because"


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.RESOURCE_EXHAUSTED, "gRPC message exceeds maximum size 4194304: 11000932"),
        (Code.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (11000932 vs. 4194304)"),
        (Code.RESOURCE_EXHAUSTED, "CLIENT: Sent message larger than max (11000932 vs. 4194304)"),
        (Code.INVALID_ARGUMENT, "Request payload size exceeds the limit: 11534336 bytes."),
        (Code.INVALID_ARGUMENT, "Transaction too big. Decrease transaction size."),
    ],
)
async def test_a_message_that_can_never_pass_is_not_taken_for_pressure_nor_for_bad_data(
    store: FirestoreStore, script: Script, code: Code, details: str
) -> None:
    script.turns["Commit"] = [Turn((), code, details)]
    with pytest.raises(TooLarge):
        await store.commit([Create("users/a", {})])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (Code.NOT_FOUND, Denied),
        (Code.PERMISSION_DENIED, Denied),
        (Code.INVALID_ARGUMENT, Poison),
        (Code.FAILED_PRECONDITION, StoreError),
    ],
)
async def test_a_read_that_cannot_succeed_is_not_tried_again(
    store: FirestoreStore, script: Script, code: Code, error: type[StoreError]
) -> None:
    script.turns["RunQuery"] = [Turn((), code)]
    with pytest.raises(StoreError) as failure:
        await store.page(USERS, limit=1)
    assert type(failure.value) is error
    assert len(script.asked["RunQuery"]) == 1


async def test_a_read_gives_up_when_its_patience_ends(store: FirestoreStore, script: Script) -> None:
    script.turns["RunAggregationQuery"] = [Turn((), Code.UNAVAILABLE)]
    with pytest.raises(UnknownOutcome, match=f"count of users on {DATABASE}".replace("(", r"\(").replace(")", r"\)")):
        await store.count(USERS)
    assert len(script.asked["RunAggregationQuery"]) > 5


async def test_a_read_that_nobody_waits_for_any_more_ends_at_the_server(script: Script) -> None:
    script.turns["RunQuery"] = [Turn(listed("a"), silent=True)]
    async with serving(script, Patience()) as store:
        reading = asyncio.create_task(store.page(USERS, limit=10))
        async with asyncio.timeout(10):
            while "RunQuery" not in script.asked:  # noqa: ASYNC110 - a server does it
                await asyncio.sleep(0.01)
            reading.cancel()
            await script.left.wait()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert script.left.is_set()


async def test_a_commit_without_an_answer_ends_at_its_deadline(store: FirestoreStore, script: Script) -> None:
    script.turns["Commit"] = [Turn(silent=True)]
    with pytest.raises(UnknownOutcome) as failure:
        await store.commit([Create("users/a", {})])
    assert failure.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(
    ("method", "turn"),
    [
        ("BatchGetDocuments", Turn(got("a", at=5))),
        ("RunAggregationQuery", Turn(())),
        ("Commit", Turn([proto.CommitResponse()])),
    ],
)
async def test_an_answer_that_is_not_whole_is_not_taken_for_one(
    store: FirestoreStore, script: Script, method: str, turn: Turn
) -> None:
    script.turns[method] = [turn]
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "BatchGetDocuments": lambda: store.get(["users/a", "users/b"]),
        "RunAggregationQuery": lambda: store.count(USERS),
        "Commit": lambda: store.commit([Create("users/a", {})]),
    }
    with pytest.raises(UnknownOutcome):
        await calls[method]()


async def test_partitions_are_sorted_across_pages_and_clipped_to_the_source(
    store: FirestoreStore, script: Script
) -> None:
    script.turns["PartitionQuery"] = [
        Turn([partitions("users/b", "users/m", "users/q", next_page="more")]),
        Turn([partitions("users/a", "users/u", "users/u/users/x", "users/w")]),
    ]
    script.turns["RunAggregationQuery"] = [Turn(counted(10))]
    points = await store.split_points(Source("users", start="users/a", end="users/u"), 5)
    assert points == ["users/b", "users/m", "users/q", "users/u"]
    first, second, further = script.asked["PartitionQuery"]
    assert (first.page_token, second.page_token, first.partition_count) == ("", "more", 9)
    assert (further.page_token, further.partition_count) == ("", 20), "in proportion to what was of the source"
    assert first.structured_query.from_[0].all_descendants


async def test_more_partitions_than_asked_are_thinned_evenly(store: FirestoreStore, script: Script) -> None:
    script.turns["PartitionQuery"] = [Turn([partitions(*(f"users/{n:02}" for n in range(99)))])]
    script.turns["RunAggregationQuery"] = [Turn(counted(10))]
    assert await store.split_points(USERS, 4) == ["users/24", "users/49", "users/74"]


async def test_calls_carry_their_route_and_the_emulators_owner(store: FirestoreStore, script: Script) -> None:
    script.turns["RunQuery"] = [Turn(())]
    await store.page(Source("users/ada/logs"), limit=1)
    [metadata] = script.metadata
    assert metadata["authorization"] == "Bearer owner"
    assert metadata["google-cloud-resource-prefix"] == DATABASE
    route = "projects%2Fscripted%2Fdatabases%2F%28default%29%2Fdocuments%2Fusers%2Fada"
    assert metadata["x-goog-request-params"] == f"parent={route}"


@pytest.mark.parametrize("name", ["a", "a" * 1_000])
async def test_a_guard_is_field_five_of_a_write(store: FirestoreStore, script: Script, name: str) -> None:
    script.turns["Commit"] = [Turn((), Code.ABORTED)]
    with pytest.raises(Pressure):
        await store.commit([Verify(f"users/{name}", 7)])
    [write] = script.asked["Commit"][0].writes
    full_name = f"{ROOT}/users/{name}".encode()
    assert write.SerializeToString().count(full_name) == 1
    assert write.current_document.update_time.nanos == 7_000
    write.ClearField("current_document")
    encoded = write.SerializeToString()
    assert encoded[:1] == b"\x2a"
    assert encoded.endswith(full_name)
    assert len(encoded) == len(full_name) + (2 if len(full_name) < 128 else 3)
