"""The runner with a provider before an API: what a decision is told of a 409, of drift, and of an apply cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform_scene import Scene, processes_below, scene

from firelift.infra.terraform.errors import TerraformFailed, TimedOut
from firelift.infra.terraform.process import Limits

REQUIRED = {"required_providers": {"google": {"source": "hashicorp/google", "version": ">= 7.40.0, < 8.0.0"}}}
DATABASE = "fs/v1/projects/PROJECT/databases/(default)"
BODY = {
    "queryScope": "COLLECTION",
    "fields": [{"fieldPath": "tenant", "order": "ASCENDING"}, {"fieldPath": "at", "order": "DESCENDING"}],
}
ADDRESS = 'google_firestore_index.composite["by-tenant"]'


@pytest.fixture
def ground(tmp_path: Path, provider_mirror: Path, cloud: Cloud) -> Scene:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **cloud.environment}
    return scene(tmp_path).with_settings(provider_mirror=provider_mirror, environment=environment)


def database(cloud: Cloud, **more: Any) -> dict[str, Any]:
    resource = {
        "project": cloud.project,
        "name": "(default)",
        "location_id": "nam5",
        "type": "FIRESTORE_NATIVE",
        "deletion_policy": "DELETE",
        **more,
    }
    return {"terraform": REQUIRED, "resource": {"google_firestore_database": {"this": resource}}}


def with_index(document: dict[str, Any], cloud: Cloud) -> dict[str, Any]:
    index = {
        "for_each": {"by-tenant": True},
        "project": cloud.project,
        "database": "(default)",
        "collection": "telemetry",
        "skip_wait": True,
        "fields": [{"field_path": "tenant", "order": "ASCENDING"}, {"field_path": "at", "order": "DESCENDING"}],
    }
    return {**document, "resource": {**document["resource"], "google_firestore_index": {"composite": index}}}


async def test_an_index_that_exists_is_told_by_its_address_and_adopted_by_an_import(
    ground: Scene, cloud: Cloud
) -> None:
    async with ground.runner.open(ground.configuration(database(cloud))) as session:
        await session.apply((await session.plan()).saved.plan)
    name = cloud.call("POST", f"{DATABASE}/collectionGroups/telemetry/indexes", BODY)["metadata"]["index"]
    document = with_index(database(cloud), cloud)
    async with ground.runner.open(ground.configuration(document)) as session:
        plan = await session.plan()
        with pytest.raises(TerraformFailed, match="409") as exists:
            await session.apply(plan.saved.plan)
    assert [one.address for one in exists.value.diagnostics] == [ADDRESS]
    adopted = {**document, "import": [{"to": ADDRESS, "id": name}]}
    async with ground.runner.open(ground.configuration(adopted)) as session:
        plan = await session.plan()
        applied = await session.apply(plan.saved.plan)
        assert (applied.imported, applied.added) == (1, 0)
        assert not (await session.plan()).changed


async def test_what_somebody_changed_is_seen_as_drift_and_can_be_repaired_by_that_plan(
    ground: Scene, cloud: Cloud
) -> None:
    document = database(cloud, point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED")
    async with ground.runner.open(ground.configuration(document)) as session:
        await session.apply((await session.plan()).saved.plan)
        mask = "?updateMask=pointInTimeRecoveryEnablement"
        cloud.call("PATCH", f"{DATABASE}{mask}", {"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_DISABLED"})
        seen = await session.plan()
        repaired = await session.apply(seen.saved.plan)
        assert not (await session.plan()).changed
    assert [drift["address"] for drift in seen.document["resource_drift"]] == ["google_firestore_database.this"]
    assert seen.document["resource_changes"][0]["change"]["actions"] == ["update"]
    assert repaired.changed == 1


async def test_an_apply_that_waits_for_the_cloud_is_cut_short_and_its_provider_gone(
    ground: Scene, cloud: Cloud
) -> None:
    cloud.fault(api="firestore", latency_ms=60_000)
    async with ground.runner.open(ground.configuration(database(cloud))) as session:
        plan = await session.plan()
    limits = Limits(deadline_seconds=4, grace_seconds=10)
    async with ground.runner.open(ground.configuration(database(cloud)), limits=limits) as session:
        with pytest.raises(TimedOut):
            await session.apply(plan.saved.plan)
        assert not processes_below(ground.folder)
