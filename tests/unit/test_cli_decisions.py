"""What commands ask for: which fields, in whose name, and what makes no sense in a state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
import pytest
from tests.cli_scene import Json, environment_view, rollout_document, rollout_view, shown
from tests.environment_plans import ttl_address
from tests.environment_world import START as GROUND_START
from tests.environment_world import world as ground_world
from tests.rollout_specs import VERIFY, gate, migrate, phase, soak
from tests.rollout_world import START, World, unplanned, world

from firelift.api.approval import ApprovalDecision, ApprovalSpec
from firelift.api.rollout import RevertTo
from firelift.api.run import Totals
from firelift.cli import approvals, views, wishes
from firelift.cli.approvals import Choice
from firelift.cli.durations import DurationType
from firelift.cli.exits import Exit, Problem
from firelift.cli.explaining import explanation
from firelift.cli.ownership import MANAGER, notes, request
from firelift.cli.rollout_actions import of_rollout
from firelift.cli.views import LAST_APPLIED, AnyView, RolloutView
from firelift.cli.wishes import Wish
from firelift.environment.observation import FieldSeen


def migrating() -> World:
    one = world(phase("a", migrate(1), VERIFY), gates=[gate()])
    one.until("Migrating")
    return one


def owned(document: Json, **managers: str) -> Json:
    """The document with `field=manager:Operation` for each field of the spec."""
    entries = [
        {"manager": who.split(":")[0], "operation": who.split(":")[1], "fieldsV1": {"f:spec": {f"f:{name}": {}}}}
        for name, who in managers.items()
    ]
    return {**document, "metadata": {**document["metadata"], "managedFields": entries}}


def with_spec(one: World, **spec: Any) -> Json:
    document = rollout_document(one)
    return {**document, "spec": {**document["spec"], **spec}}


def test_a_pause_claims_suspend_and_nothing_else() -> None:
    asked = request(rollout_view(migrating()), wishes.pause(rollout_view(migrating())))
    assert not asked.merge
    assert asked.body["spec"] == {"suspend": True}
    assert asked.body["metadata"]["uid"] == "uid-1"


def test_a_later_command_says_again_what_an_earlier_one_has_set() -> None:
    document = owned(with_spec(migrating(), suspend=True), suspend=f"{MANAGER}:Apply")
    view = views.rollout(document)
    assert request(view, wishes.abort(view)).body["spec"] == {"suspend": True, "intent": "Abort"}


def test_a_revert_ends_the_pause_that_would_hold_it() -> None:
    document = owned(with_spec(migrating(), suspend=True), suspend=f"{MANAGER}:Apply")
    view = views.rollout(document)
    asked = request(view, wishes.revert(view, RevertTo.ROLLOUT_START))
    assert asked.body["spec"] == {"intent": "Revert", "revertTo": "RolloutStart"}
    assert not asked.merge


def test_what_another_manager_has_set_is_taken_away_of_the_very_version_that_was_read() -> None:
    view = views.rollout(owned(with_spec(migrating(), suspend=True), suspend="kubectl-patch:Update"))
    asked = request(view, wishes.resume(view))
    assert asked.merge
    assert asked.body["spec"] == {"suspend": None}
    assert asked.body["metadata"]["resourceVersion"] == "7"


def test_what_a_manifest_says_too_is_told() -> None:
    document = owned(with_spec(migrating(), suspend=True), suspend="argocd-controller:Apply")
    view = views.rollout(document)
    assert notes(view, wishes.resume(view)) == [
        "spec.suspend is in a manifest too, applied by argocd-controller: remove it there, or it comes back"
    ]
    patched = views.rollout(owned(with_spec(migrating(), suspend=True), suspend="kubectl-patch:Update"))
    assert notes(patched, wishes.resume(patched)) == []


@pytest.mark.parametrize("spec", ["{}", '{"suspend": false}'])
def test_what_the_api_server_filled_in_for_kubectl_apply_is_in_no_manifest(spec: str) -> None:
    document = owned(with_spec(migrating(), suspend=False), suspend="kubectl-client-side-apply:Update")
    document["metadata"]["annotations"] = {LAST_APPLIED: f'{{"spec": {spec}}}'}
    view = views.rollout(document)
    told = "spec.suspend is in a manifest too, applied by kubectl-client-side-apply: set it to true there, or it "
    assert notes(view, wishes.pause(view)) == ([f"{told}comes back"] if spec != "{}" else [])


def test_phases_in_front_of_what_was_taken_back_can_be_taken_back_too() -> None:
    view = rollout_view(reverted_in_its_second_phase())
    assert (view.status.reason, view.status.started_phases) == ("Reverted", ("a",))
    with pytest.raises(Problem, match="a stands: add --to RolloutStart"):
        wishes.revert(view)
    assert wishes.revert(view, RevertTo.ROLLOUT_START).put == {"intent": "Revert", "revertTo": "RolloutStart"}
    offered = [action.line for action in of_rollout(view, START)]
    assert offered == [
        "kubectl firelift dead-letters users -n demo",
        "kubectl firelift retry users -n demo",
        "kubectl firelift revert users -n demo --to RolloutStart",
    ]


def reverted_in_its_second_phase() -> World:
    judged = gate(ledger={"metric": "deadLetters"}, limit={"max": "0"})
    del judged["cloudMonitoring"]
    one = world(phase("a", migrate(1)), {**phase("b", migrate(2), soak(600)), "gates": [judged]})
    one.totals = lambda plan: Totals(read=100, created=100, dead_letters=1 if ".b." in plan.id else 0)
    one.until("Reverted")
    return one


def failed() -> World:
    one = world(phase("a", migrate(1), soak(600)), gates=[gate(onFailure="Pause")])
    one.measure = lambda _gate, _end: 0.9
    one.until("GateFailed")
    return one


def test_a_retry_raises_the_attempt() -> None:
    view = rollout_view(failed())
    assert wishes.retry(view) == Wish("attempt 2", put={"attempt": 2})


def test_a_retry_of_what_is_paused_says_that_it_stays_so() -> None:
    view = views.rollout(with_spec(failed(), suspend=True))
    assert wishes.retry(view) == Wish("attempt 2, still paused", put={"attempt": 2})


def test_a_retry_takes_the_intent_away_in_the_same_edit() -> None:
    one = migrating()
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
    wish = wishes.retry(rollout_view(one))
    assert wish.put == {"attempt": 2}
    assert wish.drop == {"intent", "revertTo"}


def completed() -> World:
    one = world(phase("a", migrate(1)))
    one.until("Completed")
    return one


def reverted() -> World:
    one = migrating()
    one.edit(intent="Revert")
    one.until("Reverted")
    return one


def reverting() -> World:
    one = migrating()
    one.edit(intent="Revert")
    one.turn()
    return one


@pytest.mark.parametrize(
    ("one", "wish", "words"),
    [
        (completed, wishes.pause, "is Completed: there is nothing to pause"),
        (completed, wishes.abort, "is Completed: there is nothing to abort"),
        (reverted, wishes.abort, "is Reverted: there is nothing to abort"),
        (reverted, wishes.revert, "is Reverted: there is nothing to revert"),
        (reverting, wishes.abort, "was asked to revert"),
        (migrating, wishes.resume, "is not paused, but Migrating"),
        (migrating, wishes.retry, "is Migrating: there is nothing to retry"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_state(one: Any, wish: Any, words: str) -> None:
    with pytest.raises(Problem) as refused:
        wish(rollout_view(one()))
    assert words in refused.value.message
    assert refused.value.exit_code is Exit.REFUSED


def test_an_environment_is_paused_resumed_and_retried_but_not_reverted() -> None:
    made = ground_world()
    made.settle()
    view: AnyView = environment_view(made)
    assert wishes.pause(view).put == {"suspend": True}
    with pytest.raises(Problem, match="nothing to revert"):
        wishes.revert(view)
    rejected = {**view.document["status"], "conditions": [{**_STALLED}]}
    assert wishes.retry(views.environment({**view.document, "status": rejected})).put == {"attempt": 2}


_STALLED = {
    "type": "Stalled",
    "status": "True",
    "reason": "Rejected",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def test_an_approval_is_bound_to_what_is_shown() -> None:
    one = world(phase("a", {"approve": {}}, migrate(1)))
    one.counts = {"logs": 1200}
    one.until("AwaitingApproval")
    view = rollout_view(one)
    page = shown(*approvals.shown(view, Choice(ApprovalDecision.APPROVE), one.now))
    assert view.status.approval is not None
    assert view.status.approval.digest in page
    assert "documents" in page
    made = approvals.manifest(view, Choice(ApprovalDecision.APPROVE, "looks good"), "ada", one.now)
    assert made["spec"]["digest"] == view.status.approval.digest
    spec = ApprovalSpec.model_validate(made["spec"])
    assert (spec.approver, spec.comment) == ("ada", "looks good")


def test_an_override_ends() -> None:
    choice = Choice(ApprovalDecision.OVERRIDE, gate="error-rate", lasts=timedelta(hours=1))
    spec = ApprovalSpec.model_validate(approvals.manifest(rollout_view(failed()), choice, "ada", START)["spec"])
    assert spec.expires_time == START + timedelta(hours=1)
    assert spec.gate == "error-rate"


def test_an_approval_of_what_asks_for_nothing_is_refused() -> None:
    with pytest.raises(Problem, match="asks for no decision: it is Completed"):
        approvals.digest_of(rollout_view(completed()))
    with pytest.raises(Problem, match="asks for no decision"):
        approvals.digest_of(rollout_view(unplanned(phase("a", migrate(1)))))


def losing() -> AnyView:
    """An environment whose plan makes a TTL under which documents have expired."""
    made = ground_world(terraform={"apply": "Auto"})
    made.settle(seconds=20)
    made.fields = FieldSeen({"timestamp": 3}, expired=3)
    made.edit(ttls={"old": {"collection": "telemetry", "path": "expireAt"}})
    made.settle()
    return environment_view(made)


def test_a_plan_that_can_lose_data_is_approved_by_name() -> None:
    view = losing()
    with pytest.raises(Problem) as refused:
        approvals.check(view, Choice(ApprovalDecision.APPROVE))
    address = ttl_address("old")
    assert f"--loses '{address}'" in refused.value.message
    approvals.check(view, Choice(ApprovalDecision.APPROVE, loses=(address,)))
    approvals.check(view, Choice(ApprovalDecision.REJECT))
    spec = approvals.manifest(view, Choice(ApprovalDecision.APPROVE, loses=(address,)), "ada", GROUND_START)["spec"]
    assert ApprovalSpec.model_validate(spec).loses == (address,)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(ApprovalDecision.SKIP), "approved or rejected, not Skip"),
        (Choice(ApprovalDecision.APPROVE, loses=("google_x.y",)), "nothing of this plan loses data at google_x.y"),
    ],
)
def test_what_the_operator_would_not_heed_is_refused(choice: Choice, words: str) -> None:
    with pytest.raises(Problem, match=words):
        approvals.check(losing(), choice)


def test_what_is_lost_by_an_environment_is_nothing_to_a_rollout() -> None:
    with pytest.raises(Problem, match="are of environments"):
        approvals.check(rollout_view(failed()), Choice(ApprovalDecision.APPROVE, loses=("a",)))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("7d", 604_800), ("365d", 31_536_000)]
)
def test_a_duration_is_read_as_kubectl_reads_one(text: str, seconds: int) -> None:
    assert DurationType().convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "0s", "-1h", "1w", "366d", "h", "1h 5m", "9" * 400 + "d"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="must be a duration"):
        DurationType().convert(text, None, None)


EXPORT = "gs://shop-backups/firestore/monday"


def restoring() -> AnyView:
    restore = {"restore": {"export": EXPORT, "collections": ["logs"]}, "irreversible": True}
    one = world(phase("a", restore, migrate(1)))
    one.until("AwaitingApproval")
    return rollout_view(one)


def test_a_restore_is_approved_by_the_name_of_its_export() -> None:
    view = restoring()
    with pytest.raises(Problem, match=f"--restores '{EXPORT}'"):
        approvals.check(view, Choice(ApprovalDecision.APPROVE))
    choice = Choice(ApprovalDecision.APPROVE, restores=EXPORT)
    approvals.check(view, choice)
    approvals.check(view, Choice(ApprovalDecision.REJECT))
    assert ApprovalSpec.model_validate(approvals.manifest(view, choice, "ada", START)["spec"]).restores == EXPORT
    assert isinstance(view, RolloutView)
    page = shown(*explanation(view, START))
    assert f"kubectl firelift approve users -n demo --restores {EXPORT}" in page


def test_an_export_is_nothing_to_a_step_that_brings_none_back() -> None:
    for view in (rollout_view(failed()), losing()):
        with pytest.raises(Problem, match="--restores is"):
            approvals.check(view, Choice(ApprovalDecision.APPROVE, restores=EXPORT))


def test_what_is_done_is_not_shown_as_still_to_come() -> None:
    one = world(phase("a", migrate(1)), phase("b", {"approve": {}}, migrate(100)))
    one.until("AwaitingApproval")
    assert one.status is not None
    assert one.status.plan is not None
    assert {each.name for each in one.status.plan.phases} == {"a", "b"}
    rows = approvals.to_come(rollout_view(one)).rows
    assert [row.label for row in rows] == ["b", "worker image"]
