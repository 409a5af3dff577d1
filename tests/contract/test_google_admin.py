"""Firestore Admin over gRPC: what Terraform made over REST, how it is built over time, exports, imports, backups."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.api_core.exceptions import InvalidArgument, NotFound
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_admin_v1 import types
from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminAsyncClient
from google.cloud.firestore_admin_v1.services.firestore_admin.transports import FirestoreAdminGrpcAsyncIOTransport
from tests.contract.google_rest import DATABASE, FIELDS, GROUP, Rest, rest_of

from firelift.sandbox.google import Options

NAME = "projects/shop/databases/(default)"
ORDERS = f"{NAME}/collectionGroups/orders"
EXPIRES = f"{ORDERS}/fields/expireAt"
INDEX = types.Index(
    query_scope=types.Index.QueryScope.COLLECTION,
    fields=[
        types.Index.IndexField(field_path="tenant", order=types.Index.IndexField.Order.ASCENDING),
        types.Index.IndexField(field_path="placed", order=types.Index.IndexField.Order.DESCENDING),
    ],
)


def client_of(rest: Rest) -> FirestoreAdminAsyncClient:
    channel = grpc.aio.insecure_channel(rest.stand_in.endpoint)
    return FirestoreAdminAsyncClient(transport=FirestoreAdminGrpcAsyncIOTransport(channel=channel))


@pytest_asyncio.fixture
async def admin(rest: Rest) -> AsyncIterator[FirestoreAdminAsyncClient]:
    client = client_of(rest)
    yield client
    await client.transport.close()  # type: ignore[no-untyped-call] # the generated client is typed only in part


async def clock(rest: Rest, seconds: float) -> None:
    await rest.control("clock", {"offset_seconds": seconds})


async def test_an_index_is_creating_until_it_is_built_and_says_how_far_it_is(
    rest: Rest, admin: FirestoreAdminAsyncClient
) -> None:
    await rest.database()
    await rest.control("builds", {"index_seconds": 1_000, "documents": 500})
    operation = await rest.ok("POST", f"{GROUP}/indexes", {"fields": FIELDS})
    (index,) = [one async for one in await admin.list_indexes(parent=f"{NAME}/collectionGroups/-")]
    await clock(rest, 500)
    listed: Any = await admin.list_operations({"name": NAME, "filter": "done:false"})
    half = types.IndexOperationMetadata.deserialize(listed.operations[0].metadata.value)
    await clock(rest, 1_000)
    ready = await admin.get_index(name=index.name)
    done = await rest.ok("GET", f"fs/v1/{operation['name']}")
    left: Any = await admin.list_operations({"name": NAME, "filter": "done=false"})

    assert "done" not in operation
    assert (index.state, ready.state) == (types.Index.State.CREATING, types.Index.State.READY)
    assert (half.index, half.state) == (index.name, types.OperationState.PROCESSING)
    assert 250 <= half.progress_documents.completed_work < 300
    assert half.progress_documents.estimated_work == 500
    # an operation that is over says nothing of the index's state
    assert (done["done"], done["metadata"]["state"], done["response"]["state"]) == (True, "SUCCESSFUL", "CREATING")
    assert len(left.operations) == 0


async def test_a_ttl_is_active_after_its_time(rest: Rest, admin: FirestoreAdminAsyncClient) -> None:
    await rest.control("builds", {"ttl_seconds": 60})
    await admin.update_field(request={"field": {"name": EXPIRES, "ttl_config": {}}, "update_mask": "ttlConfig"})
    creating = await admin.get_field(name=EXPIRES)
    await clock(rest, 60)
    request = {"parent": f"{NAME}/collectionGroups/-", "filter": "ttlConfig:*"}
    (active,) = [field async for field in await admin.list_fields(request)]
    request["filter"] = "indexConfig.usesAncestorConfig:false"
    overridden = [field async for field in await admin.list_fields(request)]

    assert creating.ttl_config.state == types.Field.TtlConfig.State.CREATING
    assert (active.name, active.ttl_config.state) == (EXPIRES, types.Field.TtlConfig.State.ACTIVE)
    assert overridden == []


async def test_an_index_and_a_ttl_can_need_repair(rest: Rest, admin: FirestoreAdminAsyncClient) -> None:
    name = (await admin.create_index(parent=ORDERS, index=INDEX)).metadata.index
    await admin.update_field(request={"field": {"name": EXPIRES, "ttl_config": {}}, "update_mask": "ttlConfig"})
    broken = await rest.control("states", {"name": name, "state": "NEEDS_REPAIR"})
    await rest.control("states", {"name": EXPIRES, "state": "NEEDS_REPAIR"})
    index, field = await admin.get_index(name=name), await admin.get_field(name=EXPIRES)
    mended = [await rest.control("states", {"name": one, "state": "READY"}) for one in (name, EXPIRES)]

    assert broken == {name: "NEEDS_REPAIR", EXPIRES: "ACTIVE"}
    assert index.state == types.Index.State.NEEDS_REPAIR
    assert field.ttl_config.state == types.Field.TtlConfig.State.NEEDS_REPAIR
    assert mended[-1] == {name: "READY", EXPIRES: "ACTIVE"}


@pytest.mark.parametrize(
    ("route", "body", "sentence"),
    [
        ("states", {"name": ORDERS, "state": "READY"}, "not found"),
        ("states", {"name": ORDERS, "state": "BROKEN"}, "Input should be"),
        ("builds", {"index_seconds": -1}, "greater than or equal to 0"),
        ("builds", {"indexes": 1}, "Extra inputs"),
        ("backups", {"database": "shop"}, "the format is projects/[PROJECT]/databases/[DATABASE]"),
    ],
)
async def test_a_wrong_wish_gets_a_sentence(rest: Rest, route: str, body: dict[str, Any], sentence: str) -> None:
    async with rest.session.post(f"{rest.stand_in.control}/{route}", json=body) as answer:
        assert answer.status == 400
        assert sentence in await answer.text()


async def test_what_one_side_makes_the_other_deletes(rest: Rest, admin: FirestoreAdminAsyncClient) -> None:
    await rest.database()
    name = (await admin.create_index(parent=ORDERS, index=INDEX)).metadata.index
    schedule = await rest.ok("POST", f"{DATABASE}/backupSchedules", {"dailyRecurrence": {}, "retention": "86400s"})
    read = await rest.ok("GET", f"fs/v1/{name}")
    again, _ = await rest.call("POST", f"{GROUP}/indexes", {"fields": FIELDS})
    listed = await admin.list_backup_schedules(parent=NAME)
    databases = await admin.list_databases(parent="projects/shop")
    await admin.delete_index(name=name)

    assert [field["fieldPath"] for field in read["fields"]] == ["tenant", "placed", "__name__"]
    assert again == 409
    assert [one.name for one in listed.backup_schedules] == [schedule["name"]]
    assert [one.name for one in databases.databases] == [NAME]
    with pytest.raises(NotFound):
        await admin.get_index(name=name)


async def test_a_backup_is_listed_until_it_expires(rest: Rest, admin: FirestoreAdminAsyncClient) -> None:
    uid = (await admin.get_database(name=NAME)).uid
    laid = await rest.control("backups", {"database": NAME, "age_seconds": 3_600, "retention_seconds": 7_200})
    await rest.control("backups", {"database": NAME, "state": "CREATING", "size_bytes": 5})
    everywhere = "projects/shop/locations/-"
    both = (await admin.list_backups(parent=everywhere)).backups
    backup = await admin.get_backup(name=laid["name"])
    await clock(rest, 3_601)
    left = (await admin.list_backups(parent=everywhere)).backups
    with pytest.raises(NotFound):
        await admin.get_backup(name=laid["name"])
    over_rest = await rest.ok("GET", "fs/v1/projects/shop/locations/nam5/backups")

    assert [one.state for one in both] == [types.Backup.State.READY, types.Backup.State.CREATING]
    assert (backup.database, backup.database_uid, backup.stats.size_bytes) == (NAME, uid, 1_000_000)
    assert backup.expire_time == backup.snapshot_time + timedelta(seconds=7_200)
    assert [one.stats.size_bytes for one in left] == [5]
    assert len(over_rest["backups"]) == 1


@pytest_asyncio.fixture
async def documents(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Rest, FirestoreAdminAsyncClient, AsyncClient]]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    async with rest_of(Options(firestore_host=emulator)) as rest:
        admin = client_of(rest)
        store = AsyncClient(project=f"exports-{secrets.token_hex(6)}")
        yield rest, admin, store
        store.close()  # type: ignore[no-untyped-call] # the client is typed only in part
        await admin.transport.close()  # type: ignore[no-untyped-call] # the generated client is typed only in part


async def over(admin: FirestoreAdminAsyncClient, operation: Any) -> Any:
    """Ask for an operation until it is over."""
    async with asyncio.timeout(30):
        while True:
            found: Any = await admin.get_operation({"name": operation.operation.name})
            if found.done:
                return found
            await asyncio.sleep(0.02)


async def test_an_import_writes_what_was_exported_over_what_is_there_and_deletes_nothing(
    documents: tuple[Rest, FirestoreAdminAsyncClient, AsyncClient],
) -> None:
    rest, admin, store = documents
    name = f"projects/{store.project}/databases/(default)"
    await store.document("orders/1").set({"total": 1, "nested": {"a": [1, 2.5, None]}})
    await store.document("shops/a/orders/2").set({"total": 2})
    await store.document("customers/1").set({"name": "Ada"})
    request = {"name": name, "output_uri_prefix": "gs://backups/first", "collection_ids": ["orders"]}
    done = await over(admin, await admin.export_documents(request=request))
    metadata = types.ExportDocumentsMetadata.deserialize(done.metadata.value)
    await store.document("orders/1").set({"total": 100})
    await store.document("shops/a/orders/2").delete()
    await store.document("orders/3").set({"total": 3})

    await over(admin, await admin.import_documents(request={"name": name, "input_uri_prefix": "gs://backups/first"}))
    orders = {one.reference.path: one.to_dict() async for one in store.collection_group("orders").stream()}
    async with rest.session.get(f"{rest.stand_in.control}/exports") as answer:
        (kept,) = await answer.json()

    assert orders == {
        "orders/1": {"total": 1, "nested": {"a": [1, 2.5, None]}},
        "orders/3": {"total": 3},
        "shops/a/orders/2": {"total": 2},
    }
    assert (metadata.operation_state, metadata.output_uri_prefix) == (
        types.OperationState.SUCCESSFUL,
        "gs://backups/first",
    )
    assert metadata.progress_documents.completed_work == 2
    assert metadata.progress_bytes.completed_work == kept["bytes"] > 0
    assert (kept["prefix"], kept["documents"], kept["complete"]) == ("gs://backups/first", 2, True)


async def test_an_export_of_a_moment_has_no_document_that_came_later(
    documents: tuple[Rest, FirestoreAdminAsyncClient, AsyncClient],
) -> None:
    _, admin, store = documents
    await store.document("orders/1").set({"total": 1})
    minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
    name = f"projects/{store.project}/databases/(default)"
    request = {"name": name, "output_uri_prefix": "gs://backups/moment", "snapshot_time": minute}
    done = await over(admin, await admin.export_documents(request=request))
    metadata = types.ExportDocumentsMetadata.deserialize(done.metadata.value)

    assert (done.error.message, metadata.progress_documents.completed_work) == ("", 0)
    assert metadata.snapshot_time == minute


async def test_an_export_of_everything_has_every_collection(
    documents: tuple[Rest, FirestoreAdminAsyncClient, AsyncClient],
) -> None:
    _, admin, store = documents
    name = f"projects/{store.project}/databases/(default)"
    for path in ("orders/1", "shops/a/orders/2", "customers/1"):
        await store.document(path).set({"there": True})
    done = await over(admin, await admin.export_documents(request={"name": name, "output_uri_prefix": "gs://backups"}))
    prefix = types.ExportDocumentsResponse.deserialize(done.response.value).output_uri_prefix
    for path in ("orders/1", "shops/a/orders/2", "customers/1"):
        await store.document(path).delete()
    request = {"name": name, "input_uri_prefix": prefix, "collection_ids": ["customers"]}
    await over(admin, await admin.import_documents(request=request))

    assert prefix.startswith("gs://backups/")
    assert (await store.document("customers/1").get()).exists
    assert not (await store.document("orders/1").get()).exists


async def test_an_export_takes_its_time_and_is_refused_twice_and_unfinished(
    rest: Rest, admin: FirestoreAdminAsyncClient
) -> None:
    await rest.control("builds", {"export_seconds": 600})
    request = {"name": NAME, "output_uri_prefix": "gs://backups/slow"}
    operation = await admin.export_documents(request=request)
    with pytest.raises(InvalidArgument, match="Path already exists"):
        await admin.export_documents(request=request)
    with pytest.raises(InvalidArgument, match="is not gs://BUCKET"):
        await admin.export_documents(request={**request, "output_uri_prefix": "backups"})
    with pytest.raises(NotFound, match="overall_export_metadata"):
        await admin.import_documents(request={"name": NAME, "input_uri_prefix": "gs://backups/slow"})
    unfinished: Any = await admin.get_operation({"name": operation.operation.name})
    await clock(rest, 600)
    done = await over(admin, operation)

    assert not unfinished.done
    assert done.done
    await admin.import_documents(request={"name": NAME, "input_uri_prefix": "gs://backups/slow"})


async def test_an_export_that_is_cancelled_says_so(rest: Rest, admin: FirestoreAdminAsyncClient) -> None:
    await rest.control("builds", {"export_seconds": 600})
    operation = await admin.export_documents(request={"name": NAME, "output_uri_prefix": "gs://backups/not"})
    await admin.cancel_operation({"name": operation.operation.name})
    found: Any = await admin.get_operation({"name": operation.operation.name})
    metadata = types.ExportDocumentsMetadata.deserialize(found.metadata.value)

    assert (found.done, found.error.code) == (True, 1)
    assert metadata.operation_state == types.OperationState.CANCELLED


@pytest.mark.parametrize(
    ("code", "status"), [("ABORTED", 409), ("RESOURCE_EXHAUSTED", 429), ("INTERNAL", 500), ("UNAVAILABLE", 503)]
)
async def test_a_fault_hits_one_api_and_has_its_http_status(rest: Rest, code: str, status: int) -> None:
    await rest.control("faults", {"api": "firestore", "code": code, "count": 2, "latency_ms": 1})
    database = {"locationId": "nam5"}
    refused, answer = await rest.call("POST", "fs/v1/projects/shop/databases", database, databaseId="(default)")
    other, _ = await rest.call("GET", "crm/v1/projects/shop")
    again, _ = await rest.call("GET", DATABASE)
    missing, _ = await rest.call("GET", DATABASE)

    assert (refused, answer["error"]["status"]) == (status, code)
    assert (other, again, missing) == (200, status, 404)


async def test_an_answer_can_be_lost_although_the_call_took_effect(rest: Rest) -> None:
    await rest.database()
    await rest.control("faults", {"method": "CreateIndex", "code": "UNAVAILABLE", "count": 1, "applied": True})
    lost, _ = await rest.call("POST", f"{GROUP}/indexes", {"fields": FIELDS})
    again, _ = await rest.call("POST", f"{GROUP}/indexes", {"fields": FIELDS})

    assert (lost, again) == (503, 409)
    assert len((await rest.ok("GET", f"{GROUP}/indexes"))["indexes"]) == 1
