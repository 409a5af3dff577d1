"""The plans of docs/pace.md are manifests that work, and its figures are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.moving import plan as run_plan
from tests.moving import ran, seen, stored
from tests.rollout_specs import migrate, phase
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec, RolloutSpec
from firelift.api.run import RunKind
from firelift.migration import backoff, budget, pressed_word, pressure
from firelift.migration.budget_leases import HEARD, SECOND
from firelift.migration.entities.open_entities import OPEN
from firelift.migration.pace import LONGEST_COMMIT_SECONDS
from firelift.migration.store import Create
from firelift.migration.worker import LANES_AT_ONCE
from firelift.operator.pace import CHECKING_WRITES
from firelift.stores.memory import MemoryStore

DOCUMENT = (Path(__file__).parents[2] / "docs" / "pace.md").read_text(encoding="utf-8")
PLANS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)]
DOCUMENTS: dict[str, dict[str, Any]] = {
    "trades": {"offeredSkills": ["go"], "requestedSkills": []},
    "telemetry": {"deviceId": "d1", "timestamp_ms": 1_700_000_000_000},
}


@pytest.mark.parametrize("manifest", PLANS, ids=lambda plan: plan["migrations"][0]["name"])
@in_virtual_time
async def test_a_documented_plan_is_accepted_and_moves_a_document(manifest: dict[str, Any]) -> None:
    name = manifest["migrations"][0]["name"]
    step = phase("everyone", migrate(100, name))
    spec = RolloutSpec.model_validate({"database": {"project": "demo-project"}, "phases": [step], **manifest})
    store = MemoryStore()
    store.apply([Create(f"{name}/1", stored(DOCUMENTS[name])), Create("devices/d1", {})])
    progress = await ran(store, run_plan(RunKind.MIGRATE, spec.migrations[0], pace=spec.pace))
    assert progress.totals.written == 1
    moved = await seen(store, "trades/1") if name == "trades" else await seen(store, "devices/d1/telemetry/1")
    assert moved is not None
    assert {"schemaVersion", "expiresAt"} & moved.keys()


@pytest.mark.parametrize("field", PaceSpec.model_fields.values(), ids=lambda field: str(field.alias))
def test_each_knob_has_its_line(field: Any) -> None:
    default = "none" if field.default is None else f"{field.default:,}"
    assert f"| `{field.alias}` | {default} |" in DOCUMENT


def test_figures_are_those_of_the_code() -> None:
    assert (budget.START, budget.GROWTH, budget.STEP, budget.USED) == (500, 1.5, 300 * SECOND, 0.5)
    assert (budget.LEAST, CHECKING_WRITES, LONGEST_COMMIT_SECONDS) == (10, 100, 5)
    assert (pressure.ALLOWED, pressure.CHANCE, pressure.SLOWER, pressure.LEAST_SLOWER_MS) == (0.01, 1, 2, 50)
    assert (pressed_word.TELL_SECONDS, pressed_word.AGAIN_SECONDS) == (10, 30)
    assert pressure.STUCK in " ".join(DOCUMENT.split())
    assert (budget.QUIET_KEPT, budget.MOST_QUIET, pressure.SAMPLES) == (7 * 86_400 * SECOND, 64, 20)
    assert (pressure.SLOW_CUTS, pressure.COOLING) == (3, 30 * SECOND)
    assert (backoff.FIRST_SECONDS, backoff.LONGEST_SECONDS, backoff.PRESSURE_SECONDS) == (0.5, 30, 600)
    assert (backoff.QUOTA_FIRST_SECONDS, backoff.QUOTA_LONGEST_SECONDS) == (2, 60)
    assert HEARD == 3 * SECOND
    assert OPEN * LANES_AT_ONCE * 5 == 1_280
