"""The cluster access of the operator against a real API server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from firelift.api.base import API_VERSION, FINALIZER
from firelift.api.conditions import Reason
from firelift.kube import approvals, config_maps, rollouts
from firelift.kube.client import Cluster
from firelift.kube.errors import Changed, NotFound, Unreachable
from firelift.kube.identity import cluster_uid
from firelift.kube.installed import missing_kinds
from firelift.kube.lease import LeadershipLost, Lease, LeaseSettings
from firelift.kube.rollouts import RolloutObject
from firelift.operator.status import with_sentence
from firelift.sandbox.sandbox import Sandbox

SPEC = {
    "database": {"project": "demo-project"},
    "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}, "entityKey": "u"}],
    "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest_asyncio.fixture
async def namespace(cluster: Cluster) -> str:
    name = f"kube-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest_asyncio.fixture
async def rollout(cluster: Cluster, namespace: str) -> RolloutObject:
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/migrationrollouts"
    body = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": "users"}, "spec": SPEC}
    return rollouts.parse(await cluster.create(path, body))


async def test_there_is_no_object_where_there_is_none(cluster: Cluster, namespace: str) -> None:
    assert await rollouts.read(cluster, namespace, "nobody") is None
    with pytest.raises(NotFound, match=r"GET /api/v1/namespaces/nowhere: .*not found"):
        await cluster.get("/api/v1/namespaces/nowhere")


async def test_a_server_that_is_not_there_is_unreachable_within_the_deadline(
    crds: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(crds.kubeconfig))
    hasty = await Cluster.connect(timeout_seconds=0.000001)

    with pytest.raises(Unreachable):
        await hasty.get("/api/v1/namespaces")
    await hasty.close()


async def test_nothing_is_changed_without_the_permit(cluster: Cluster, namespace: str) -> None:
    def refuse() -> None:
        raise LeadershipLost("no")

    powerless = cluster.permitted_by(refuse)

    assert (await powerless.get(f"/api/v1/namespaces/{namespace}"))["metadata"]["name"] == namespace
    with pytest.raises(LeadershipLost):
        await config_maps.set_keys(powerless, place(namespace, "users"), {"A": "1"}, {})
    assert not (await config_maps.read(cluster, namespace, "flags", "users")).exists


async def test_a_status_is_written_only_on_the_version_that_was_read(cluster: Cluster, rollout: RolloutObject) -> None:
    status = with_sentence({}, Reason.INVALID_SPEC, "no", generation=1, now=NOW)
    written = await rollouts.write_status(cluster, rollout, status)

    assert written.status["reason"] == "InvalidSpec"
    assert {entry["type"]: entry["status"] for entry in written.status["conditions"]}["Stalled"] == "True"
    with pytest.raises(Changed):
        await rollouts.write_status(cluster, rollout, status | {"message": "late"})
    now = await rollouts.read(cluster, rollout.namespace, rollout.name)
    assert now is not None
    assert now.status["message"] == "no"


async def test_a_status_of_an_operator_newer_than_the_custom_resources_is_written_but_for_what_they_do_not_know(
    cluster: Cluster, rollout: RolloutObject
) -> None:
    status = with_sentence({"phase": "one", "unheardOf": {"x": 1}}, Reason.INVALID_SPEC, "no", generation=1, now=NOW)
    written = await rollouts.write_status(cluster, rollout, status)
    assert written.status["reason"] == "InvalidSpec"
    assert "unheardOf" not in written.status

    shorter = {name: value for name, value in status.items() if name != "phase"}
    again = await rollouts.write_status(cluster, written, shorter)
    assert "phase" not in again.status


async def test_an_object_is_held_and_let_go(cluster: Cluster, rollout: RolloutObject) -> None:
    held = await rollouts.hold(cluster, rollout)
    assert held.finalizers == (FINALIZER,)
    with pytest.raises(Changed):
        await rollouts.let_go(cluster, rollout)
    path = f"/apis/{API_VERSION}/namespaces/{rollout.namespace}/migrationrollouts/{rollout.name}"
    await cluster.delete(path, {})
    deleting = await rollouts.read(cluster, rollout.namespace, rollout.name)
    assert deleting is not None
    assert deleting.deleting
    await rollouts.let_go(cluster, deleting)
    assert await rollouts.read(cluster, rollout.namespace, rollout.name) is None


def place(namespace: str, rollout: str = "users") -> config_maps.Place:
    return config_maps.Place(namespace, "flags", rollout)


async def test_a_flag_that_is_not_as_it_was_seen_is_left_alone(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "flags"}, "data": {"SHARED": "theirs"}}
    await cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", body)

    with pytest.raises(Changed, match="SHARED was 'off' when that was decided and is 'theirs' now"):
        await config_maps.set_keys(cluster, place(namespace), {"SHARED": "on"}, {"SHARED": "off"})
    assert (await config_maps.read(cluster, namespace, "flags", "users")).data == {"SHARED": "theirs"}
    assert await config_maps.set_keys(cluster, place(namespace), {"SHARED": "on"}, {"SHARED": "theirs"})
    assert not await config_maps.set_keys(cluster, place(namespace), {"SHARED": "on"}, {"SHARED": "theirs"})


async def test_flags_are_owned_key_by_key(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "flags"}, "data": {"THEIRS": "1", "SHARED": "off"}}
    await cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", body)

    await config_maps.set_keys(cluster, place(namespace, "users"), {"OURS": "10", "SHARED": "on"}, {})
    await config_maps.set_keys(cluster, place(namespace, "tasks"), {"TASKS": "1"}, {})
    await config_maps.set_keys(cluster, place(namespace, "users"), {"MORE": "1"}, {})

    seen = await config_maps.read(cluster, namespace, "flags", "users")
    assert seen.owned == {"OURS", "SHARED", "MORE"}
    assert seen.data == {"THEIRS": "1", "SHARED": "on", "OURS": "10", "MORE": "1", "TASKS": "1"}


async def test_a_key_is_removed_only_by_its_owner(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "flags"}, "data": {"THEIRS": "1"}}
    await cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", body)
    await config_maps.set_keys(cluster, place(namespace, "users"), {"OURS": "10", "STAYS": "1"}, {})

    await config_maps.set_keys(cluster, place(namespace, "users"), {"OURS": None, "THEIRS": None}, {})

    seen = await config_maps.read(cluster, namespace, "flags", "users")
    assert seen.data == {"THEIRS": "1", "STAYS": "1"}


async def test_a_config_map_is_made_when_there_is_none(cluster: Cluster, namespace: str) -> None:
    await config_maps.set_keys(cluster, place(namespace, "users"), {"OURS": "10"}, {})

    seen = await config_maps.read(cluster, namespace, "flags", "users")
    assert (seen.exists, dict(seen.data), seen.owned) == (True, {"OURS": "10"}, frozenset({"OURS"}))


async def test_a_cluster_has_one_name(cluster: Cluster) -> None:
    assert await cluster_uid(cluster) == await cluster_uid(cluster) != ""


def candidate(cluster: Cluster, namespace: str, identity: str, clock: Callable[[], float]) -> Lease:
    return Lease(cluster, LeaseSettings(namespace, "leader", identity, 10.0), clock=clock)


async def leads(lease: Lease) -> bool:
    try:
        async with asyncio.timeout(0.5):
            await lease.acquire()
    except TimeoutError:
        return False
    return True


async def test_one_candidate_leads_and_the_other_waits(cluster: Cluster, namespace: str) -> None:
    clock = Clock()
    first, second = (candidate(cluster, namespace, name, clock) for name in ("first", "second"))

    assert await leads(first)
    assert not await leads(second)
    first.check()
    with pytest.raises(LeadershipLost):
        second.check()


async def test_a_silent_leader_is_replaced_with_a_higher_epoch_and_knows_it_before(
    cluster: Cluster, namespace: str
) -> None:
    clock = Clock()
    first, second = (candidate(cluster, namespace, name, clock) for name in ("first", "second"))
    assert await leads(first)
    assert not await leads(second)

    clock.seconds += 9.9
    assert not await leads(second)
    with pytest.raises(LeadershipLost, match="not renewed in time"):
        first.check()
    clock.seconds += 0.2
    assert await leads(second)
    assert second.epoch > first.epoch


async def test_a_revived_leader_finds_that_it_was_replaced(cluster: Cluster, namespace: str) -> None:
    clock, frozen = Clock(), Clock()
    first, second = candidate(cluster, namespace, "first", frozen), candidate(cluster, namespace, "second", clock)
    assert await leads(first)
    assert not await leads(second)
    clock.seconds += 11
    assert await leads(second)

    with pytest.raises(LeadershipLost, match="held by second"):
        await asyncio.wait_for(first.keep(), 5)
    assert not first.held


async def test_a_leader_that_leaves_lets_the_next_one_in_at_once(cluster: Cluster, namespace: str) -> None:
    clock = Clock()
    first, second = (candidate(cluster, namespace, name, clock) for name in ("first", "second"))
    assert await leads(first)
    await first.release()

    assert await leads(second)
    assert not first.held


async def test_epochs_rise_even_when_the_lease_is_deleted(cluster: Cluster, namespace: str) -> None:
    clock = Clock()
    first = candidate(cluster, namespace, "first", clock)
    assert await leads(first)
    await cluster.delete(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/leader", {})
    second = candidate(cluster, namespace, "second", clock)

    assert await leads(second)
    assert second.epoch >= first.epoch > 0


async def test_custom_resources_that_are_not_there_are_named(cluster: Cluster) -> None:
    assert await missing_kinds(cluster, ["migrationrollouts", "migrationdreams"]) == ["migrationdreams"]


async def test_approvals_are_read_page_by_page(cluster: Cluster, namespace: str) -> None:
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/migrationapprovals"
    for number in range(5):
        target = {"name": "users" if number % 2 else "tasks"}
        spec = {"target": target, "digest": f"sha256:{number:064}", "decision": "Approve", "approver": "sandbox-admin"}
        body = {"apiVersion": API_VERSION, "kind": "MigrationApproval", "metadata": {"name": f"a{number}"}}
        await cluster.create(path, {**body, "spec": spec})

    found = approvals.select(await approvals.of_namespace(cluster, namespace, page=2), "tasks")
    assert [each.name for each in found] == ["a0", "a2", "a4"]
