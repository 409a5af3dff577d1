"""What the official client's writers do where calls fail, and what Firelift does there.

Each test has both in one place: the official client's outcome on the emulator or on the strict fake, and ours. A test
that fails in the client's half has met a version in which the defect is gone: it is to be deleted, with its line in
docs/proven.md.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, DeadlineExceeded
from google.cloud.firestore import Increment
from google.cloud.firestore_v1.bulk_writer import BulkRetry, BulkWriterOptions
from tests.contract.official import Both, both_on, every_third, seeded
from tests.fault_proxy import Code, Fault, nth_entry
from tests.moving import COPY, IN_PLACE, migration, plan
from tests.strict.server import strict_firestore

from firelift.api.run import RunKind

QUICKLY = 20.0


async def writes(both: Both, count: int, writer: Any) -> tuple[int, list[int]]:
    """Create so many documents by the official writer: its success callbacks, and the codes of its error callbacks."""
    succeeded, failed = [0], list[int]()

    def success(*_: object) -> None:
        succeeded[0] += 1

    def failure(error: Any, _: object) -> bool:
        failed.append(error.code)
        return bool(error.attempts < 3)

    writer.on_write_result(success)
    writer.on_write_error(failure)

    def create() -> None:
        for number in range(count):
            writer.create(both.official.document(f"bulk/{number:04}"), {"n": number})
        writer.close()

    await asyncio.to_thread(create)
    return succeeded[0], failed


async def test_batches_that_fail_as_a_whole_are_lost_without_a_word(both: Both) -> None:
    """googleapis/python-firestore#633: BulkWriter did not complete all write operations."""
    both.proxy.decide = every_third(Fault(Code.DEADLINE_EXCEEDED, deliveries=0), "BatchWrite")
    succeeded, failed = await writes(both, 300, both.official.bulk_writer())
    assert (succeeded, failed) == (200, []), "no callback and no exception tells of a third of the writes"
    assert len(await both.there("bulk")) == 200

    await seeded(both, "fitness_logs", ({"userId": "u", "n": number} for number in range(300)))
    both.proxy.decide = every_third(Fault(Code.DEADLINE_EXCEEDED, deliveries=0), "Commit")
    found = await both.moved(plan(RunKind.MIGRATE, migration(COPY), pace=_pace(batch_size=50)))
    assert (found["created"], found["retries"]) == (300, 3)
    assert len(await both.there("users/u/fitness_logs")) == 300


async def test_writes_that_were_lost_count_as_in_flight_for_ever(both: Both) -> None:
    """googleapis/nodejs-firestore#1827: BulkWriter.close() hangs indefinitely; Python's has a hang of its own."""
    both.proxy.decide = lambda call: Fault(Code.INTERNAL, deliveries=0) if call.method == "BatchWrite" else None
    writer: Any = both.official.bulk_writer()
    ended = threading.Event()

    def write() -> None:
        for number in range(560):
            writer.create(both.official.document(f"bulk/{number:04}"), {"n": number})
        writer.close()
        ended.set()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    assert not await asyncio.to_thread(ended.wait, 4), "more than 500 are in flight, and none of them is under way"
    assert writer._in_flight_documents > 500  # noqa: SLF001 - the counter that nothing lowers
    assert await both.there("bulk") == {}
    writer._in_flight_documents = 0  # noqa: SLF001 - the only way to end it
    assert await asyncio.to_thread(ended.wait, QUICKLY)
    thread.join()

    await seeded(both, "fitness_logs", ({"userId": "u", "n": number} for number in range(100)))
    ill = iter(range(2))
    both.proxy.decide = lambda call: (
        Fault(Code.INTERNAL, deliveries=0) if call.is_entry and next(ill, None) is not None else None
    )
    assert (await both.moved(plan(RunKind.MIGRATE, migration(COPY), pace=_pace(batch_size=20))))["created"] == 100


async def test_closing_with_a_retry_in_the_queue_drops_the_write(both: Both) -> None:
    """googleapis/python-firestore#633: `close()` refuses the writer's own retries, and their documents are lost."""
    await seeded(both, "bulk", [{"n": "there before"}])
    with pytest.raises(Exception, match="BulkWriter is closed and cannot accept new operations"):
        await writes(both, 2, both.official.bulk_writer())
    assert (await both.there("bulk"))["0001"] == {"n": 1}, "the other write of the batch"

    await seeded(both, "fitness_logs", [{"userId": "u", "n": 0}])
    once = iter([True])
    both.proxy.decide = lambda call: (
        Fault(Code.UNAVAILABLE, deliveries=0) if call.is_entry and next(once, False) else None
    )
    assert (await both.moved(plan(RunKind.MIGRATE, migration(COPY))))["retries"] == 1


async def test_bad_data_is_sent_sixteen_times_and_then_forgotten() -> None:
    """googleapis/python-firestore#633: every code is retried, and what still fails is dropped without an exception."""
    async with strict_firestore() as service, both_on(service.host) as both:
        writer: Any = both.official.bulk_writer(BulkWriterOptions(retry=BulkRetry.immediate))

        def write() -> None:
            writer.create(both.official.document("bulk/poison"), {"text": "x" * 1_048_500})
            writer.flush()

        await asyncio.to_thread(write)
        assert await both.there("bulk") == {}
        assert both.proxy.calls["BatchWrite"] == 16

        await seeded(both, "tasks", [{"name": "n" * 1_048_400}])
        spec = migration(IN_PLACE, transform={"rename": {"name": "title"}, "set": {"more": repr("m" * 200)}})
        assert await both.moved(plan(RunKind.MIGRATE, spec)) == {"read": 1, "dead_letters": 1}
        assert both.proxy.entries == 3, "once as it is, once as a dead letter, and the seal"


async def test_two_writes_to_one_document_may_land_in_the_other_order(both: Both) -> None:
    """googleapis/nodejs-firestore#1379: operations of one writer are not kept in order, not even on one document."""
    both.proxy.decide = lambda call: Fault(delay_seconds=1.0) if b"first" in call.request else None
    writer: Any = both.official.bulk_writer()
    reference = both.official.document("bulk/one")

    def write() -> None:
        writer.set(reference, {"n": "first"})
        writer.set(reference, {"n": "second"})
        writer.flush()

    await asyncio.to_thread(write)
    assert (await both.there("bulk"))["one"] == {"n": "first"}, "the write that came last is gone"

    await seeded(both, "tasks", [{"name": "first"}])
    both.proxy.decide = nth_entry(1, Fault(Code.DEADLINE_EXCEEDED, held=True))
    assert await both.moved(plan(RunKind.MIGRATE, migration(IN_PLACE))) == {"read": 1, "updated": 1, "retries": 1}
    await asyncio.to_thread(lambda: both.official.document("tasks/0000").set({"title": "second"}))
    assert await both.proxy.release() == [Code.ALREADY_EXISTS], "the write of before, as late as the other client's"
    assert await both.there("tasks") == {"0000": {"title": "second"}}


async def test_a_create_that_was_applied_is_retried_and_reported_as_a_failure(both: Both) -> None:
    """googleapis/google-cloud-java#4235: a Commit cannot be retried safely. On UNAVAILABLE it is."""
    lost = iter([Fault(Code.UNAVAILABLE)])
    both.proxy.decide = lambda call: next(lost, None) if call.method == "Commit" else None
    with pytest.raises(AlreadyExists):
        await asyncio.to_thread(lambda: both.official.document("bulk/one").create({"n": 1}))
    assert await both.there("bulk") == {"one": {"n": 1}}

    await seeded(both, "fitness_logs", ({"userId": "u", "n": number} for number in range(40)))
    both.proxy.decide = lambda call: Fault(Code.UNAVAILABLE) if call.is_entry else None
    assert await both.moved(plan(RunKind.MIGRATE, migration(COPY))) == {"read": 40, "created": 40}
    assert {each["n"] for each in (await both.there("users/u/fitness_logs")).values()} == set(range(40))


async def test_an_increment_that_was_applied_is_applied_again(both: Both) -> None:
    """googleapis/google-cloud-java#4235, as above: here the retry doubles what was done."""
    await seeded(both, "bulk", [{"n": 0}])
    lost = iter([Fault(Code.UNAVAILABLE)])
    both.proxy.decide = lambda call: next(lost, None) if call.method == "Commit" else None
    await asyncio.to_thread(lambda: both.official.document("bulk/0000").update({"n": Increment(1)}))
    assert await both.there("bulk") == {"0000": {"n": 2}}, "one increment was asked for"

    await seeded(both, "tasks", ({"name": "x", "n": number} for number in range(40)))
    both.proxy.decide = every_third(Fault(Code.UNAVAILABLE), "Commit")
    spec = migration(IN_PLACE, transform={"rename": {"name": "title"}, "set": {"n": "doc.n + 1"}})
    assert await both.moved(plan(RunKind.MIGRATE, spec)) == {"read": 40, "updated": 40}
    assert {each["n"] for each in (await both.there("tasks")).values()} == set(range(1, 41))


async def test_a_batch_that_was_committed_is_reported_as_failed(both: Both) -> None:
    """firebase/firebase-admin-node#2854: commit throws DEADLINE_EXCEEDED but the documents are there."""
    both.proxy.decide = lambda call: Fault(Code.DEADLINE_EXCEEDED) if call.method == "Commit" else None
    batch = both.official.batch()
    for number in range(10):
        batch.create(both.official.document(f"bulk/{number}"), {"n": number})
    with pytest.raises(DeadlineExceeded):
        await asyncio.to_thread(batch.commit)
    assert len(await both.there("bulk")) == 10

    await seeded(both, "fitness_logs", ({"userId": "u", "n": number} for number in range(40)))
    both.proxy.decide = lambda call: Fault(Code.DEADLINE_EXCEEDED) if call.is_entry else None
    assert await both.moved(plan(RunKind.MIGRATE, migration(COPY))) == {"read": 40, "created": 40}


def _pace(batch_size: int) -> Any:
    return plan(RunKind.MIGRATE, migration(COPY)).pace.model_copy(update={"batch_size": batch_size})
