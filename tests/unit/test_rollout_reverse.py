"""The cohort whose documents of the new shape go back is that of the steps that are taken back."""

from __future__ import annotations

from typing import Any

from tests.rollout_specs import APPROVE, DELETE, flags, migrate, migration, phase, soak
from tests.rollout_world import World, world

from firelift.api.cohort import Selection

AFTER = soak(3000, evidence="None")
LOGS: dict[str, Any] = {**migration("logs"), "target": {"document": "users/{doc.u}/archive/{id}"}, "reverse": {}}


def reverted(*phases: dict[str, Any], to: str = "PhaseStart", **changes: Any) -> World:
    one = world(*phases, **{"migrations": [LOGS], **changes})
    one.until("Soaking")
    one.edit(intent="Revert", revertTo=to)
    one.until("Reverted")
    return one


def chosen(one: World) -> dict[str, Selection]:
    return {run: one.runs[run].plan.selection for run in one.order if ".revert" in run}


def test_a_revert_of_a_phase_takes_back_the_documents_of_its_own_cohort() -> None:
    one = reverted(phase("a", migrate(1)), phase("b", migrate(50), AFTER))
    mine = Selection(from_bucket=100, to_bucket=5000)
    assert chosen(one) == {"a1.b.migrate.logs.revert.0": mine, "a1.b.migrate.logs.revert-verify.0": mine}


def test_a_revert_holds_the_locks_of_both_shapes() -> None:
    one = world(phase("a", migrate(1), AFTER), migrations=[LOGS])
    one.until("Soaking")
    assert set(one.locks) == {"archive"}
    one.edit(intent="Revert")
    while "a1.a.migrate.logs.revert.0" not in one.runs:
        one.turn()
        one.work()
        one.pass_time(5)
    assert set(one.locks) == {"archive", "logs"}


def test_a_revert_of_all_takes_each_cohort_back_with_its_step() -> None:
    one = reverted(phase("a", migrate(1)), phase("b", migrate(50), AFTER), to="RolloutStart")
    assert chosen(one)["a1.a.migrate.logs.revert.0"] == Selection(to_bucket=100)


def test_after_flags_were_restored_the_next_pass_takes_back_what_the_app_still_wrote() -> None:
    ids = {"name": "some", "migrate": {"migrations": ["logs"], "cohort": {"ids": ["ada"]}}}
    one = reverted(phase("a", flags("WRITE"), migrate(1), ids, AFTER))
    assert chosen(one)["a1.a.write.logs.revert.1"] == Selection(to_bucket=100, ids=("ada",))


def test_without_a_way_back_and_for_sources_that_were_deleted_nobody_is_looked_for() -> None:
    plain = reverted(phase("a", migrate(1), AFTER), migrations=[migration("logs")])
    assert set(chosen(plain).values()) == {Selection()}
    one = world(phase("a", migrate(1), APPROVE, DELETE, AFTER), migrations=[LOGS])
    one.until("AwaitingApproval")
    one.approve()
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    assert chosen(one)["a1.a.delete.logs.revert.0"] == Selection()
