"""A state in the cluster: reached with the operator's own credentials, locked by a Lease, and never in the dark."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.terraform_scene import Scene, data, processes_below, scene, slow
from tests.waiting import eventually

from firelift.infra.terraform.backend import KubernetesBackend, state_suffix
from firelift.infra.terraform.configuration import SavedPlan, split
from firelift.infra.terraform.errors import PlanStale, StateLocked, StateUnsaved, TerraformFailed, TimedOut
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.settings import cluster_environment
from firelift.infra.terraform.workspace import backend_block, discard, sweep
from firelift.sandbox.sandbox import Sandbox

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
SHOWN = (
    "--selector=app.kubernetes.io/managed-by=terraform",
    r"--output=custom-columns=NAME:.metadata.name,LOCK:.metadata.annotations.app\.terraform\.io/lock-info",
)
STATE_VERBS = "--verb=get,list,create,update,delete"
LOCK_VERBS = "--verb=get,create,update"


@pytest.fixture
def account(sandbox: Sandbox, namespace: str) -> Path:
    """The kubeconfig of a ServiceAccount that may do what the state of an environment needs, and nothing else."""
    run = (f"--namespace={namespace}",)
    sandbox.kubectl("create", "role", "states", "--resource=secrets", STATE_VERBS, *run)
    sandbox.kubectl("create", "role", "locks", "--resource=leases.coordination.k8s.io", LOCK_VERBS, *run)
    for role in ("states", "locks"):
        sandbox.kubectl("create", "rolebinding", role, f"--role={role}", f"--serviceaccount={namespace}:default", *run)
    return sandbox.service_account_kubeconfig(namespace, "default")


@pytest.fixture
def token(account: Path) -> str:
    return str(yaml.safe_load(account.read_text())["users"][0]["user"]["token"])


@pytest.fixture
def ground(tmp_path: Path, namespace: str, account: Path) -> Scene:
    backend = KubernetesBackend(namespace, state_suffix(namespace, "prod"), labels={"firelift.dev/environment": "prod"})
    made = replace(scene(tmp_path), state=backend)
    return made.with_settings(environment={**PATH, **cluster_environment({"KUBECONFIG": str(account)})})


def backend_of(ground: Scene) -> KubernetesBackend:
    assert isinstance(ground.state, KubernetesBackend)
    return ground.state


async def test_a_state_is_a_secret_of_the_namespace_with_its_labels(ground: Scene, sandbox: Sandbox) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        applied = await session.apply((await session.plan()).saved.plan)
        again = await session.plan()
    backend = backend_of(ground)
    stored = json.loads(sandbox.kubectl("get", "secret", backend.secret_name, "-n", backend.namespace, "-o", "json"))
    lease = json.loads(sandbox.kubectl("get", "lease", backend.lease_name, "-n", backend.namespace, "-o", "json"))
    assert stored["metadata"]["labels"]["firelift.dev/environment"] == "prod"
    assert not again.changed
    assert again.state == applied.state
    assert not lease["spec"].get("holderIdentity")


async def test_the_clusters_credentials_are_in_nothing_that_is_kept(ground: Scene, token: str) -> None:
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        plan = await session.plan()
        (directory,) = ground.workspaces
        holding = [path for path in directory.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert plan.changed
    assert holding == []
    assert token.encode() not in plan.saved.plan
    assert token.encode() not in plan.saved.pack()


async def test_a_plan_that_was_kept_is_applied_by_another_process(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        kept = (await session.plan()).saved.pack()
    restored = SavedPlan.unpack(kept)
    async with ground.with_settings().runner.open(restored.configuration, lock_file=restored.lock_file) as session:
        assert (await session.apply(restored.plan)).added == 1
        with pytest.raises(PlanStale):
            await session.apply(restored.plan)


async def test_a_killed_run_leaves_a_lock_that_tells_of_it_and_is_released_by_its_id(
    ground: Scene, sandbox: Sandbox
) -> None:
    limits = Limits(deadline_seconds=4, grace_seconds=0.5)
    async with ground.runner.open(ground.configuration(slow(ground.folder, stubborn=True)), limits=limits) as session:
        plan = await session.plan()
        with pytest.raises(TimedOut) as late:
            await session.apply(plan.saved.plan)
    assert late.value.killed
    assert not processes_below(ground.folder)
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        with pytest.raises(StateLocked) as locked:
            await session.plan()
        lock = locked.value.lock
        assert (lock.operation, lock.host) == ("Apply", os.uname().nodename)
        assert lock.created is not None
        assert lock.id in sandbox.kubectl("get", "lease", "-n", backend_of(ground).namespace, *SHOWN)
        await session.unlock(lock.id)
        assert (await session.plan()).changed


async def test_a_lock_of_another_id_is_not_released(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        await session.apply((await session.plan()).saved.plan)
        with pytest.raises(TerraformFailed, match="force-unlock"):
            await session.unlock("00000000-0000-0000-0000-000000000000")


async def test_a_stopped_apply_keeps_what_it_made_and_releases_its_lock(ground: Scene) -> None:
    document = slow(ground.folder)
    document["resource"]["terraform_data"]["first"] = {"input": 1}
    limits = Limits(deadline_seconds=5, grace_seconds=20)
    async with ground.runner.open(ground.configuration(document), limits=limits) as session:
        plan = await session.plan()
        with pytest.raises(TimedOut) as late:
            await session.apply(plan.saved.plan)
    assert not late.value.killed
    async with ground.runner.open(ground.configuration(data(first=1))) as session:
        left = await session.plan()
    actions = {change["address"]: change["change"]["actions"] for change in left.document["resource_changes"]}
    assert actions == {"terraform_data.first": ["no-op"], "terraform_data.slow": ["delete"]}


async def test_a_state_that_cannot_be_written_is_handed_over(ground: Scene, sandbox: Sandbox) -> None:
    backend = backend_of(ground)
    kubectl = f"kubectl --kubeconfig={sandbox.kubeconfig} --namespace={backend.namespace}"
    command = f"{kubectl} delete role states"
    document = {"resource": {"terraform_data": {"a": {"provisioner": [{"local-exec": {"command": command}}]}}}}
    async with ground.runner.open(ground.configuration(document)) as session:
        plan = await session.plan()
        with pytest.raises(StateUnsaved, match="could not write its state") as unsaved:
            await session.apply(plan.saved.plan)
    state = json.loads(unsaved.value.state)
    assert [resource["name"] for resource in state["resources"]] == ["a"]
    assert sweep(ground.settings.root) == [unsaved.value.path]
    assert unsaved.value.path.read_bytes() == unsaved.value.state
    assert backend_block(unsaved.value.path) == backend.block()
    discard(unsaved.value.path)
    assert ground.workspaces == []


async def test_a_cancelled_apply_whose_state_cannot_be_written_leaves_it_to_be_found(
    ground: Scene, sandbox: Sandbox
) -> None:
    command = f"touch {ground.folder}/pid; sleep 600"
    document = data(first=1)
    document["resource"]["terraform_data"]["slow"] = {"provisioner": [{"local-exec": {"command": command}}]}
    async with ground.runner.open(ground.configuration(document)) as session:
        plan = await session.plan()

    async def apply() -> None:
        async with ground.runner.open(ground.configuration(document)) as session:
            await session.apply(plan.saved.plan)

    running = asyncio.ensure_future(apply())
    await asyncio.to_thread(eventually, (ground.folder / "pid").exists)
    sandbox.kubectl("delete", "role", "states", "-n", backend_of(ground).namespace)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (kept,) = sweep(ground.settings.root)
    assert '"first"' in kept.read_text()


async def test_a_state_larger_than_a_secret_is_kept_and_shrinks_again(ground: Scene) -> None:
    noise = secrets.token_hex(1_200_000)
    async with ground.runner.open(ground.configuration({"output": {"noise": {"value": noise}}})) as session:
        large = await session.plan()
        assert len(split(large.saved.pack())) > 1
        await session.apply(large.saved.plan)
        assert (await session.outputs()).plain["noise"] == noise
    async with ground.runner.open(ground.configuration({"output": {"noise": {"value": "quiet"}}})) as session:
        await session.apply((await session.plan()).saved.plan)
        assert not (await session.plan()).changed


async def test_a_cluster_that_refuses_says_so(ground: Scene, sandbox: Sandbox) -> None:
    sandbox.kubectl("delete", "role", "states", "-n", backend_of(ground).namespace)
    with pytest.raises(TerraformFailed, match="forbidden"):
        async with ground.runner.open(ground.configuration(data(a=1))) as session:
            await session.plan()
