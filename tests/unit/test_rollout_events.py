"""News for people are sent before anything that may fail."""

from __future__ import annotations

from tests.rollout_specs import migrate, phase
from tests.rollout_world import world

from firelift.rollout.intents import EmitEvent


def test_events_come_before_whatever_may_fail() -> None:
    one = world(phase("p", migrate(100)))
    mixed = []
    for _ in range(40):
        kinds = [isinstance(intent, EmitEvent) for intent in one.turn().intents]
        if len(set(kinds)) > 1:
            mixed.append(kinds)
        one.work()
        one.pass_time(5)

    assert mixed
    assert all(kinds == sorted(kinds, reverse=True) for kinds in mixed)
