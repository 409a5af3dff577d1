"""`spec.requires.rollouts`: the same must have been completed elsewhere, and what "the same" means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import APPROVE, MIGRATION, SWEEP, VERIFY, flags, gate, migrate, migration, phase, soak
from tests.rollout_world import STAGING, START, World, completed, unplanned

from firelift.api.base import API_VERSION
from firelift.api.status import PromotedPart, PromotionStatus
from firelift.kube.required_rollouts import parse
from firelift.rollout.ground import RolloutKey, RolloutSeen
from firelift.rollout.promotion import promotion
from firelift.rollout.turn import Turn

STAGED = {"name": "users", "namespace": "staging"}
TITLE = "MigrationRollout staging/users"
ANOTHER = PromotionStatus(
    digest="sha256:another", parts=(PromotedPart(name="phase b", digest="sha256:b"),), completed_time=START
)


def promoted(*phases: dict[str, Any], required: dict[str, Any] | None = None, **changes: Any) -> World:
    """A rollout that requires `staging/users` to have completed the same."""
    requires = {"rollouts": [STAGED if required is None else required]}
    return unplanned(*(phases or (phase("a", migrate(10)), phase("b", migrate(100)))), requires=requires, **changes)


def following(other: RolloutSeen, *phases: dict[str, Any], **changes: Any) -> World:
    """The same, and what is seen of the other."""
    one = promoted(*phases, **changes)
    one.rollouts = {STAGING: other}
    return one


@pytest.mark.parametrize(
    ("other", "reason", "sentence"),
    [
        (RolloutSeen(), "WaitingForRollout", "none that this namespace may see; create it, correct the name, or let"),
        (RolloutSeen(error="GET x: 403"), "WaitingForRollout", f"{TITLE}: GET x: 403; it is looked at again"),
        (completed(deleting=True), "WaitingForRollout", f"{TITLE}: it is being deleted"),
        (completed(invalid="spec.x: wrong"), "WaitingForRollout", "its spec cannot be read: spec.x: wrong"),
        (completed(generation=2), "WaitingForRollout", "its generation 2 has not been looked at yet, only 1"),
        (completed(promotion=None), "WaitingForRollout", "it does not say its plan yet"),
        (completed("Migrating"), "WaitingForRollout", "it is Migrating in phase everyone, and must be Completed"),
        (completed("Reverting"), "WaitingForRollout", "it is Reverting in phase everyone, and must be Completed"),
        (completed("Reverted", phase=""), "WaitingForRollout", "it is Reverted, and must be Completed"),
        (
            completed("Migrating", promotion=ANOTHER),
            "WaitingForRollout",
            "must be Completed; its plan differs already: migration logs, image (worker@sha256:1 here, none there)",
        ),
        (
            completed(promotion=PromotionStatus(digest="sha256:same")),
            "WaitingForRollout",
            "what it has completed is a trial that moved nothing",
        ),
        (
            completed(promotion=ANOTHER),
            "PlanDiffers",
            "image (worker@sha256:1 here, none there), phase a, phase b; compare `kubectl get mroll users -n staging",
        ),
        (
            completed("Migrating", requires=(RolloutKey("demo", "users"),)),
            "InvalidSpec",
            f"this rollout requires {TITLE}, which requires MigrationRollout users: none of them would ever start",
        ),
    ],
)
def test_no_phase_starts_before_the_same_has_completed_elsewhere(
    other: RolloutSeen, reason: str, sentence: str
) -> None:
    one = following(other)
    status = one.until(reason)
    assert sentence in status.message
    assert status.waiting_for is not None
    assert status.waiting_for.name == TITLE
    assert (one.runs, one.plan_runs, one.owner, status.started_phases) == ({}, {}, None, ())
    assert [(check.check, check.verdict) for check in status.preflight] == [(TITLE, "Fail")]
    one.rollouts = {STAGING: completed()}
    one.until("Completed")


def test_a_rollout_that_requires_itself_is_a_mistake() -> None:
    one = promoted(required={"name": "users"})
    assert "requires itself and would never start" in one.until("InvalidSpec").message


def test_a_circle_is_found_however_long_and_not_where_a_rollout_of_it_has_completed() -> None:
    one = following(completed("WaitingForRollout", requires=(RolloutKey("staging", "b"),)))
    one.rollouts |= {
        RolloutKey("staging", "b"): completed("Starting", requires=(RolloutKey("staging", "c"), STAGING)),
        RolloutKey("staging", "c"): completed("Starting", requires=(RolloutKey("demo", "users"),)),
    }
    message = one.until("InvalidSpec").message
    chain = f"{TITLE}, which requires MigrationRollout staging/b, which requires MigrationRollout staging/c"
    assert f"requires {chain}, which requires MigrationRollout users" in message
    one.rollouts[RolloutKey("staging", "b")] = completed()
    one.until("WaitingForRollout")


def test_what_it_rests_on_must_have_stood_for_as_long_as_is_asked() -> None:
    one = promoted(required={**STAGED, "soakedSeconds": 3600})
    one.rollouts = {STAGING: completed()}
    one.pass_time(600)
    decision = one.turn()
    status = decision.status
    assert status.reason == "WaitingForRollout"
    assert "Completed since 2026-01-01T00:00:00Z, for 600s < soakedSeconds 3,600s" in status.message
    assert status.waiting_for is not None
    assert status.waiting_for.since == START
    assert decision.due == START + timedelta(seconds=3600)
    one.pass_time(3000)
    one.until("Completed")


def test_a_phase_under_way_goes_on_when_what_it_rests_on_goes_back_and_the_next_one_waits() -> None:
    one = following(completed(), phase("a", migrate(10), soak(60, evidence="None")), phase("b", migrate(100)))
    one.until("Soaking")
    one.rollouts = {STAGING: completed("Reverting")}
    said = one.turn().status
    assert said.reason == "Soaking"
    goes_on = "phase a goes on with what is under way, and no further step of it changes anything"
    assert f"{goes_on}: waiting for {TITLE}: it is Reverting" in said.message
    assert [check.verdict for check in said.preflight if check.check == TITLE] == ["Warn"]
    status = one.until("WaitingForRollout")
    assert status.started_phases == ("a",)
    one.rollouts = {STAGING: completed()}
    one.until("Completed")


def test_a_step_that_changes_something_waits_within_a_phase_too_and_the_last_one_goes_on_to_its_end() -> None:
    one = following(completed(), phase("a", migrate(100), VERIFY, flags(), soak(60, evidence="None")))
    one.until("Verifying")
    one.rollouts = {STAGING: completed("Reverted")}
    status = one.until("WaitingForRollout")
    assert [step.state for step in status.phases[0].steps] == ["Done", "Done", "Pending", "Pending"]
    one.rollouts = {STAGING: completed()}
    one.until("Soaking")
    one.rollouts = {STAGING: completed("Reverted")}
    one.until("Completed")


def test_the_first_write_behind_an_approval_asks_again() -> None:
    one = following(completed(), phase("a", APPROVE, flags(), migrate(100)))
    one.until("AwaitingApproval")
    one.rollouts = {STAGING: completed("Reverted")}
    one.approve()
    one.until("WaitingForRollout")
    assert one.config_maps["app-flags"] == {}


@pytest.mark.parametrize("other", [RolloutSeen(), completed("Reverted"), completed(promotion=ANOTHER)])
def test_a_revert_does_not_look_at_other_rollouts(other: RolloutSeen) -> None:
    one = following(completed())
    one.until("Completed")
    one.rollouts = {STAGING: other}
    one.edit(intent="Revert", revertTo="RolloutStart")
    assert one.until("Reverted").preflight is not None
    assert one.observe()[1].rollouts == {}


@pytest.mark.parametrize("mode", ["DryRun", "Validate"])
def test_a_trial_rests_on_nobody_and_proves_nothing(mode: str) -> None:
    one = promoted(mode=mode)
    status = one.until("Completed")
    assert status.promotion is not None
    assert status.promotion.completed_time is None


def test_an_edit_of_what_is_to_come_must_be_proven_too() -> None:
    one = following(completed(), phase("a", migrate(10), soak(60, evidence="None")), phase("b", migrate(100)))
    one.until("Soaking")
    done = one._alike(completed(), Turn(one.rollout, one.observe()[0], one.observe()[1]))  # noqa: SLF001 - as it was before the edit
    one.rollouts = {STAGING: done}
    one.edit(phases=[phase("a", migrate(10), soak(60, evidence="None")), phase("b", migrate(90))])
    assert "has completed another plan: phase b;" in one.until("PlanDiffers").message


BASE = (phase("a", flags(), migrate(10), VERIFY, soak(60), APPROVE, SWEEP), phase("b", migrate(100)))


def plan(*phases: dict[str, Any], image: str = "worker@sha256:1", **changes: Any) -> PromotionStatus:
    """The promotion of a rollout that nobody has begun."""
    one = unplanned(*(phases or BASE), **{"gates": [gate()], **changes})
    one.worker_image = image
    state, seen = one.observe()
    return promotion(Turn(one.rollout, state, seen))


def first(**changes: Any) -> tuple[dict[str, Any], ...]:
    """The base with these steps in its first phase, by their verbs."""
    steps = [{**step, **changes.get(next(iter(step)), {})} for step in BASE[0]["steps"]]
    return phase("a", *steps), BASE[1]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(plan(database={"project": "another-project"}), id="database"),
        pytest.param(plan(pace={"maxWritesPerSecond": 7}, worker={"parallelism": 9}), id="pace"),
        pytest.param(plan(gates=[gate("another", limit={"max": "5%"})]), id="gates"),
        pytest.param(plan(onFailure={"action": "Pause"}, maxRevertSeconds=60), id="policies"),
        pytest.param(plan(worker={"env": [{"name": "URL", "value": "x"}]}), id="environment of the worker"),
        pytest.param(plan(seed="another", ledgerID="another", attempt=3), id="ledger"),
        pytest.param(plan(image="registry.example/worker@sha256:1"), id="registry"),
        pytest.param(plan(migrations=[MIGRATION, migration("unused")]), id="a migration that nobody uses"),
        pytest.param(plan(migrations=[{**MIGRATION, "onExisting": "FillMissing"}]), id="a default that is written"),
        pytest.param(
            plan(*first(verify={"verify": {"sample": "10%", "maxMismatch": "1%"}})), id="how strict a check is"
        ),
        pytest.param(plan(*first(sweep={"sweep": {"maxPasses": 9, "pauseSeconds": 60}})), id="how often"),
        pytest.param(plan(*first(soak=soak(86400), migrate={"timeoutSeconds": 60})), id="how long"),
        pytest.param(plan(phase("a", flags(), migrate(10), VERIFY, SWEEP), BASE[1]), id="who is asked"),
        pytest.param(plan(phase("a", *BASE[0]["steps"], rehearse=True), BASE[1]), id="a rehearsal"),
    ],
)
def test_what_each_place_decides_for_itself_is_no_part_of_the_plan(other: PromotionStatus) -> None:
    assert other == plan()


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        (plan(migrations=[{**MIGRATION, "onExisting": "Skip"}]), {"migration logs"}),
        (plan(migrations=[{**MIGRATION, "transform": {"set": {"a": "1"}}}]), {"migration logs"}),
        (plan(image="worker@sha256:2"), {"image"}),
        (plan(*first(migrate=migrate(11))), {"phase a"}),
        (plan(*first(verify={"verify": {"authority": "Target"}})), {"phase a"}),
        (plan(*first(verify={"onRevert": "Keep"})), {"phase a"}),
        (plan(phase("a", migrate(10), VERIFY, flags(), SWEEP), BASE[1]), {"phase a"}),
        (plan(BASE[0]), {"phase b"}),
    ],
)
def test_what_decides_about_the_data_is_part_of_the_plan(other: PromotionStatus, parts: set[str]) -> None:
    mine = plan()
    assert other.digest != mine.digest
    here, there = ({part.name: part.digest for part in each.parts} for each in (mine, other))
    assert {name for name in here | there if here.get(name) != there.get(name)} == parts


def test_the_order_of_migrations_is_part_of_the_plan() -> None:
    both = phase("a", migrate(10, "logs", "tasks"))
    logs, tasks = migration("logs"), migration("tasks")
    one = following(completed(), both, migrations=[logs, tasks])
    other = plan(both, migrations=[tasks, logs])
    one.rollouts = {
        STAGING: completed(promotion=other.model_copy(update={"completed_time": START}), worker_image="worker@sha256:1")
    }
    assert "has completed another plan: order;" in one.until("PlanDiffers").message


def test_the_same_migrations_may_have_moved_in_other_cohorts() -> None:
    one = promoted(required={**STAGED, "same": "Migrations"})
    staged = unplanned(phase("everyone", migrate(100)))
    found = staged.until("Completed")
    assert found.promotion is not None
    one.rollouts = {STAGING: completed(promotion=found.promotion, migrations_digest=found.migrations_digest)}
    one.until("Completed")
    one = promoted(required={**STAGED, "same": "Migrations"}, migrations=[{**MIGRATION, "onExisting": "Skip"}])
    one.rollouts = {STAGING: completed(promotion=found.promotion, migrations_digest=found.migrations_digest)}
    assert "has completed another migrations and image: migration logs;" in one.until("PlanDiffers").message


def test_a_digest_stands_for_a_rollout_of_another_cluster() -> None:
    there = unplanned(*BASE, gates=[gate()]).turn().status
    assert there.promotion is not None
    one = promoted(*BASE, required={"digest": there.promotion.digest}, gates=[gate()])
    status = one.until("SettingFlags")
    assert [check.verdict for check in status.preflight if check.check.startswith("digest sha256:")] == ["Pass"]
    one = promoted(*BASE, required={"digest": there.migrations_digest, "same": "Migrations"}, gates=[gate()])
    one.until("SettingFlags")
    one = promoted(BASE[0], required={"digest": there.promotion.digest}, gates=[gate()])
    status = one.until("PlanDiffers")
    assert f"asks for {there.promotion.digest}" in status.message
    assert status.promotion is not None
    assert status.promotion.digest in status.message


def test_the_plan_shows_what_it_rests_on_and_what_may_rest_on_it() -> None:
    one = following(completed())
    one.until("Migrating")
    page = one.shown["plan.txt"]
    assert one.status is not None
    assert one.status.promotion is not None
    assert f"promotion digest {one.status.promotion.digest}" in page
    assert f"Pass  {TITLE}: Completed since 2026-01-01T00:00:00Z with the same plan" in page


def document(**changes: Any) -> dict[str, Any]:
    """A rollout of namespace staging as the API server has it."""
    spec = unplanned(phase("a", migrate(100))).rollout.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata = {"name": "users", "namespace": "staging", "uid": "u", "generation": 3, "resourceVersion": "7"}
    status = {"observedGeneration": 3, "reason": "Completed", "phase": "a", "migrationsDigest": "sha256:m"}
    plan = {"digest": "sha256:p", "parts": [], "completedTime": "2026-01-01T00:00:00Z"}
    whole = {"apiVersion": API_VERSION, "metadata": metadata, "status": {**status, "promotion": plan}}
    return whole | {"spec": {**spec, "requires": {"rollouts": [{"name": "dev"}]}, **changes}}


def test_a_rollout_of_another_namespace_is_seen_only_where_it_says_so() -> None:
    seen = parse(document(promotesTo=["demo"]), namespace="demo")
    assert seen.completed == START
    assert (seen.requires, seen.migrations_digest) == ((RolloutKey("staging", "dev"),), "sha256:m")
    assert parse(document(promotesTo=["demo"]), namespace="other") == RolloutSeen()
    assert parse(document(), namespace="demo") == RolloutSeen()
    assert parse(document(), namespace="staging").exists
    broken = parse(document(promotesTo="demo", phases=[]), namespace="demo")
    assert broken == RolloutSeen()
    assert parse(document(phases=[]), namespace="staging").invalid.startswith("spec.phases: ")


def test_a_promotion_of_an_unknown_shape_is_none() -> None:
    whole = document()
    whole["status"]["promotion"] = {"plan": 1}
    assert parse(whole, namespace="staging").promotion is None
