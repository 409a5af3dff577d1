"""What the real Terraform provider was seen to ask and to be answered, asked of the stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.contract.google_rest import HEADERS, Rest
from tests.contract.google_wire import Replay, recorded

from firelift.sandbox.google_cloud import provider_environment

RECORDING = Path(__file__).parents[3] / "shared" / "reference" / "google-provider-wire.jsonl"
PROJECT = "demo-proj"
ACCOUNTS = f"iam/v1/projects/{PROJECT}/serviceAccounts"
ACCOUNT = f"app-prod@{PROJECT}.iam.gserviceaccount.com"


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording lies beside the checkout, where it was handed out")
async def test_the_recorded_life_of_seventeen_resources_is_answered_alike(rest: Rest) -> None:
    lines = recorded(RECORDING)
    async with aiohttp.ClientSession(rest.stand_in.rest) as session:
        replay = Replay(session)
        found = [difference for line in lines for difference in await replay.exchange(line)]

    assert len(lines) > 100
    assert found == []


async def test_a_project_service_is_listed_once_it_is_enabled(rest: Rest) -> None:
    path = f"su/v1/projects/{PROJECT}/services"
    query = {"filter": "state:ENABLED", "fields": "services/name,nextPageToken", "pageSize": "200"}

    before = await rest.ok("GET", path, **query)
    enabled = await rest.ok("POST", f"{path}/firestore.googleapis.com:enable", {})
    await rest.ok("POST", f"{path}:batchEnable", {"serviceIds": ["iam.googleapis.com", "logging.googleapis.com"]})
    after = await rest.ok("GET", path, **query)
    await rest.ok("POST", f"{path}/iam.googleapis.com:disable", {})
    at_last = await rest.ok("GET", path, **query)

    assert before == {}
    assert enabled["done"] is True
    assert [service["config"]["name"] for service in after["services"]] == [
        "firestore.googleapis.com",
        "iam.googleapis.com",
        "logging.googleapis.com",
    ]
    assert len(at_last["services"]) == 2


async def test_a_service_account_is_made_read_changed_and_gone(rest: Rest) -> None:
    path = ACCOUNTS
    made = await rest.ok("POST", path, {"accountId": "app-prod", "serviceAccount": {"displayName": "App"}})
    again, _ = await rest.call("POST", path, {"accountId": "app-prod"})
    change = {"serviceAccount": {"displayName": "The app"}, "updateMask": "displayName"}
    await rest.ok("PATCH", f"{path}/{ACCOUNT}", change)
    await rest.ok("POST", f"{path}/{ACCOUNT}:disable", {})
    read = await rest.ok("GET", f"iam/v1/projects/-/serviceAccounts/{ACCOUNT}")
    await rest.ok("DELETE", f"{path}/{ACCOUNT}")
    gone, _ = await rest.call("GET", f"{path}/{ACCOUNT}")

    assert (made["email"], made["name"]) == (ACCOUNT, f"projects/{PROJECT}/serviceAccounts/{ACCOUNT}")
    assert (again, gone) == (409, 404)
    assert (read["displayName"], read["disabled"], read["uniqueId"]) == ("The app", True, made["uniqueId"])


@pytest.mark.parametrize(
    "resource", [f"crm/v1/projects/{PROJECT}", f"iam/v1/projects/{PROJECT}/serviceAccounts/{ACCOUNT}"]
)
async def test_a_policy_is_changed_by_whoever_read_the_newest(rest: Rest, resource: str) -> None:
    await rest.ok("POST", ACCOUNTS, {"accountId": "app-prod"})
    first = await rest.ok("POST", f"{resource}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})
    condition = {"title": "one database", "expression": f'resource.name == "projects/{PROJECT}/databases/(default)"'}
    binding = {"role": "roles/datastore.user", "members": [f"serviceAccount:{ACCOUNT}"], "condition": condition}
    policy = {"version": 3, "bindings": [binding], "etag": first["etag"]}

    wanted = await rest.ok("POST", f"{resource}:setIamPolicy", {"policy": policy, "updateMask": "bindings,etag"})
    stale, refusal = await rest.call("POST", f"{resource}:setIamPolicy", {"policy": policy})
    old, _ = await rest.call("POST", f"{resource}:setIamPolicy", {"policy": {"bindings": [binding]}})
    empty = await rest.ok("POST", f"{resource}:setIamPolicy", {"policy": {"etag": wanted["etag"], "version": 3}})

    assert wanted["bindings"] == [binding]
    assert (stale, refusal["error"]["status"]) == (409, "ABORTED")
    assert old == 400
    assert "bindings" not in empty


async def test_a_project_is_made_once_and_stays_known_after_its_end(rest: Rest) -> None:
    body = {"projectId": "new-project", "name": "New", "labels": {"team": "a"}, "parent": {"type": "folder", "id": "1"}}
    made = await rest.ok("POST", "crm/v1/projects", body)
    again, _ = await rest.call("POST", "crm/v1/projects", body)
    operation = await rest.ok("GET", f"crm/v1/{made['name']}")
    await rest.ok("PUT", "crm/v1/projects/new-project", {**body, "labels": {"team": "b"}})
    read = await rest.ok("GET", "crm/v1/projects/new-project")
    await rest.ok("DELETE", "crm/v1/projects/new-project")
    gone = await rest.ok("GET", "crm/v1/projects/new-project")

    assert again == 409
    assert operation["response"]["projectId"] == "new-project"
    assert (read["labels"], read["lifecycleState"]) == ({"team": "b"}, "ACTIVE")
    assert gone["lifecycleState"] == "DELETE_REQUESTED"


async def test_a_custom_role_that_is_deleted_can_be_taken_up_again(rest: Rest) -> None:
    path = f"iam/v1/projects/{PROJECT}/roles"
    role = {"title": "Admin reader", "includedPermissions": ["datastore.indexes.list"], "stage": "GA"}
    missing, _ = await rest.call("GET", f"{path}/adminReader")
    await rest.ok("POST", path, {"roleId": "adminReader", "role": role})
    await rest.ok("PATCH", f"{path}/adminReader", {"title": "Reader"}, updateMask="title")
    deleted = await rest.ok("DELETE", f"{path}/adminReader")
    back = await rest.ok("POST", f"{path}/adminReader:undelete", {})

    assert missing == 404
    assert deleted["deleted"] is True
    assert "deleted" not in back
    assert (back["title"], back["includedPermissions"]) == ("Reader", ["datastore.indexes.list"])


@pytest.mark.parametrize(
    ("verb", "path", "headers", "status"),
    [
        ("GET", "fs/v1/projects/p/databases", {}, 401),
        ("GET", "fs/v1/projects/p/gardens", HEADERS, 501),
        ("GET", "zz/v1/projects/p/databases", HEADERS, 501),
        ("POST", "crm/v1/projects", HEADERS, 400),
    ],
)
async def test_what_is_not_served_says_so(
    rest: Rest, verb: str, path: str, headers: dict[str, str], status: int
) -> None:
    url = f"{rest.stand_in.rest}/{path}"
    async with rest.session.request(verb, url, data="{" if verb == "POST" else None, headers=headers) as answer:
        error: dict[str, Any] = (await answer.json())["error"]

    assert (answer.status, error["code"]) == (status, status)
    assert error["message"]


def test_every_endpoint_of_the_provider_ends_in_a_slash_and_has_a_prefix_of_its_own() -> None:
    environment = provider_environment("http://127.0.0.1:1")
    endpoints = {name: value for name, value in environment.items() if name.endswith("_CUSTOM_ENDPOINT")}

    assert endpoints["GOOGLE_FIRESTORE_CUSTOM_ENDPOINT"] == "http://127.0.0.1:1/fs/v1/"
    assert endpoints["GOOGLE_MONITORING_CUSTOM_ENDPOINT"] == "http://127.0.0.1:1/mon/"
    assert all(value.endswith("/") for value in endpoints.values())
    assert environment["GOOGLE_OAUTH_ACCESS_TOKEN"]


def test_the_page_names_every_api_and_its_prefix(rest: Rest) -> None:
    page = (Path(__file__).parents[2] / "docs" / "stand-in.md").read_text(encoding="utf-8")

    for prefix, (name, routes) in rest.stand_in.cloud.apis().items():
        assert routes
        assert f"`{name}`" in page
        assert f"`{prefix}/" in page or f"/{prefix}/v1/`" in page
