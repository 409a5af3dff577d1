"""What people read of a plan beside the status, on a real API server."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from tests.environment_team import plan

from firelift.api.base import API_VERSION, GROUP, VERSION
from firelift.api.environment import KIND, PLURAL
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import PlanPurpose
from firelift.environment.observation import Environment, Planned
from firelift.environment.state import EnvironmentState, PlanEnd, PlanRecord
from firelift.infra.terraform.backend import LocalBackend
from firelift.infra.terraform.configuration import Configuration, SavedPlan
from firelift.kube.blobs import Shelf
from firelift.kube.client import Cluster
from firelift.operator.ground.bundles import Bundles, PlanBundle
from firelift.operator.ground.show import Showcase, Shown

WHEN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SPEC = {"project": {"id": "prod-1"}, "database": {"location": "nam5"}}


@dataclass
class Shelved:
    """An environment with a place for its plans."""

    environment: Environment
    cluster: Cluster
    shown: Shown = field(default_factory=Shown)

    @property
    def bundles(self) -> Bundles:
        return Bundles(self.cluster, Shelf(self.environment.namespace, "shop-prod"), "shop-prod")

    async def keep(self, text: str) -> None:
        saved = SavedPlan(Configuration({}, LocalBackend(Path("state"))))
        bundle = PlanBundle(saved, Planned({}, "line", 1), text)
        await self.bundles.keep_plan(plan("plan-1", inputs="sha256:i"), bundle)

    async def show(self, state: EnvironmentState) -> dict[str, str]:
        showcase = Showcase(self.cluster, self.bundles, self.environment, WHEN)
        assert await showcase.show(state, self.shown) == []
        path = f"/api/v1/namespaces/{self.environment.namespace}/configmaps/prod-plan"
        data: dict[str, str] = (await self.cluster.get(path))["data"]
        return data


@pytest_asyncio.fixture
async def shelved(cluster: Cluster) -> Shelved:
    namespace = f"shown-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "prod"}, "spec": SPEC}
    made = await cluster.create(f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}", body)
    spec = EnvironmentSpec.model_validate(SPEC)
    return Shelved(Environment(namespace, "prod", made["metadata"]["uid"], 1, spec), cluster)


def planned(digest: str = "sha256:d") -> PlanRecord:
    return PlanRecord(
        run="plan-1",
        purpose=PlanPurpose.APPLY,
        digest=digest,
        inputs="sha256:i",
        generation=1,
        attempt=1,
        lineage="line",
        serial=1,
        created=WHEN,
        add=3,
    )


@pytest.mark.parametrize("letter", ["a", '"', "é", "語", "🔥"])
async def test_a_text_of_any_letters_fits(shelved: Shelved, letter: str) -> None:
    await shelved.keep(letter * 1_100_000)
    on_the_wire = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
    text = (await shelved.show(EnvironmentState(plan=planned())))["plan.txt"]
    kept, _, told = text.partition("\n")
    assert set(kept) == {letter}
    assert 899_980 < len(kept) * on_the_wire <= 900_000
    assert told.strip() == f"… and {1_100_000 - len(kept):,} more characters"


@pytest.mark.parametrize(
    ("ended", "state", "time"),
    [
        (PlanEnd(digest="sha256:d", whole=True, time=WHEN.replace(hour=4)), "Applied", "2026-11-21T04:00:00+00:00"),
        (PlanEnd(digest="sha256:d", whole=False, time=WHEN.replace(hour=4)), "Failed", "2026-11-21T04:00:00+00:00"),
        (PlanEnd(digest="sha256:another", whole=True, time=WHEN), "Dropped", "2026-11-21T03:00:00+00:00"),
        (None, "Dropped", "2026-11-21T03:00:00+00:00"),
    ],
)
async def test_the_text_stays_and_says_what_has_become_of_its_plan(
    shelved: Shelved, ended: PlanEnd | None, state: str, time: str
) -> None:
    await shelved.keep("3 to add")
    assert (await shelved.show(EnvironmentState(plan=planned())))["state"] == "Planned"
    after = EnvironmentState(ended=ended)
    for shown in (shelved.shown, Shown()):
        shelved.shown = shown
        told = await shelved.show(after)
        assert (told["state"], told["time"], told["plan.txt"]) == (state, time, "3 to add")
    again = await shelved.show(EnvironmentState(plan=planned(), ended=ended))
    assert again["state"] == "Planned"
