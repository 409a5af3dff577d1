"""The stand-in's alerts, secrets, log metrics, rules and budgets, as Terraform meets them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from tests.contract.google_rest import Rest

PROJECT = "demo-proj"
MONITORING = f"mon/v3/projects/{PROJECT}"
SECRETS = f"sm/v1/projects/{PROJECT}/secrets"
RULES = "service cloud.firestore {match /databases/{d}/documents {match /{p=**} {allow read: if false;}}}"


def policy(**fields: Any) -> dict[str, Any]:
    threshold = {"filter": 'metric.type="firestore.googleapis.com/document/read_count"', "duration": "0s"}
    conditions = [{"displayName": "reads", "conditionThreshold": threshold}]
    return {"displayName": "reads a day", "combiner": "OR", "conditions": conditions, **fields}


async def test_an_alert_policy_names_its_conditions_and_notifies_channels_that_exist(rest: Rest) -> None:
    body = {"type": "email", "labels": {"email_address": "oncall@example.test"}}
    channel = (await rest.ok("POST", f"{MONITORING}/notificationChannels", body))["name"]
    made = await rest.ok("POST", f"{MONITORING}/alertPolicies", policy(notificationChannels=[channel]))
    one = f"mon/v3/{made['name']}"
    changed = await rest.ok("PATCH", one, {"displayName": "reads"}, updateMask="displayName")
    bare, _ = await rest.call("PATCH", one, {}, updateMask="conditions")
    nobody, _ = await rest.call("POST", f"{MONITORING}/alertPolicies", policy(notificationChannels=[f"{channel}0"]))
    empty, _ = await rest.call("POST", f"{MONITORING}/alertPolicies", policy(conditions=[]))

    assert [condition["name"] for condition in made["conditions"]] == [f"{made['name']}/conditions/0"]
    assert (changed["displayName"], changed["conditions"]) == ("reads", made["conditions"])
    assert (nobody, empty, bare) == (404, 400, 400)


async def test_a_channel_in_use_goes_only_by_force_and_hides_its_secrets(rest: Rest) -> None:
    body = {"type": "slack", "labels": {"channel_name": "#ops", "auth_token": "hunter2"}}
    channel = await rest.ok("POST", f"{MONITORING}/notificationChannels", {**body, "description": "old"})
    one = f"mon/v3/{channel['name']}"
    made = await rest.ok("POST", f"{MONITORING}/alertPolicies", policy(notificationChannels=[channel["name"]]))
    read = await rest.ok("PATCH", one, {**body, "displayName": "Ops"})
    in_use, _ = await rest.call("DELETE", one, force="false")
    await rest.ok("DELETE", one, force="true")

    assert channel["labels"] == read["labels"] == {"channel_name": "#ops", "auth_token": "**********"}
    assert (read["displayName"], read.get("description"), in_use) == ("Ops", None, 400)
    assert (await rest.ok("GET", f"mon/v3/{made['name']}"))["notificationChannels"] == []


async def test_a_dashboard_is_replaced_by_whoever_read_the_newest(rest: Rest) -> None:
    body = {"displayName": "Firestore", "gridLayout": {"widgets": []}}
    made = await rest.ok("POST", f"mon/v1/projects/{PROJECT}/dashboards", body)
    one = f"mon/v1/{made['name']}"
    changed = await rest.ok("PATCH", one, {**body, "displayName": "New", "etag": made["etag"]})
    stale, _ = await rest.call("PATCH", one, {**body, "etag": made["etag"]})
    no_layout, _ = await rest.call("PATCH", one, {"displayName": "New"})

    assert (await rest.ok("GET", one)) == changed
    assert (changed["displayName"], stale, no_layout) == ("New", 409, 400)


async def test_a_secrets_payload_is_answered_to_a_reader_only_until_it_is_destroyed(rest: Rest) -> None:
    await rest.ok("POST", SECRETS, {"replication": {"automatic": {}}}, secretId="api-key")
    data = b64encode(b"hunter2").decode()
    version = await rest.ok("POST", f"{SECRETS}/api-key:addVersion", {"payload": {"data": data}})
    one = f"sm/v1/{version['name']}"
    read = await rest.ok("GET", f"{SECRETS}/api-key/versions/latest:access")
    await rest.ok("POST", f"{one}:disable", {})
    disabled, _ = await rest.call("GET", f"{one}:access")
    await rest.ok("POST", f"{one}:enable", {})
    await rest.ok("POST", f"{one}:destroy", {})
    destroyed = await rest.ok("GET", one)
    again, _ = await rest.call("POST", f"{one}:enable", {})

    assert version["name"] == f"projects/{PROJECT}/secrets/api-key/versions/1"
    assert (read["payload"]["data"], disabled, again) == (data, 400, 400)
    assert destroyed["state"] == "DESTROYED"
    assert data not in str([version, destroyed, rest.stand_in.log.report()])


async def test_a_secret_has_a_policy_labels_and_versions_of_its_own(rest: Rest) -> None:
    one = f"{SECRETS}/api-key"
    missing, _ = await rest.call("GET", f"{one}:getIamPolicy")
    await rest.ok("POST", SECRETS, {"replication": {"automatic": {}}}, secretId="api-key")
    binding = {"role": "roles/secretmanager.secretAccessor", "members": ["user:a@example.test"]}
    await rest.ok("POST", f"{one}:setIamPolicy", {"policy": {"bindings": [binding]}})
    await rest.ok("PATCH", one, {"labels": {"team": "a"}}, updateMask="labels")
    empty, _ = await rest.call("POST", f"{one}:addVersion", {"payload": {}})
    bound = await rest.ok("GET", f"{one}:getIamPolicy", **{"options.requestedPolicyVersion": "3"})
    read = await rest.ok("GET", one)
    await rest.ok("DELETE", one)

    assert (missing, empty) == (404, 400)
    assert (bound["bindings"], read["labels"]) == ([binding], {"team": "a"})
    assert (await rest.call("GET", one))[0] == 404


async def test_a_log_metric_with_a_slash_is_one_segment_of_a_path(rest: Rest) -> None:
    path = f"log/v2/projects/{PROJECT}/metrics"
    await rest.ok("POST", path, {"name": "app/errors", "filter": "severity>=ERROR"})
    again, _ = await rest.call("POST", path, {"name": "app/errors", "filter": "severity>=ERROR"})
    await rest.ok("PUT", f"{path}/app%2Ferrors", {"name": "app/errors", "filter": "severity>=WARNING"})
    read = await rest.ok("GET", f"{path}/app%2Ferrors")
    await rest.ok("DELETE", f"{path}/app%2Ferrors")

    assert (again, read["name"], read["filter"]) == (409, "app/errors", "severity>=WARNING")
    assert await rest.ok("GET", path) == {}


async def test_rules_in_force_stay_until_others_are_released(rest: Rest) -> None:
    rulesets, releases = (f"fr/v1/projects/{PROJECT}/{kind}" for kind in ("rulesets", "releases"))
    body = {"source": {"files": [{"name": "firestore.rules", "content": RULES}]}}
    old, new = [(await rest.ok("POST", rulesets, body))["name"] for _ in range(2)]
    release = f"projects/{PROJECT}/releases/cloud.firestore/orders"
    await rest.ok("POST", releases, {"name": release, "rulesetName": old})
    in_force, _ = await rest.call("DELETE", f"fr/v1/{old}")
    await rest.ok("PATCH", f"fr/v1/{release}", {"release": {"name": release, "rulesetName": new}})
    await rest.ok("DELETE", f"fr/v1/{old}")
    broken, _ = await rest.call("POST", rulesets, {"source": {"files": [{"name": "f", "content": RULES[:-1]}]}})
    nowhere, _ = await rest.call("POST", releases, {"name": release, "rulesetName": old})

    assert (await rest.ok("GET", f"fr/v1/{release}"))["rulesetName"] == new
    assert (in_force, broken, nowhere) == (400, 400, 404)


async def test_a_budget_answers_its_projects_by_number(rest: Rest) -> None:
    path = "bb/v1/billingAccounts/000000-000000-000000/budgets"
    number = (await rest.ok("GET", f"crm/v1/projects/{PROJECT}"))["projectNumber"]
    body = {"displayName": "fs", "amount": {"specifiedAmount": {"units": "100"}}}
    made = await rest.ok("POST", path, {**body, "budgetFilter": {"projects": [f"projects/{PROJECT}"]}})
    change = {"amount": {"specifiedAmount": {"units": "200"}}}
    changed = await rest.ok("PATCH", f"bb/v1/{made['name']}", change, updateMask="amount.specifiedAmount.units")
    await rest.ok("DELETE", f"bb/v1/{made['name']}")

    assert made["budgetFilter"]["projects"] == [f"projects/{number}"]
    assert (changed["amount"], changed["displayName"]) == (change["amount"], "fs")
    assert await rest.ok("GET", path) == {}


@pytest.mark.parametrize(("account", "enabled"), [("billingAccounts/1", True), ("", False)])
async def test_a_project_is_paid_for_by_the_account_it_is_linked_to(rest: Rest, account: str, enabled: bool) -> None:  # noqa: FBT001 - a parameter of a table
    allowed = {"permissions": ["billing.resourceAssociations.create"]}
    path = f"bill/v1/projects/{PROJECT}/billingInfo"
    before = await rest.ok("GET", path)
    await rest.ok("PUT", path, {"billingAccountName": account})
    after = await rest.ok("GET", path)

    assert "billingAccountName" not in before
    assert (after["billingAccountName"], after["billingEnabled"]) == (account, enabled)
    assert await rest.ok("POST", "bill/v1/billingAccounts/1:testIamPermissions", allowed) == allowed
