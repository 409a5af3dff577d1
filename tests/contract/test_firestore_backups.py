"""Exports, imports and backups as the operator asks Firestore Admin for them: once each, whatever is lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.google_rest import Rest

from firelift.infra import firestore_backups
from firelift.infra.firestore_backups import TransferRefused, look
from firelift.rollout.backups import BackupsSeen, OperationSeen, TransferKind
from firelift.rollout.intents import StartTransfer

NAME = "projects/shop/databases/(default)"
MONDAY = "gs://shop-backups/monday"
EXPORT = StartTransfer(TransferKind.EXPORT, MONDAY, ("logs",))


def permitted() -> None:
    """This process may change what it likes."""


async def start(rest: Rest, wanted: StartTransfer = EXPORT) -> None:
    await firestore_backups.start("shop", "(default)", wanted, permit=permitted, endpoint=rest.stand_in.endpoint)


async def seen(rest: Rest) -> BackupsSeen:
    return await look("shop", "(default)", rest.stand_in.endpoint)


async def ended(rest: Rest) -> OperationSeen:
    """The newest operation, once it does nothing any more."""
    async with asyncio.timeout(30):
        while True:
            newest = (await seen(rest)).operations[-1]
            if newest.ended:
                return newest
            await asyncio.sleep(0.02)


async def test_an_export_tells_how_far_it_is_and_ends(rest: Rest) -> None:
    await rest.control("builds", {"export_seconds": 600})
    await start(rest)
    (going,) = (await seen(rest)).operations
    assert (going.kind, going.uri, going.collections) == (TransferKind.EXPORT, MONDAY, frozenset({"logs"}))
    assert (going.state, going.ended) == ("PROCESSING", False)
    assert going.time is not None
    assert abs(going.time - datetime.now(UTC)) < timedelta(minutes=1)
    await rest.control("clock", {"offset_seconds": 601})
    assert (await ended(rest)).state == "SUCCESSFUL"


async def test_an_export_of_one_moment_is_as_old_as_that(rest: Rest) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    await start(rest, StartTransfer(TransferKind.EXPORT, MONDAY, (), snapshot=minute))
    assert (await ended(rest)).time == minute
    for wrong in (minute + timedelta(seconds=1), minute - timedelta(hours=1), minute + timedelta(minutes=10)):
        with pytest.raises(TransferRefused, match="not a whole minute of the last hour") as caught:
            await start(rest, StartTransfer(TransferKind.EXPORT, "gs://shop-backups/x", (), snapshot=wrong))
        assert caught.value.final


async def test_what_is_there_is_not_begun_a_second_time(rest: Rest) -> None:
    await start(rest)
    await start(rest)
    assert len((await seen(rest)).operations) == 1


async def test_an_answer_that_was_lost_does_not_make_a_second_export(rest: Rest) -> None:
    await rest.control("faults", {"method": "ExportDocuments", "code": "UNAVAILABLE", "count": 1, "applied": True})
    with pytest.raises(TransferRefused, match="UNAVAILABLE") as caught:
        await start(rest)
    assert not caught.value.final
    await start(rest)
    assert len((await seen(rest)).operations) == 1


async def test_an_import_is_told_from_those_before_it(rest: Rest) -> None:
    await start(rest)
    await ended(rest)
    first = StartTransfer(TransferKind.IMPORT, MONDAY, ("logs",))
    await start(rest, first)
    await start(rest, first)
    (before,) = (await seen(rest)).moving(TransferKind.IMPORT, MONDAY, frozenset({"logs"}))
    await start(rest, StartTransfer(TransferKind.IMPORT, MONDAY, ("logs",), (before.name,)))
    both = (await seen(rest)).moving(TransferKind.IMPORT, MONDAY, frozenset({"logs"}))
    assert [each.name == before.name for each in both] == [True, False]


async def test_a_process_that_lost_its_permit_begins_nothing(rest: Rest) -> None:
    def lost() -> None:
        raise RuntimeError("somebody else leads")

    with pytest.raises(RuntimeError, match="somebody else leads"):
        await firestore_backups.start("shop", "(default)", EXPORT, permit=lost, endpoint=rest.stand_in.endpoint)
    assert (await seen(rest)).operations == ()


async def test_a_cancelled_operation_says_so_and_may_be_cancelled_again(rest: Rest) -> None:
    await rest.control("builds", {"export_seconds": 600})
    await start(rest)
    (going,) = (await seen(rest)).operations
    for _ in range(2):
        await firestore_backups.cancel(going.name, rest.stand_in.endpoint)
    await firestore_backups.cancel(f"{NAME}/operations/nowhere", rest.stand_in.endpoint)
    assert (await ended(rest)).state == "CANCELLED"


async def test_an_operation_that_fails_says_why(rest: Rest) -> None:
    await rest.control("builds", {"export_error": "service-1@gcp-sa-firestore has no storage.objects.create"})
    await start(rest)
    failed = await ended(rest)
    assert (failed.state, failed.error) == ("FAILED", "service-1@gcp-sa-firestore has no storage.objects.create")


@pytest.mark.parametrize(
    ("code", "said", "final"),
    [
        ("PERMISSION_DENIED", "roles/datastore.importExportAdmin", False),
        ("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED: too many", False),
        ("INVALID_ARGUMENT", "INVALID_ARGUMENT: too many", True),
        ("FAILED_PRECONDITION", "FAILED_PRECONDITION: too many", True),
    ],
)
async def test_a_refusal_says_what_can_be_done_and_whether_time_mends_it(
    rest: Rest, code: str, said: str, *, final: bool
) -> None:
    await rest.control("faults", {"method": "ExportDocuments", "code": code, "message": "too many"})
    with pytest.raises(TransferRefused, match=said) as caught:
        await start(rest)
    assert caught.value.final is final
    assert f"asked for an export to {MONDAY}: " in str(caught.value)


async def test_an_import_of_what_is_no_export_is_refused(rest: Rest) -> None:
    with pytest.raises(TransferRefused, match="there is no overall_export_metadata"):
        await start(rest, StartTransfer(TransferKind.IMPORT, MONDAY, ("logs",)))


async def test_backups_of_this_database_are_read_with_age_and_size(rest: Rest) -> None:
    await rest.control("backups", {"database": NAME, "age_seconds": 3_600, "size_bytes": 5_000})
    await rest.control("backups", {"database": "projects/shop/databases/orders"})
    (backup,) = (await seen(rest)).backups
    assert (backup.state, backup.size, bool(backup.database_uid)) == ("READY", 5_000, True)
    assert abs(datetime.now(UTC) - backup.time - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "operations", "backups"),
    [
        ("ListOperations", "roles/datastore.importExportAdmin", ""),
        ("ListBackups", "", "roles/datastore.backupsViewer"),
    ],
)
async def test_what_is_not_told_does_not_hide_the_rest(rest: Rest, method: str, operations: str, backups: str) -> None:
    await start(rest)
    await rest.control("backups", {"database": NAME})
    await rest.control("faults", {"method": method, "code": "PERMISSION_DENIED"})
    found = await seen(rest)
    assert (operations in found.operations_error, backups in found.backups_error) == (True, True)
    assert (bool(found.operations_error), bool(found.backups_error)) == (bool(operations), bool(backups))
    assert (len(found.operations), len(found.backups)) == (int(not operations), int(not backups))


async def test_a_database_with_more_operations_than_are_read_is_not_taken_for_one_without_exports(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firestore_backups, "MOST_OPERATIONS", 2)
    monkeypatch.setattr(firestore_backups, "_PAGE", 1)
    for day in ("monday", "tuesday", "friday"):
        await start(rest, StartTransfer(TransferKind.EXPORT, f"gs://shop-backups/{day}", ()))
        if day == "tuesday":
            assert len((await seen(rest)).operations) == 2
    assert "more than 2, which are not all read" in (await seen(rest)).operations_error
    with pytest.raises(TransferRefused, match="more than 2"):
        await start(rest)
