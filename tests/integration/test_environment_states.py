"""What is kept of a run that the operator or its backend did not survive: a state, and outputs."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.environment_team import Team, apply, make_team, plan

from firelift.environment.observation import Planned, RunFailed
from firelift.infra.terraform.backend import KubernetesBackend
from firelift.infra.terraform.settings import cluster_environment
from firelift.infra.terraform.workspace import sweep
from firelift.kube.client import Cluster
from firelift.kube.errors import Unreachable
from firelift.sandbox.sandbox import Sandbox

RIGHTS = {"states": ("secrets", "get,list,create,update,delete"), "locks": ("leases", "get,list,create,update")}


@pytest_asyncio.fixture
async def team(cluster: Cluster, tmp_path: Path) -> Team:
    return await make_team(cluster, tmp_path)


@pytest.fixture
def cut_off(team: Team, sandbox: Sandbox) -> Team:
    """A team whose apply loses the right to write its state while it is at work."""
    for name, (resource, verbs) in RIGHTS.items():
        own = (f"--namespace={team.namespace}",)
        sandbox.kubectl("create", "role", name, f"--resource={resource}", f"--verb={verbs}", *own)
        sandbox.kubectl(
            "create", "rolebinding", name, f"--role={name}", f"--serviceaccount={team.namespace}:default", *own
        )
    account = sandbox.service_account_kubeconfig(team.namespace, "default")
    kubectl = f"kubectl --kubeconfig={sandbox.kubeconfig} --namespace={team.namespace}"
    (team.folder / "then").write_text(f"{kubectl} delete role states >&2\n")
    environment = {**team.settings.environment, **cluster_environment({"KUBECONFIG": str(account)})}
    settings = replace(team.settings, environment=environment, lock_timeout_seconds=0)
    return replace(team, settings=settings, backend=KubernetesBackend(team.namespace, "shop-prod"))


class Failing:
    """A permit for nothing, once it is told so: the API server is not there for what changes something."""

    def __init__(self) -> None:
        self.now = False

    def __call__(self) -> None:
        if self.now:
            raise Unreachable("PATCH /api", 0, "no answer")


async def test_a_state_that_was_not_written_is_kept_in_a_secret_and_the_file_goes(cut_off: Team) -> None:
    material = await cut_off.material()
    inputs = material.inputs.digest
    assert isinstance(await cut_off.run(plan("plan-1", inputs=inputs), material), Planned)
    failed = await cut_off.run(apply("apply-1", "plan-1", inputs=inputs), material)
    assert isinstance(failed, RunFailed)
    place = "rescued-state-shop-prod-apply-1"
    assert failed.unsaved == f"Secret {place}.0 of namespace {cut_off.namespace}, compressed by gzip"
    assert failed.unsaved in failed.message
    kept = await cut_off.bundles().shelf.get(cut_off.cluster, place)
    assert kept is not None
    assert {each["name"] for each in json.loads(gzip.decompress(kept.content))["resources"]} == {"location", "secret"}
    assert sweep(cut_off.settings.root) == []


async def test_a_state_that_the_cluster_does_not_take_either_stays_on_disk_and_the_outcome_says_where(
    cut_off: Team,
) -> None:
    material, permit = await cut_off.material(), Failing()
    inputs = material.inputs.digest
    assert isinstance(await cut_off.run(plan("plan-1", inputs=inputs), material), Planned)
    marker = cut_off.folder / "marker"
    with (cut_off.folder / "then").open("a") as script:
        script.write(f"touch {marker}\n")

    def gone() -> None:
        permit.now = marker.exists()
        permit()

    failed = await cut_off.run(apply("apply-1", "plan-1", inputs=inputs), material, gone)
    assert isinstance(failed, RunFailed)
    (state,) = sweep(cut_off.settings.root)
    assert failed.unsaved.startswith(f"file {state} on ")
    assert failed.unsaved in failed.message
    assert "no answer" in failed.message
    assert {each["name"] for each in json.loads(state.read_text())["resources"]} == {"location", "secret"}


async def test_outputs_are_kept_by_the_next_plan_when_the_apply_did_not_live_to_keep_them(team: Team) -> None:
    material = await team.material()
    inputs, done = material.inputs.digest, Failing()
    assert isinstance(await team.run(plan("plan-1", inputs=inputs), material), Planned)

    def killed() -> None:
        done.now = team.written.exists()
        done()

    assert isinstance(await team.run(apply("apply-1", "plan-1", inputs=inputs), material, killed), RunFailed)
    lost = await team.bundles().applied()
    assert lost is not None
    assert (lost.serial, lost.plain) == (None, {})
    planned = await team.run(plan("plan-2", inputs=inputs), material)
    assert isinstance(planned, Planned)
    kept = await team.bundles().applied()
    assert kept is not None
    assert (kept.lineage, kept.serial) == (planned.lineage, planned.serial)
    assert kept.plain["database"] == "database"


async def test_a_plan_that_finds_all_as_it_was_kept_keeps_it_as_it_is(team: Team) -> None:
    await team.applied()
    material, calls = await team.material(), len(team.calls())
    before = await team.bundles().applied()
    assert isinstance(await team.run(plan("plan-2", inputs=material.inputs.digest), material), Planned)
    assert await team.bundles().applied() == before
    assert "output " not in " ".join(team.calls()[calls:])
