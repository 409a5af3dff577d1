"""Firestore's administration in the stand-in: databases, indexes, fields and schedules as Terraform meets them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.google_rest import DATABASE, FIELDS, GROUP, Rest

from firelift.infra.firestore_admin import DatabaseLookupError, database_uid


async def test_a_database_is_there_once_it_is_created_and_answers_one_uid_everywhere(rest: Rest) -> None:
    implied = await database_uid("shop", "(default)", rest.stand_in.endpoint)
    before, _ = await rest.call("GET", DATABASE)
    operation = await rest.database()
    again, _ = await rest.call("POST", "fs/v1/projects/shop/databases", {"locationId": "nam5"}, databaseId="(default)")
    read = await rest.ok("GET", DATABASE)

    assert (before, again) == (404, 409)
    assert operation["done"] is True
    assert operation["response"]["name"] == read["name"] == "projects/shop/databases/(default)"
    assert read["uid"] == implied == await database_uid("shop", "(default)", rest.stand_in.endpoint)


@pytest.mark.parametrize(
    ("identifier", "body", "sentence"),
    [
        ("AB", {"locationId": "nam5"}, "Invalid database id 'AB'"),
        ("orders", {}, "Missing location_id"),
    ],
)
async def test_a_wrong_database_is_refused(rest: Rest, identifier: str, body: dict[str, Any], sentence: str) -> None:
    status, answer = await rest.call("POST", "fs/v1/projects/shop/databases", body, databaseId=identifier)

    assert status == 400
    assert sentence in answer["error"]["message"]


async def test_point_in_time_recovery_keeps_versions_for_a_week(rest: Rest) -> None:
    await rest.database()
    before = await rest.ok("GET", DATABASE)
    body = {"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED", "etag": before["etag"]}
    await rest.ok("PATCH", DATABASE, body, updateMask="pointInTimeRecoveryEnablement")
    after = await rest.ok("GET", DATABASE)
    stale, _ = await rest.call("PATCH", DATABASE, body, updateMask="pointInTimeRecoveryEnablement")
    moved, _ = await rest.call("PATCH", DATABASE, {"locationId": "eur3"}, updateMask="locationId")

    assert (before["versionRetentionPeriod"], after["versionRetentionPeriod"]) == ("3600s", "604800s")
    assert (stale, moved) == (409, 400)


async def test_a_protected_database_stays_and_a_deleted_one_takes_everything_along(rest: Rest) -> None:
    await rest.database(deleteProtectionState="DELETE_PROTECTION_ENABLED")
    uid = (await rest.ok("GET", DATABASE))["uid"]
    await rest.ok("POST", f"{GROUP}/indexes", {"fields": FIELDS})
    kept, refusal = await rest.call("DELETE", DATABASE)
    open_ = {"deleteProtectionState": "DELETE_PROTECTION_DISABLED"}
    await rest.ok("PATCH", DATABASE, open_, updateMask="deleteProtectionState")

    deleted = await rest.ok("DELETE", DATABASE)
    gone, _ = await rest.call("GET", DATABASE)
    with pytest.raises(DatabaseLookupError, match="NOT_FOUND"):
        await database_uid("shop", "(default)", rest.stand_in.endpoint)
    await rest.database()

    assert (kept, refusal["error"]["status"], gone) == (400, "FAILED_PRECONDITION", 404)
    assert deleted["response"]["name"] == f"projects/shop/databases/{uid}"
    assert deleted["response"]["previousId"] == "(default)"
    assert (await rest.ok("GET", DATABASE))["uid"] != uid
    assert await rest.ok("GET", f"{GROUP}/indexes") == {}


TAGS = {"fieldPath": "tags", "arrayConfig": "CONTAINS"}
VECTOR = {"fieldPath": "embedding", "vectorConfig": {"dimension": 8, "flat": {}}}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (FIELDS, [*FIELDS, {"fieldPath": "__name__", "order": "DESCENDING"}]),
        (
            [FIELDS[0], TAGS],
            [
                FIELDS[0],
                TAGS,
                {"fieldPath": "__name__", "order": "ASCENDING"},
            ],
        ),
        ([VECTOR], [{"fieldPath": "__name__", "order": "ASCENDING"}, VECTOR]),
        (
            [*FIELDS, {"fieldPath": "__name__", "order": "ASCENDING"}],
            [*FIELDS, {"fieldPath": "__name__", "order": "ASCENDING"}],
        ),
    ],
)
async def test_an_index_gets_the_name_it_implies(rest: Rest, given: list[Any], made: list[Any]) -> None:
    await rest.database()
    body = {"fields": given, "queryScope": "COLLECTION", "apiScope": "ANY_API"}
    operation = await rest.ok("POST", f"{GROUP}/indexes", body)
    index = await rest.ok("GET", f"fs/v1/{operation['metadata']['index']}")

    assert operation["response"]["state"] == "CREATING"
    assert (index["fields"], index["state"], index["density"]) == (made, "READY", "SPARSE_ALL")
    assert "apiScope" not in index


async def test_an_index_that_exists_is_refused_and_can_be_found(rest: Rest) -> None:
    await rest.database()
    name = (await rest.ok("POST", f"{GROUP}/indexes", {"fields": FIELDS}))["response"]["name"]
    implied = [*FIELDS, {"fieldPath": "__name__", "order": "DESCENDING"}]
    again, refusal = await rest.call("POST", f"{GROUP}/indexes", {"fields": implied})
    await rest.ok("POST", f"{GROUP}/indexes", {"fields": FIELDS, "queryScope": "COLLECTION_GROUP"})
    everywhere = await rest.ok("GET", f"{DATABASE}/collectionGroups/-/indexes", pageSize="1")
    deleted = await rest.ok("DELETE", f"fs/v1/{name}")
    gone, _ = await rest.call("GET", f"fs/v1/{name}")

    assert (again, refusal["error"]["status"]) == (409, "ALREADY_EXISTS")
    assert [index["name"] for index in everywhere["indexes"]] == [name]
    assert everywhere["nextPageToken"]
    assert (deleted, gone) == ({}, 404)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ([], "an index has 1 to 100 fields"),
        ([{"fieldPath": "a"}], "exactly one of"),
        ([FIELDS[0]], "this index is not necessary"),
    ],
)
async def test_a_wrong_index_is_refused(rest: Rest, fields: list[Any], sentence: str) -> None:
    await rest.database()
    status, answer = await rest.call("POST", f"{GROUP}/indexes", {"fields": fields})

    assert status == 400
    assert sentence in answer["error"]["message"]


async def test_a_field_that_nobody_touched_inherits(rest: Rest) -> None:
    await rest.database()
    field = await rest.ok("GET", f"{GROUP}/fields/payload")

    assert field["indexConfig"]["usesAncestorConfig"] is True
    assert field["indexConfig"]["ancestorField"].endswith("/collectionGroups/__default__/fields/*")
    assert len(field["indexConfig"]["indexes"]) == 3
    assert "ttlConfig" not in field


async def test_a_write_without_a_mask_resets_the_half_it_does_not_name(rest: Rest) -> None:
    await rest.database()
    path = f"{GROUP}/fields/expireAt"
    await rest.ok("PATCH", path, {"indexConfig": None, "ttlConfig": {}})
    operation = await rest.ok("PATCH", path, {"indexConfig": {}})
    without = await rest.ok("GET", path)
    await rest.ok("PATCH", path, {"ttlConfig": {"expiration_offset": "3600s"}}, updateMask="ttlConfig")
    both = await rest.ok("GET", path)
    listed = await rest.ok(
        "GET", f"{DATABASE}/collectionGroups/-/fields", filter="indexConfig.usesAncestorConfig:false"
    )
    await rest.ok("PATCH", path, {}, updateMask="indexConfig,ttlConfig")

    assert operation["metadata"]["ttlConfigDelta"] == {"changeType": "REMOVE"}
    assert "ttlConfig" not in without
    assert "indexes" not in without["indexConfig"]
    assert both["ttlConfig"] == {"state": "ACTIVE", "expirationOffset": "3600s"}
    assert "indexes" not in both["indexConfig"]
    assert [field["name"] for field in listed["fields"]] == [both["name"]]
    assert (await rest.ok("GET", path))["indexConfig"]["usesAncestorConfig"] is True


async def test_an_override_has_the_fields_own_name_and_a_group_has_one_ttl(rest: Rest) -> None:
    await rest.database()
    index = {"fields": [{"fieldPath": "*", "order": "ASCENDING"}], "queryScope": "COLLECTION_GROUP"}
    await rest.ok("PATCH", f"{GROUP}/fields/total", {"indexConfig": {"indexes": [index]}})
    read = await rest.ok("GET", f"{GROUP}/fields/total")
    await rest.ok("PATCH", f"{GROUP}/fields/a", {"ttlConfig": {}}, updateMask="ttlConfig")
    second, refusal = await rest.call("PATCH", f"{GROUP}/fields/b", {"ttlConfig": {}}, updateMask="ttlConfig")

    assert read["indexConfig"]["indexes"] == [
        {"fields": [{"fieldPath": "total", "order": "ASCENDING"}], "queryScope": "COLLECTION_GROUP", "state": "READY"}
    ]
    assert second == 400
    assert "at most one" in refusal["error"]["message"]


async def test_a_backup_schedule_is_made_changed_and_gone(rest: Rest) -> None:
    await rest.database()
    path = f"{DATABASE}/backupSchedules"
    made = await rest.ok("POST", path, {"dailyRecurrence": {}, "retention": "604800s"})
    again, _ = await rest.call("POST", path, {"dailyRecurrence": {}, "retention": "86400s"})
    one = f"fs/v1/{made['name']}"
    changed = await rest.ok("PATCH", one, {"retention": "86400s"}, updateMask="retention")
    wrong = [
        (await rest.call("POST", path, {"retention": "86400s"}))[0],
        (await rest.call("POST", path, {"weeklyRecurrence": {"day": "SUNDAY"}, "retention": "8467201s"}))[0],
        (await rest.call("PATCH", one, {"weeklyRecurrence": {}}, updateMask="weeklyRecurrence"))[0],
    ]
    deleted = await rest.ok("DELETE", one)

    assert (again, wrong) == (409, [400, 400, 400])
    assert (changed["retention"], changed["dailyRecurrence"]) == ("86400s", {})
    assert (deleted, (await rest.call("GET", one))[0]) == ({}, 404)


@pytest.mark.parametrize("path", [f"{GROUP}/indexes", f"{GROUP}/fields/a", f"{DATABASE}/backupSchedules"])
async def test_nothing_is_below_a_database_that_is_not_there(rest: Rest, path: str) -> None:
    assert (await rest.call("GET", path))[0] == 404
