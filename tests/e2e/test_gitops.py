"""A pipeline that applies the manifest again and again, and people who hold, revert and wait beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.argo_cd import Json, act
from tests.argo_cd import health as health_of
from tests.e2e.world import MIGRATION, World, phase, soak

from firelift.sandbox.helm import HelmError, run_helm

PIPELINES = {
    "client": ["apply"],
    "server": ["apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller"],
}


def sync(world: World, manifest: Json, pipeline: str) -> None:
    """Apply the manifest as the pipeline does."""
    world.sandbox.kubectl(*PIPELINES[pipeline], "-f", "-", stdin=json.dumps(manifest))


def health(world: World) -> str:
    """What Argo CD shows of the rollout as it is now."""
    found = world.get()
    assert found is not None
    return health_of(found)[0]


def choose(world: World, action: str) -> None:
    """Let Argo CD run an action: what its script changed becomes a merge patch."""
    before = world.get()
    assert before is not None
    after = act(before, action)["spec"]
    changed = {
        name: after.get(name) for name in {*before["spec"], *after} if before["spec"].get(name) != after.get(name)
    }
    patch = json.dumps({"spec": changed})
    world.sandbox.kubectl("patch", world.plural, world.name, "-n", world.namespace, "--type=merge", "-p", patch)


def test_what_on_call_has_set_outlives_every_sync_of_the_manifest(make_world: Callable[[], World]) -> None:
    worlds = [make_world() for _ in PIPELINES]

    def all_synced(reason: str, shown: str) -> None:
        for world, pipeline in zip(worlds, PIPELINES, strict=True):
            sync(world, world.manifest([phase("everyone", 100, soak(600))]), pipeline)
        for world in worlds:
            world.until_reason(reason)
            assert health(world) == shown

    for world in worlds:
        world.seed(40)
    all_synced("Soaking", "Progressing")

    for world in worlds:
        choose(world, "pause")
    all_synced("Suspended", "Suspended")

    for world in worlds:
        choose(world, "revert-rollout")
    all_synced("Reverted", "Degraded")
    for world in worlds:
        assert world.target() == {}


def test_a_pipeline_waits_for_the_outcome_and_is_not_fooled_by_the_first_second(world: World) -> None:
    world.seed(40)
    sync(world, world.manifest([phase("everyone", 100)]), "server")
    waited = ("wait", f"mroll/{world.name}", "-n", world.namespace)
    world.sandbox.kubectl(*waited, "--for=condition=Succeeded", "--timeout=60s")
    assert world.target() == world.expected(100)
    world.sandbox.kubectl(*waited, "--for=condition=Ready", "--timeout=5s")
    assert health(world) == "Healthy"


@dataclass(frozen=True)
class HelmRelease:
    """A release in the world's namespace, of a chart that holds its rollout and nothing else."""

    world: World
    home: Path

    def deploy(self, phases: list[Json], *arguments: str, **spec: Any) -> str:
        """`helm upgrade --install`; it raises HelmError with Helm's own sentence."""
        chart = self.home / "chart"
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: shop, version: 0.1.0}")
        (chart / "templates" / "rollout.yaml").write_text(json.dumps(self.world.manifest(phases, **spec)))
        return self._helm("upgrade", "--install", "shop", str(chart), *arguments)

    def status(self) -> str:
        """What Helm says of the release."""
        return str(json.loads(self._helm("status", "shop", "--output=json"))["info"]["status"])

    def _helm(self, *arguments: str) -> str:
        environment = {"KUBECONFIG": str(self.world.sandbox.kubeconfig)}
        return run_helm(*arguments, f"--namespace={self.world.namespace}", home=self.home, environment=environment)


@pytest.fixture
def shop(world: World, tmp_path: Path) -> HelmRelease:
    if not run_helm("version", "--short", home=tmp_path).startswith("v4"):
        pytest.skip("HELM_BIN is a Helm 3, which waits for no custom resource")
    return HelmRelease(world, tmp_path)


def test_helm_waits_until_the_rollout_of_a_release_has_succeeded(shop: HelmRelease) -> None:
    shop.world.seed(40)
    shop.deploy([phase("everyone", 100)], "--wait", "--timeout=180s")
    assert shop.world.status()["reason"] == "Completed"
    assert shop.world.target() == shop.world.expected(100)
    assert shop.status() == "deployed"


def test_helm_is_not_to_wait_for_a_rollout_that_waits_for_people(shop: HelmRelease) -> None:
    world, phases = shop.world, [{"name": "asked", "steps": [{"approve": {"count": 1}}]}]
    shop.deploy(phases, "--wait=hookOnly")
    assert shop.status() == "deployed"
    world.until_reason("AwaitingApproval")

    with pytest.raises(HelmError, match="context deadline exceeded"):
        shop.deploy(phases, "--wait", "--timeout=3s")
    assert shop.status() == "failed"
    assert world.status()["reason"] == "AwaitingApproval"

    world.approve()
    world.until_reason("Completed")
    shop.deploy(phases, "--wait", "--timeout=180s")
    assert shop.status() == "deployed"


def test_helm_does_not_take_a_rollout_that_stalls_for_one_that_is_ready(shop: HelmRelease) -> None:
    shop.world.seed(10)
    broken = MIGRATION | {"transform": {"python": {"entrypoint": "no.such.module:convert"}}}
    # Long before the timeout, and with the rollout's own sentence.
    with pytest.raises(HelmError, match=r"status: Failed, message: preflight: .* No module named 'no'"):
        shop.deploy([phase("everyone", 100)], "--wait", "--timeout=280s", migrations=[broken])
    assert shop.status() == "failed"
    assert shop.world.conditions()["Stalled"] == "True"
