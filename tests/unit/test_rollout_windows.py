"""`maxSeconds` holds whatever has become of the rollout: flags are never left behind with nobody to take them back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.rollout_specs import flags, migrate, phase, soak
from tests.rollout_world import World, world

WINDOW = flags("WINDOW", maxSeconds=60)


def standing(*more: dict[str, object], **changes: object) -> World:
    one = world(phase("a", WINDOW, *more), **changes)
    one.until("Soaking" if more else "Completed", seconds=2)
    assert one.config_maps["app-flags"] == {"WINDOW": "on"}
    return one


def wait(one: World, seconds: int) -> None:
    """Turns just when they are due, and no earlier."""
    end = one.now + timedelta(seconds=seconds)
    while one.now < end:
        one.turn()
        one.pass_time(min((one.due - one.now).total_seconds(), (end - one.now).total_seconds()))
    one.turn()


def test_flags_are_taken_back_after_the_rollout_has_ended() -> None:
    one = standing()
    wait(one, 100)
    assert one.config_maps["app-flags"] == {}
    wait(one, 30)
    assert one.owner is None
    assert not one.finalizer


def test_flags_are_taken_back_while_the_rollout_is_aborted() -> None:
    one = standing(soak(9999, evidence="None"))
    one.edit(intent="Abort")
    wait(one, 100)
    assert one.status is not None
    assert one.status.reason == "Aborted"
    assert one.config_maps["app-flags"] == {}


def test_flags_that_were_written_just_before_an_abort_are_taken_back_too() -> None:
    one = world(phase("a", WINDOW, soak(9999, evidence="None")))
    while one.config_maps["app-flags"] == {}:
        one.turn()
    one.edit(intent="Abort")
    wait(one, 50)
    assert one.config_maps["app-flags"] == {"WINDOW": "on"}
    wait(one, 30)
    assert one.config_maps["app-flags"] == {}


@pytest.mark.parametrize("ended", [True, False])
def test_a_deletion_takes_flags_with_a_time_limit_back_at_once(*, ended: bool) -> None:
    one = standing(*([] if ended else [soak(9999, evidence="None")]))
    one.delete()
    for _ in range(6):
        one.turn()
        one.pass_time(2)
    assert one.config_maps["app-flags"] == {}
    assert not one.finalizer


def test_a_deletion_leaves_alone_what_somebody_else_has_set_since() -> None:
    one = standing()
    one.config_maps["app-flags"]["WINDOW"] = "theirs"
    one.owned["app-flags"].clear()
    one.delete()
    for _ in range(6):
        one.turn()
        one.pass_time(2)
    assert one.config_maps["app-flags"] == {"WINDOW": "theirs"}
    assert not one.finalizer


def test_a_rollout_that_is_over_is_seldom_looked_at() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Completed")
    wait(one, 30)
    assert one.due - one.now == timedelta(days=1)


def test_the_way_back_is_promised_only_while_it_is_open() -> None:
    one = world(phase("a", migrate(1)), ledgerRetentionSeconds=3600)
    one.until("Completed")
    wait(one, 3600)
    assert one.status is not None
    assert one.status.message.startswith("all phases are done; the way back has been closed since 2026-01-01T01:")
    one.edit(intent="Revert")
    one.turn()
    assert one.status.reason == "Completed"
    assert one.status.message.endswith(", so spec.intent: Revert is not followed")
