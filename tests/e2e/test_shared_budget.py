"""Two rollouts on one database, walked by one operator: what both write together stays within its budget."""

from __future__ import annotations

from copy import copy
from typing import Any

from tests.e2e.world import MIGRATION, World, original, seconds

CAP, BATCH, DOCUMENTS = 60, 5, 200
WINDOW_SECONDS = 3
SLACK = 4 * (BATCH + 1)
"""Commits at the edges of a window: each of two workers has begun one before it, and pays for one behind it."""

NAMES = ("logs", "notes")


def test_two_rollouts_on_one_database_stay_within_its_budget_together(world: World) -> None:
    rollouts = [_rollout(world, name) for name in NAMES]
    granted: list[float] = []

    def ended() -> bool:
        granted.append(_spendable(world))
        return all(each.status().get("reason") == "Completed" for each in rollouts)

    world.until_fact(ended, "both are done")
    times = {name: _written(world, name) for name in NAMES}
    assert max(granted) <= CAP
    together = sorted([*times["logs"], *times["notes"]])
    assert len(together) >= 2 * (DOCUMENTS + DOCUMENTS // BATCH)
    busiest = max(sum(begin <= time < begin + WINDOW_SECONDS for time in together) for begin in together)
    assert CAP * WINDOW_SECONDS / 2 < busiest <= CAP * WINDOW_SECONDS + SLACK
    begin, end = max(min(each) for each in times.values()), min(max(each) for each in times.values())
    assert end - begin > WINDOW_SECONDS, "each had work while the other had"
    shares = [sum(begin <= time <= end for time in each) for each in times.values()]
    assert min(shares) > max(shares) / 3, "and neither stood still for the other"


def _rollout(world: World, name: str) -> World:
    """One of the two, applied; its documents have a collection of their own."""
    one = copy(world)
    one.name = name
    batch = world.database.batch()
    for number in range(DOCUMENTS):
        batch.set(world.database.document(f"{name}/{number:05d}"), original(number))
    batch.commit()
    target = {"document": f"users/{{doc.userId}}/{name}/{{id}}"}
    migration = {**MIGRATION, "name": name, "source": {"collection": name}, "target": target}
    steps = [{"migrate": {"migrations": [name], "cohort": {"percent": 100}}}]
    pace = {"maxWritesPerSecond": CAP, "batchSize": BATCH}
    one.apply(one.manifest([{"name": "everyone", "steps": steps}], migrations=[migration], pace=pace))
    return one


def _spendable(world: World) -> float:
    """Writes per second that all workers may spend now, by the ledger."""
    budget = world.database.document("firelift_pace/budget").get()
    now = budget.read_time.timestamp() * 1e6
    leases: list[dict[str, Any]] = (budget.to_dict() or {}).get("leases", [])
    return sum(
        max((each["share"] for each in (lease, *lease.get("earlier", ())) if now < each["expires"]), default=0.0)
        for lease in leases
    )


def _written(world: World, name: str) -> list[float]:
    """When each new document and each journal entry of a rollout was written, by the database's clock."""
    new = (each for each in world.database.collection_group(name).stream() if each.reference.path.startswith("users/"))
    ledger = f"_firelift/{world.namespace}.{name}/"
    journal = world.database.collection_group("firelift_journal").stream()
    entries = (each for each in journal if each.reference.path.startswith(ledger))
    return [seconds(each.create_time) for each in (*new, *entries)]
