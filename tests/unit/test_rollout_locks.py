"""Locks of collection groups: taken in one order by all rollouts, so that none waits for one that waits for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import migrate, migration, phase, soak
from tests.rollout_world import World, unplanned, world

ALL = [migration(name) for name in ("a", "b", "c")]


def together(one: World, two: World, *, turns: int = 200) -> None:
    """Two rollouts on one database, in turns."""
    for _ in range(turns):
        for each, other in ((one, two), (two, one)):
            each.turn()
            other.locks = each.locks
            each.work()
            each.pass_time(10)


def named(uid: str, *groups: str) -> World:
    one = unplanned(*(phase(f"p{number}", migrate(100, name)) for number, name in enumerate(groups)), migrations=ALL)
    one.rollout = replace(one.rollout, name=uid, uid=uid)
    return one


@pytest.mark.parametrize(
    ("first", "second"), [("ab", "ba"), ("abc", "cab"), ("ba", "ab"), ("cba", "abc"), ("a", "ab"), ("ac", "ba")]
)
def test_two_rollouts_that_name_the_same_groups_never_wait_for_each_other(first: str, second: str) -> None:
    one, two = named("uid-1", *first), named("uid-2", *second)
    together(one, two)
    assert (one.reason, two.reason) == ("Completed", "Completed")
    for each in (one, two):
        each.edit(intent="Revert", revertTo="RolloutStart")
    together(one, two)
    assert (one.reason, two.reason) == ("Reverted", "Reverted")


def added(name: str) -> list[dict[str, Any]]:
    held = phase("held", migrate(100, "b"), soak(60, evidence="None"))
    return [held, phase("more", migrate(100, name))]


def test_a_group_that_an_edit_puts_before_a_held_one_is_taken_in_order() -> None:
    one = world(*added("b")[:1], migrations=ALL)
    one.until("Soaking")
    one.edit(phases=added("a"))
    one.until("WaitingForLock")
    assert one.locks == {}
    assert names(one.turn()) == ["AcquireLock"]
    assert one.locks == {"a": one.rollout.ledger_id}
    one.until("Completed")


def test_a_place_in_the_queue_is_given_back_like_a_lock() -> None:
    one = world(phase("p", migrate(100, "a")), migrations=ALL)
    one.locks["a"] = "other"
    one.until("WaitingForLock")
    one.turn()
    one.delete()
    for _ in range(5):
        one.turn()
        one.pass_time(2)
    assert not one.finalizer
    assert one.queued == set()


def test_a_rollout_that_waits_for_an_earlier_group_holds_no_later_one() -> None:
    one = world(*added("b")[:1], migrations=ALL)
    one.until("Soaking")
    one.edit(phases=added("a"))
    one.locks["a"] = "other"
    status = one.until("WaitingForLock")
    assert "giving back the locks of collection groups b: a, which the rollout names since an edit" in status.message
    for _ in range(5):
        one.turn()
        one.pass_time(2)
    assert one.locks == {"a": "other"}
    del one.locks["a"]
    one.until("Completed")


def test_a_group_behind_those_that_are_held_is_taken_without_giving_any_back() -> None:
    one = world(*added("b")[:1], migrations=ALL)
    one.until("Soaking")
    one.edit(phases=added("c"))
    one.until("Completed")
    assert not any("giving back" in event.message for event in one.events)


MARKED = {
    **ALL[0],
    "entityKey": "userId",
    "entityCollection": "users",
    "entityMarker": {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}},
}


def test_markers_are_written_under_a_lock_of_their_own_on_both_ways() -> None:
    one = world(phase("p", migrate(100, "a"), soak(600, evidence="None")), migrations=[MARKED, *ALL[1:]])
    one.until("Soaking")
    assert set(one.locks) == {"a", "meta"}
    one.edit(intent="Revert")
    one.until("Reverted")


def test_two_rollouts_that_write_markers_to_one_place_take_turns() -> None:
    other = {**MARKED, "name": "b", "source": {"collection": "b"}, "target": {"document": "users/{doc.userId}/b/{id}"}}
    one, two = (unplanned(phase("p", migrate(100, spec["name"])), migrations=[spec]) for spec in (MARKED, other))
    for each, uid in ((one, "uid-1"), (two, "uid-2")):
        each.rollout = replace(each.rollout, name=uid, uid=uid)
    together(one, two, turns=2)
    assert {one.reason, two.reason} >= {"WaitingForLock"}
    together(one, two)
    assert (one.reason, two.reason) == ("Completed", "Completed")
