from __future__ import annotations

from tests.e2e.conftest import Operators
from tests.e2e.world import World, phase, soak


def test_a_deleted_rollout_leaves_data_and_flags_and_gives_its_lock_back(world: World) -> None:
    world.seed(100)
    world.apply(world.manifest([phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")
    assert world.lock_leases() == ["logs"]

    world.delete()

    world.until_fact(lambda: world.get() is None, "the object is gone")
    assert world.lock_leases() == []
    assert world.target() == world.expected(100)
    assert world.flags()["READ_NEW"] == "100"
    assert list(world.database.collection("firelift_locks").stream()) == []


def test_a_rollout_deleted_in_mid_migration_stops_its_workers_first(world: World) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace={"maxWritesPerSecond": 20, "batchSize": 5}))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    world.delete()

    locks = world.database.collection("firelift_locks")
    world.until_fact(lambda: not list(locks.stream()), "the lock is free")
    assert (world.workers(), world.jobs()) == ([], [])
    standing = world.target()
    world.until_fact(lambda: world.get() is None, "the object is gone")
    assert world.target() == standing
    assert 5 < len(standing) < 200


def test_a_deletion_reverts_first_where_that_is_asked_for(world: World) -> None:
    world.seed(150)
    before = world.source()
    world.apply(world.manifest([phase("everyone", 100, soak(600))], deletionPolicy="Revert"))
    world.until_reason("Soaking")

    world.delete()

    world.until_fact(lambda: world.get() is None, "the object is gone")
    assert world.target() == {}
    assert world.source() == before
    assert world.flags() == {"THEME": "dark"}


def test_a_deletion_with_revert_survives_a_kill_of_the_operator_in_its_middle(
    world: World, operator: Operators
) -> None:
    world.seed(200)
    before = world.source()
    world.apply(world.manifest([phase("everyone", 100, soak(600))], deletionPolicy="Revert"))
    world.until_reason("Soaking")
    world.patch(suspend=True)
    world.until_reason("Suspended")

    world.delete()
    world.until(lambda status: status["reason"] in {"Reverting", "Suspended"}, "the revert")
    world.patch(suspend=False)
    world.until_fact(lambda: len(world.target()) < 200, "the first documents are taken back")
    operator.restart()

    world.until_fact(lambda: world.get() is None, "the object is gone")
    assert world.target() == {}
    assert world.source() == before
    assert world.flags() == {"THEME": "dark"}
