"""The plan in front of the first write, and rollouts that only rehearse."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tests.e2e.world import MIGRATION, World, gate, phase, soak

LONGEST_PLAN_SECONDS = 20
"""It takes about three; the machine may be busy."""


def ledger_documents(world: World, part: str) -> list[dict[str, Any]]:
    """Documents of the ledger whose id has this in it."""
    runs = world.database.collection_group("firelift_runs").stream()
    return [each.to_dict() or {} for each in runs if part in each.id]


def test_a_failing_check_stops_a_rollout_before_its_first_write_and_an_edit_lets_it_go_on(world: World) -> None:
    world.seed(60)
    missing = {**MIGRATION, "transform": {"python": {"entrypoint": "nowhere.at_all:convert"}}}
    world.apply(world.manifest([phase("all", 100)], gates=[gate(world)], migrations=[missing]))

    failed = world.until_reason("PreflightFailed")
    assert world.conditions() == {"Ready": "False", "Reconciling": "False", "Stalled": "True", "Succeeded": "Unknown"}
    assert failed["message"].startswith("preflight: transform logs: transform.python.entrypoint nowhere.at_all:convert")
    assert failed.get("startedPhases", []) == []
    assert world.target() == {}
    assert world.flags() == {"THEME": "dark"}
    assert world.entries() == []

    world.patch(migrations=[MIGRATION])
    done = world.until_reason("Completed")
    assert world.target() == world.expected(100)
    verdicts = {each["check"]: each["verdict"] for each in done["preflight"]}
    assert verdicts["database"] == "Warn"  # it is an emulator
    assert {verdicts[name] for name in ("read", "write", "ledger", "transform logs", "gate error-rate")} == {"Pass"}
    assert [(each["name"], each["documents"]) for each in done["plan"]["phases"]] == [("all", 60)]
    plan = world.core.read_namespaced_config_map(done["plan"]["configMap"], world.namespace, _request_timeout=10.0)
    assert done["plan"]["digest"] in (plan.data or {})["plan.txt"]
    assert json.loads((plan.data or {})["plan.json"])["counts"][0]["documents"] == 60
    owners = plan.metadata.owner_references if plan.metadata else None
    assert [owner.name for owner in owners or ()] == ["logs"]


def test_a_dry_run_says_what_would_happen_and_migrate_then_does_it(world: World) -> None:
    world.seed(120)
    ruled = {**MIGRATION, "validate": [{"rule": "out.calories < 110", "message": "calories must stay below 110"}]}
    phases = [phase("ten-percent", 10, soak(1)), phase("everyone", 100)]
    world.apply(world.manifest(phases, migrations=[ruled], mode="DryRun"))

    done = world.until_reason("Completed")
    assert world.conditions() == {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Succeeded": "True"}
    assert "dry run: 110 documents would be created, 0 updated, 0 left alone; 10 cannot move" in done["message"]
    assert (world.target(), world.flags()) == ({}, {"THEME": "dark"})
    examples = ledger_documents(world, ".example.")
    assert examples
    assert all(each["after"]["logType"] == each["before"]["type"] for each in examples)
    planned = next(each for each in done["history"] if each["reason"] == "Planned")
    found = world.get()
    assert found is not None
    took = _time(planned["time"]) - _time(found["metadata"]["creationTimestamp"])
    assert took.total_seconds() < LONGEST_PLAN_SECONDS

    world.patch(mode="Migrate", migrations=[MIGRATION])
    world.until(lambda status: status.get("startedPhases", []) == ["ten-percent", "everyone"], "both phases")
    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
