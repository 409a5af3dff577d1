"""A spec that the API server accepts and that could never run is refused before anything has happened."""

import dataclasses

from tests.rollout_specs import flags, migrate, phase
from tests.rollout_world import world

from firelift.rollout.machine import decide


def test_an_unusable_migration_is_a_sentence_and_nothing_is_begun() -> None:
    one = world(phase("a", flags(), migrate(1)))
    state, seen = one.observe()
    refused = decide(one.rollout, state, dataclasses.replace(seen, unusable="migration logs: appliesWhen: no ')'"))
    assert (refused.status.reason, refused.status.started_phases, refused.intents) == ("InvalidSpec", (), ())
    assert "migration logs: appliesWhen: no ')'; correct it" in refused.status.message
    assert not refused.finalizer

    one.until("Completed")
    assert one.order
