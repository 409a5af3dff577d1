"""Statistics by a rollout: made, swept after a late record, verified, and taken back; recomputed by plain Python."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.e2e.world import World, original, soak, verify

DAILY: dict[str, Any] = {
    "name": "daily",
    "source": {"collection": "logs"},
    "entityKey": "userId",
    "target": {
        "aggregate": {
            "document": "users/{entity}/daily/{day}",
            "keys": {"day": "doc.ts.substring(0, 10)"},
            "orderBy": "doc.ts",
            "set": {"total": {"sum": "doc.calories"}, "most": {"max": "doc.calories"}, "last": {"last": "doc.type"}},
            "fingerprintField": "madeOf",
        }
    },
}


def step(percent: int) -> dict[str, Any]:
    return {"migrate": {"migrations": ["daily"], "cohort": {"percent": percent}}}


def expected(world: World) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in world.source().values():
        groups[f"users/{each['userId']}/daily/{each['ts'][:10]}"].append(each)
    return {
        path: {
            "total": sum(each["calories"] for each in found),
            "most": max(each["calories"] for each in found),
            "last": max(found, key=lambda each: each["ts"])["type"],
        }
        for path, found in groups.items()
    }


def statistics(world: World) -> dict[str, dict[str, Any]]:
    found = {each.reference.path: each.to_dict() or {} for each in world.database.collection_group("daily").stream()}
    assert all(len(each.pop("madeOf")) == 24 for each in found.values())
    return found


def test_statistics_are_made_swept_verified_and_taken_back(world: World) -> None:
    world.seed(450)
    first = {"name": "first", "steps": [step(50), {"approve": {}}]}
    last = {"name": "last", "steps": [step(100), {"sweep": {}}, verify(), soak(600)]}
    world.apply(world.manifest([first, last], migrations=[DAILY]))
    world.until_reason("AwaitingApproval")
    moved = set(statistics(world))
    late = next(each for each in world.source().values() if f"users/{each['userId']}/daily/{each['ts'][:10]}" in moved)
    world.database.document("logs/late").set(
        {**original(1), "userId": late["userId"], "ts": late["ts"][:11] + "23:59:59Z"}
    )
    world.approve()
    status = world.until_reason("Soaking", "StepFailed")
    assert status["reason"] == "Soaking", status["message"]
    assert statistics(world) == expected(world)
    before = world.source()
    world.patch(intent="Revert", revertTo="RolloutStart")
    assert world.until_reason("Reverted", "RevertedWithConflicts", "RevertFailed")["reason"] == "Reverted"
    assert statistics(world) == {}
    assert world.source() == before
