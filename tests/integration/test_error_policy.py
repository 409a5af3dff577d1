"""Each row of the policy table of errors, driven through a real worker: how it is taken, and what becomes of data.

The rows are those of `firelift.stores.firestore.errors`. A fault meets the third commit of a journal entry, before the
database has got it or after it has been applied; the outcome is added up without any code of the data plane.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from tests.fault_proxy import Code, Fault, nth, nth_entry
from tests.integration.fault_scene import FaultScene, behind, copied, counted, fault_scene
from tests.moving import counts
from tests.recount import documents

from firelift.api.run import RunKind, RunPlan
from firelift.migration.errors import Denied, RetriesExhausted, StoreError
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.seal import seal

ABOUT_TIME = [Code.ABORTED, Code.RESOURCE_EXHAUSTED]
UNKNOWN = [
    Code.UNAVAILABLE,
    Code.DEADLINE_EXCEEDED,
    Code.INTERNAL,
    Code.UNKNOWN,
    Code.CANCELLED,
    Code.DATA_LOSS,
]
LIVE_WRITES = [Code.ALREADY_EXISTS, Code.FAILED_PRECONDITION, Code.NOT_FOUND]
BAD_DATA = [Code.INVALID_ARGUMENT, Code.OUT_OF_RANGE]
NEEDS_A_PERSON = [Code.PERMISSION_DENIED, Code.UNAUTHENTICATED]
NOT_IN_THE_TABLE = [Code.UNIMPLEMENTED]
EVERY_CODE = [*ABOUT_TIME, *UNKNOWN, *LIVE_WRITES, *BAD_DATA, *NEEDS_A_PERSON, *NOT_IN_THE_TABLE]


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[FaultScene]:
    async with fault_scene(emulator) as scene:
        yield scene


both_kinds = pytest.mark.parametrize("make", [counted, copied])
Make = Callable[[], RunPlan]


async def begun(scene: FaultScene, make: Make) -> RunPlan:
    made = make()
    await scene.seed(made.migration.name)
    return made


def test_the_rows_are_all_codes() -> None:
    assert {*EVERY_CODE, Code.OK} == set(Code)


@both_kinds
@pytest.mark.parametrize("code", [*ABOUT_TIME, *UNKNOWN])
async def test_a_refusal_that_time_heals_is_tried_again(scene: FaultScene, make: Make, code: Code) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = nth_entry(3, Fault(code, deliveries=0))
    assert counts(await scene.run(made))["retries"] == 1
    await scene.everything_moved_once(made)


@both_kinds
@pytest.mark.parametrize("code", LIVE_WRITES)
async def test_a_lost_race_is_read_and_decided_again(scene: FaultScene, make: Make, code: Code) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = nth_entry(3, Fault(code, deliveries=0))
    found = counts(await scene.run(made))
    assert "retries" not in found
    assert len([call for call, _ in scene.proxy.told if call.is_entry]) == 1
    await scene.everything_moved_once(made)


@both_kinds
@pytest.mark.parametrize("code", BAD_DATA)
async def test_bad_data_is_narrowed_down_to_the_one_document_that_nobody_can_store(
    scene: FaultScene, make: Make, code: Code
) -> None:
    made = await begun(scene, make)
    bad = f"{made.migration.name}/d006"
    scene.proxy.decide = lambda call: Fault(code, deliveries=0) if call.is_entry and call.names(bad) else None
    found = counts(await scene.run(made))
    assert found["dead_letters"] == 1
    letters = [*(await documents(scene.client, "firelift_deadletters")).values()]
    assert [(each["path"], each["rule"]) for each in letters] == [(bad, "database")]
    assert f"{code.name}: commit to" in letters[0]["reason"]
    await scene.everything_moved_once(made, but=bad)


@both_kinds
@pytest.mark.parametrize("code", BAD_DATA)
async def test_bad_data_of_one_moment_costs_a_shorter_chunk_and_no_document(
    scene: FaultScene, make: Make, code: Code
) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = nth_entry(3, Fault(code, deliveries=0))
    assert "dead_letters" not in counts(await scene.run(made))
    await scene.everything_moved_once(made)


@both_kinds
@pytest.mark.parametrize("code", NEEDS_A_PERSON)
async def test_what_only_a_person_can_help_with_stops_the_run_and_is_said(
    scene: FaultScene, make: Make, code: Code
) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = lambda call: Fault(code, deliveries=0) if call.is_entry and call.number > 3 else None
    with pytest.raises(Denied, match=code.name):
        await scene.run(made)
    progress = await scene.progress(made)
    assert progress.said.failure.startswith(f"Denied: {code.name}: commit to projects/")
    assert 0 < progress.totals.written < 20
    scene.proxy.decide = lambda _: None
    assert (await scene.run(made)).said.failure == ""
    await scene.everything_moved_once(made)


@pytest.mark.parametrize("code", NOT_IN_THE_TABLE)
async def test_a_code_that_nobody_expects_ends_the_worker_and_harms_nothing(scene: FaultScene, code: Code) -> None:
    made = await begun(scene, counted)
    scene.proxy.decide = nth_entry(3, Fault(code, deliveries=0))
    with pytest.raises(StoreError, match=code.name):
        await scene.run(made)
    assert (await scene.progress(made)).said.failure.startswith(f"StoreError: {code.name}")
    await scene.run(made)
    await scene.everything_moved_once(made)


@both_kinds
@pytest.mark.parametrize("code", EVERY_CODE)
async def test_a_commit_that_was_applied_counts_whatever_its_answer_says(
    scene: FaultScene, make: Make, code: Code
) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = nth_entry(3, Fault(code, deliveries=1))
    found = counts(await scene.run(made))
    assert found == {"read": 20, "updated" if made.migration.in_place else "created": 20}
    await scene.everything_moved_once(made)


@both_kinds
async def test_a_commit_that_is_delivered_twice_happens_once(scene: FaultScene, make: Make) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = lambda call: Fault(deliveries=2) if call.is_entry else None
    await scene.run(made)
    assert len(scene.proxy.told) == 6
    await scene.everything_moved_once(made)


@both_kinds
async def test_a_commit_that_arrives_after_its_repetition_changes_nothing(scene: FaultScene, make: Make) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = nth_entry(3, Fault(Code.DEADLINE_EXCEEDED, held=True))
    await scene.run(made)
    assert await scene.proxy.release() == [Code.ALREADY_EXISTS]
    await scene.everything_moved_once(made)


@both_kinds
async def test_a_commit_that_arrives_after_the_seal_of_a_revert_changes_nothing(scene: FaultScene, make: Make) -> None:
    made = await begun(scene, make)
    scene.proxy.decide = lambda call: Fault(Code.UNAVAILABLE, held=True) if call.is_entry and call.number > 3 else None
    with pytest.raises(RetriesExhausted, match=r"pace\.maxRetries allows 5"):
        await scene.run(made)
    scene.proxy.decide = lambda _: None
    moved = (await scene.progress(made)).totals.written
    assert 0 < moved < 20
    assert (await seal(Journal(scene.direct, made.ledger), made.id, 0)).sealed
    assert set(await scene.proxy.release()) == {Code.ALREADY_EXISTS}
    assert (await scene.run(behind(made, RunKind.REVERT))).totals.written == moved
    await scene.everything_taken_back()


@pytest.mark.parametrize("kind", [RunKind.MIGRATE, RunKind.VERIFY, RunKind.REVERT])
@pytest.mark.parametrize("code", [*ABOUT_TIME, *UNKNOWN])
async def test_every_read_that_is_cut_goes_on(scene: FaultScene, kind: RunKind, code: Code) -> None:
    made = await begun(scene, copied)
    if kind is not RunKind.MIGRATE:
        await scene.run(made)
    cut = Fault(code, answers=1)
    scene.proxy.decide = lambda call: cut if call.method != "Commit" and call.number % 3 == 1 else None
    await scene.run(made if kind is RunKind.MIGRATE else behind(made, kind))
    assert {call.method for call, _ in scene.proxy.told} >= {"BatchGetDocuments"}
    scene.proxy.decide = lambda _: None
    if kind is RunKind.REVERT:
        await scene.everything_taken_back()
    else:
        await scene.everything_moved_once(made)


@pytest.mark.parametrize("code", [*ABOUT_TIME, *UNKNOWN])
async def test_the_first_writes_of_a_run_are_tried_again_too(scene: FaultScene, code: Code) -> None:
    made = await begun(scene, counted)
    scene.proxy.decide = nth(1, Fault(code, deliveries=0), lambda call: call.method == "Commit")
    await scene.run(made)
    assert [call.is_entry for call, _ in scene.proxy.told] == [False]
    await scene.everything_moved_once(made)


async def test_a_query_without_its_index_waits_and_says_so_with_the_databases_own_sentence(scene: FaultScene) -> None:
    made = await begun(scene, counted)
    told = "The query requires an index. That index is currently building and cannot be used yet"
    scene.proxy.decide = lambda call: Fault(Code.FAILED_PRECONDITION, told) if call.method == "RunQuery" else None
    running = asyncio.create_task(scene.run(made))
    async with asyncio.timeout(20):
        while not (said := (await scene.progress(made)).said).waiting:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.05)
    assert told in said.waiting
    assert (said.failure, running.done()) == ("", False)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_database_that_is_not_there_stops_the_run(scene: FaultScene) -> None:
    made = await begun(scene, counted)
    scene.proxy.decide = lambda call: Fault(Code.NOT_FOUND, "no database") if call.method == "RunQuery" else None
    with pytest.raises(Denied, match="no database"):
        await scene.run(made)
