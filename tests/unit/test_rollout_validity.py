"""A spec that the API server accepts and that could never run is refused before anything has happened."""

import dataclasses
from typing import Any

import pytest
from tests.rollout_specs import VERIFY, flags, migrate, migration, phase
from tests.rollout_world import unplanned, world

from firelift.rollout.machine import decide


def test_an_unusable_migration_is_a_sentence_and_nothing_is_begun() -> None:
    one = unplanned(phase("a", flags(), migrate(1)))
    state, seen = one.observe()
    refused = decide(one.rollout, state, dataclasses.replace(seen, unusable="migration logs: appliesWhen: no ')'"))
    assert (refused.status.reason, refused.status.started_phases, refused.intents) == ("InvalidSpec", (), ())
    assert "migration logs: appliesWhen: no ')'; correct it" in refused.status.message
    assert not refused.finalizer

    one.until("Completed")
    assert one.order


VERIFY_TASKS = {"verify": {"migrations": ["tasks"]}}


@pytest.mark.parametrize(
    "phases",
    [
        (phase("a", migrate(1, "logs"), VERIFY_TASKS),),
        (phase("a", VERIFY_TASKS, migrate(1, "tasks")),),
        (phase("a", VERIFY_TASKS), phase("b", migrate(1, "tasks"))),
    ],
)
def test_a_verify_in_front_of_its_migrate_has_nothing_to_compare(phases: tuple[dict[str, Any], ...]) -> None:
    one = world(*phases, migrations=[migration("logs"), migration("tasks")])
    status = one.until("InvalidSpec")
    assert "step verify of phase a compares tasks, which no step in front of it migrates" in status.message
    assert status.started_phases == ()
    assert one.order == []


def test_a_verify_compares_what_its_phase_has_migrated_in_front_of_it() -> None:
    both = [migration("logs"), migration("tasks")]
    last = {**VERIFY, "name": "all"}
    steps = (migrate(1, "logs"), VERIFY, migrate(1, "tasks", name="more"), last, {**VERIFY_TASKS, "name": "again"})
    one = world(phase("a", *steps), migrations=both)
    one.until("Completed")
    assert [run.removeprefix("a1.a.") for run in one.order if ".verify.0" in run] == [
        "verify.logs.verify.0",
        "all.logs.verify.0",
        "all.tasks.verify.0",
        "again.tasks.verify.0",
    ]
