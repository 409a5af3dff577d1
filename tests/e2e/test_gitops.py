"""A pipeline that applies the manifest again and again, and people who hold, revert and wait beside it."""

from __future__ import annotations

import json

import pytest
from tests.argo_cd import Json, act
from tests.argo_cd import health as health_of
from tests.e2e.world import World, phase, soak

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


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_on_call_has_set_outlives_every_sync_of_the_manifest(world: World, pipeline: str) -> None:
    world.seed(40)
    manifest = world.manifest([phase("everyone", 100, soak(600))])
    sync(world, manifest, pipeline)
    world.until_reason("Soaking")
    assert health(world) == "Progressing"

    choose(world, "pause")
    sync(world, manifest, pipeline)
    world.until_reason("Suspended")
    assert health(world) == "Suspended"

    choose(world, "revert-rollout")
    sync(world, manifest, pipeline)
    world.until_reason("Reverted")
    assert health(world) == "Degraded"
    assert world.target() == {}


def test_a_pipeline_waits_for_the_outcome_and_is_not_fooled_by_the_first_second(world: World) -> None:
    world.seed(40)
    sync(world, world.manifest([phase("everyone", 100)]), "server")
    waited = ("wait", f"mroll/{world.name}", "-n", world.namespace)
    world.sandbox.kubectl(*waited, "--for=condition=Succeeded", "--timeout=60s")
    assert world.target() == world.expected(100)
    world.sandbox.kubectl(*waited, "--for=condition=Ready", "--timeout=5s")
    assert health(world) == "Healthy"
