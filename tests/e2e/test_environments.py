"""The whole life of an environment, with Terraform and a provider against Google Cloud's stand-in."""

from __future__ import annotations

import json

import pytest
from tests.e2e.conftest import Operators
from tests.e2e.ground import COMPOSITE, INDEX, Ground


def test_a_ground_is_planned_shown_approved_applied_and_ready_once_its_index_serves(ground: Ground) -> None:
    ground.build_seconds(4)
    ground.apply(ground.manifest(indexes={"composite": COMPOSITE, "ledger": True}))
    plan = ground.until_reason("AwaitingApproval")["plan"]
    shown = ground.config_map("prod-plan")
    assert shown["digest"] == plan["digest"]
    assert f'google_firestore_index.composite["{INDEX}"] will be created' in shown["plan.txt"]
    assert ground.databases() == []
    ground.decide("sha256:" + "0" * 64)
    ground.approve()
    building = ground.until_reason("IndexesBuilding")
    assert building["indexes"][0]["state"] == "CREATING"
    assert ground.conditions()["IndexesReady"] == "False"
    ready = ground.until_reason("Ready")
    assert ready["applied"]["digest"] == plan["digest"]
    assert (ready["indexesSummary"], ready["ttlsSummary"], ready["driftSummary"]) == ("1/1", "6/6", "no")
    assert "firelift_journal" in {each["name"] for each in ready["ttls"]}
    assert ground.conditions()["Ready"] == "True"
    ground.until_fact(lambda: "prod-outputs" in _config_maps(ground), "outputs are published")
    assert json.loads(ground.config_map("prod-outputs")["indexes"])[INDEX] == ground.indexes()[0]
    ground.until_fact(
        lambda: ground.config_map("prod-plan")["state"] == "Applied", "the plan's text says what became of it"
    )


def test_an_index_that_somebody_deletes_is_seen_at_once_and_its_repair_is_approved(ground: Ground) -> None:
    ground.ready()
    before = ground.indexes()
    ground.delete_index(before[0])
    ground.patch(attempt=2)
    seen = ground.until(lambda status: "plan" in status and status.get("drift", {}).get("changes"), "drift is planned")
    assert seen["plan"]["purpose"] == "Drift"
    assert [change["address"] for change in seen["drift"]["changes"]] == [
        f'google_firestore_index.composite["{INDEX}"]'
    ]
    assert (ground.conditions()["Drifted"], ground.conditions()["IndexesReady"]) == ("True", "False")
    ground.decide(seen["plan"]["digest"])
    ground.until_reason("Ready")
    assert len(ground.indexes()) == 1
    assert ground.indexes() != before
    assert ground.conditions()["Drifted"] == "False"


@pytest.mark.parametrize("moment", ["Planning", "Applying"])
def test_an_operator_that_is_killed_leaves_no_terraform_and_the_next_one_ends_it(
    ground: Ground, operator: Operators, moment: str
) -> None:
    ground.apply(ground.manifest())
    if moment == "Applying":
        ground.until_reason("AwaitingApproval")
        ground.slow(1500)
        ground.approve()
    ground.until_reason(moment)
    ground.until_fact(ground.terraforms, "Terraform is at work")
    operator.kill()
    ground.until_fact(lambda: not ground.terraforms(), "Terraform has ended", seconds=45)
    ground.heal()
    operator.start()
    for _ in range(3):
        status = ground.until_reason("Ready", "AwaitingApproval")
        if status["reason"] == "Ready":
            break
        ground.approve()
        ground.until(lambda status: status["reason"] != "AwaitingApproval", "it goes on")
    assert len(ground.indexes()) == 1
    assert ground.status()["reason"] == "Ready"


def test_a_destroy_needs_its_approvals_and_nothing_that_went_before(ground: Ground) -> None:
    fields = [{"fieldPath": path, "order": "ASCENDING"} for path in ("owner", "time")]
    file = json.dumps({"indexes": [{"collectionGroup": "notes", "queryScope": "COLLECTION", "fields": fields}]})
    content = f"--from-literal=firestore.indexes.json={file}"
    ground.sandbox.kubectl("create", "configmap", "indexes", "-n", ground.namespace, content)
    indexes = {"composite": COMPOSITE, "fromConfigMap": {"name": "indexes"}}
    ground.apply(ground.manifest(indexes=indexes, terraform={"deletionPolicy": "Destroy", "apply": "Auto"}))
    ground.until_reason("Ready")
    assert len(ground.indexes()) == 2
    ground.sandbox.kubectl("delete", "configmap", "indexes", "-n", ground.namespace)
    ground.delete()
    first = ground.approve()
    ground.until(
        lambda status: status["reason"] == "AwaitingApproval" and status["plan"]["digest"] != first, "the second plan"
    )
    assert len(ground.databases()) == 1
    ground.approve()
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert ground.databases() == []
    assert ground.kept() == []


def test_what_is_retained_is_found_again(ground: Ground) -> None:
    ground.ready()
    before = ground.indexes()
    ground.delete()
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert ground.indexes() == before
    assert [name.partition("-")[0] for name in ground.kept()] == ["applied", "tfstate"]
    ground.apply(ground.manifest())
    assert "plan" not in ground.until_reason("Ready")
    assert ground.indexes() == before


def test_what_is_suspended_is_not_planned_until_it_is_resumed(ground: Ground) -> None:
    ground.apply(ground.manifest(suspend=True))
    status = ground.until_reason("Suspended")
    assert "plan" not in status
    ground.patch(suspend=False)
    ground.until_reason("AwaitingApproval")


def _config_maps(ground: Ground) -> list[str]:
    found = ground.core.list_namespaced_config_map(ground.namespace, _request_timeout=10.0)
    return [str(each.metadata.name) for each in found.items if each.metadata is not None]
