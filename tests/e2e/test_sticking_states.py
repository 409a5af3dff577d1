"""States in which other operators are known to stick, with real parts; tests/unit/test_sticking_states.py has all."""

from __future__ import annotations

import time

from tests.e2e.conftest import LEASE_SECONDS, Operators
from tests.e2e.world import World, gate, migrate, soak

SLOW = {"maxWritesPerSecond": 10, "batchSize": 5}


def test_a_second_rollout_is_not_ignored_after_a_first_fails_and_the_failed_one_is_not_still_writing(
    world: World,
) -> None:
    world.seed(120)
    everyone = {"name": "everyone", "steps": [migrate(100)]}
    world.apply(world.manifest([everyone], pace=SLOW, gates=[gate(world, onFailure="Pause")]))
    world.until_reason("Migrating", seconds=150)
    world.until_fact(lambda: len(world.target()) > 5, "the first documents", 150)
    world.error_percent = 50.0
    world.until_reason("GateFailed")
    world.until_fact(lambda: world.held_seconds() > LEASE_SECONDS, "workers on hold for a while")
    standing = world.target()

    first, world.name = world.name, "again"
    world.apply(world.manifest([everyone]))
    waiting = world.until(lambda status: "waitingFor" in status, "the holder's name")
    assert waiting["waitingFor"]["name"] == f"{world.namespace}/{first}"
    assert world.target() == standing, "marked failed but still writing"

    world.name = first
    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")
    world.name = "again"
    world.until_reason("Completed")
    assert len(world.target()) == 120


def test_nothing_is_approved_but_never_executed_nor_done_but_forever_reconciling(
    world: World, operator: Operators
) -> None:
    world.seed(20)
    steps = [migrate(100), {"name": "look", "approve": {"count": 1}}, soak(1)]
    world.apply(world.manifest([{"name": "everyone", "steps": steps}]))
    world.until_reason("AwaitingApproval")

    operator.kill()
    world.approve()
    operator.ensure()

    world.until_reason("Completed")
    assert world.conditions()["Reconciling"] == "False"
    world.until_fact(lambda: not (world.jobs() or world.lock_leases()), "nothing is left to clean up")
    world.until_fact(Unchanged(world, 2 * LEASE_SECONDS), "a while in which nobody writes it")


class Unchanged:
    """Whether the object has been the same for so long."""

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self._seconds = seconds
        self._version = ""
        self._since = 0.0

    def __call__(self) -> bool:
        version = ((self._world.get() or {})["metadata"])["resourceVersion"]
        if version != self._version:
            self._version, self._since = version, time.monotonic()
        return time.monotonic() - self._since > self._seconds
