"""Every reason is explained, and what can be done about it can be pasted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cli_scene import commands_in, environment_view, parse, rollout_document, rollout_view, shown
from tests.environment_world import START as GROUND_START
from tests.environment_world import world as ground_world
from tests.rollout_specs import APPROVE, VERIFY, gate, migrate, phase, soak
from tests.rollout_world import STAGING, START, World, completed, unplanned, world

from firelift.api.conditions import Reason, conditions_of
from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.measurement import Measurement
from firelift.api.run import RunKind, Totals
from firelift.cli import lanes, rollout_sections, views
from firelift.cli.explaining import explanation
from firelift.cli.explanations import ENVIRONMENTS, ROLLOUTS, Mover
from firelift.cli.reports import environment_report, rollout_report
from firelift.cli.views import NOT_OBSERVED, RolloutView

FLAGS = ("--context", "prod")


def saying(reason: str) -> RolloutView:
    """A rollout in mid-phase whose status says this reason."""
    one = world(phase("a", migrate(1), VERIFY), phase("b", migrate(100)), gates=[gate()])
    one.until("Migrating")
    document = rollout_document(one)
    said = {kind.value: status.value for kind, status in conditions_of(Reason(reason)).items()}
    for condition in document["status"]["conditions"]:
        condition["status"] = said[condition["type"]]
    document["status"]["reason"] = reason
    return views.rollout(document)


def test_every_reason_of_a_rollout_is_explained_and_no_other() -> None:
    assert set(ROLLOUTS) == {*Reason, NOT_OBSERVED}


def test_every_reason_of_an_environment_is_explained_and_no_other() -> None:
    assert set(ENVIRONMENTS) == {*EnvironmentReason, NOT_OBSERVED}


@pytest.mark.parametrize("found", [*ROLLOUTS.values(), *ENVIRONMENTS.values()])
def test_an_explanation_says_what_lets_it_go_on(found: object) -> None:
    assert found.goes_on.startswith(("when ", "at "))  # type: ignore[attr-defined]
    assert not found.means.endswith(".")  # type: ignore[attr-defined]


@pytest.mark.parametrize("reason", list(Reason))
def test_what_can_be_done_about_every_reason_of_a_rollout_parses(reason: Reason) -> None:
    page = shown(*explanation(saying(reason), START, FLAGS))
    found = commands_in(page)
    for words in found:
        parse(words)
        assert words[-2:] == list(FLAGS) or "--context" in words
    assert found or reason is Reason.COMPLETED


@pytest.mark.parametrize("reason", [reason for reason, found in ROLLOUTS.items() if found.mover is Mover.PERSON])
def test_where_a_person_is_needed_there_is_a_command_for_it(reason: str) -> None:
    assert commands_in(shown(*explanation(saying(reason), START)))


@pytest.mark.parametrize("reason", [Reason.GATE_FAILED, Reason.REVERTED, Reason.SUSPENDED, Reason.MIGRATING])
def test_what_somebody_has_paused_says_so_and_is_resumed_first(reason: Reason) -> None:
    document = rollout_document(world(phase("a", migrate(1)), gates=[gate()]))
    status = {"reason": reason, "observedGeneration": 1, "startedPhases": ["a"]}
    told = {**document, "spec": {**document["spec"], "suspend": True}, "status": status}
    page = shown(*explanation(views.rollout(told), START))
    assert ("; paused, until it is resumed" in page) is (reason is not Reason.SUSPENDED)
    verbs = [words[2] for words in commands_in(page)]
    assert verbs[0] == "resume"
    assert "pause" not in verbs


def test_a_paused_environment_that_has_failed_is_resumed_first() -> None:
    one = ground_world()
    one.settle()
    document = environment_view(one).document
    told = {**document, "spec": {**document["spec"], "suspend": True}}
    told["status"] = {**document["status"], "reason": "ApplyFailed"}
    page = shown(*explanation(views.environment(told), GROUND_START))
    assert "; paused, until it is resumed" in page
    verbs = [words[2] for words in commands_in(page)]
    assert verbs[0] == "resume"
    assert "retry" in verbs
    assert "pause" not in verbs


def test_a_pause_in_mid_step_is_not_as_old_as_its_step() -> None:
    one = world(phase("a", migrate(1)), gates=[gate()])
    one.until("Migrating")
    one.pass_time(60)
    one.edit(suspend=True)
    one.until("Suspended")
    page = shown(rollout_sections.summary(rollout_view(one), one.now))
    assert "  State         Suspended\n" in page


def test_a_run_that_has_counted_nothing_yet_is_not_said_to_move_nothing() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    page = shown(rollout_sections.summary(rollout_view(one), one.now))
    assert "Progress      unknown: no run of this step has counted a document yet\n" in page


def test_what_was_taken_back_does_not_count_as_moved() -> None:
    one = world(phase("a", migrate(1), soak(600, evidence="None")))
    one.totals = lambda plan: Totals(read=100, created=100 if plan.kind is RunKind.MIGRATE else 0)
    one.until("Soaking")
    assert "Moved         100 documents\n" in shown(rollout_sections.summary(rollout_view(one), one.now))
    one.edit(intent="Revert")
    one.until("Reverted")
    assert "Moved         0 documents; 100 were taken back\n" in shown(
        rollout_sections.summary(rollout_view(one), one.now)
    )


@pytest.mark.parametrize("reason", list(EnvironmentReason))
def test_what_can_be_done_about_every_reason_of_an_environment_parses(reason: EnvironmentReason) -> None:
    one = ground_world(ttls={"old": {"collection": "telemetry", "path": "expireAt"}})
    one.settle()
    view = environment_view(one)
    document = {**view.document, "status": {**view.document["status"], "reason": reason.value}}
    asked = views.environment(document)
    for sections in (explanation(asked, GROUND_START), environment_report(asked, GROUND_START)):
        found = commands_in(shown(*sections))
        assert found
        for words in found:
            parse(words)


def test_a_reason_of_a_newer_operator_is_said_to_be_unknown() -> None:
    document = rollout_document(world(phase("a", migrate(1)))) | {
        "status": {"reason": "Teleporting", "shape": {"x": 1}}
    }
    assert "unknown: this version of the plugin does not know the reason" in shown(
        *explanation(views.rollout(document), START)
    )


def test_a_failed_gate_is_explained_with_both_numbers_and_the_gate_can_be_silenced() -> None:
    one = world(phase("a", migrate(1), soak(600)), gates=[gate(onFailure="Pause")])
    one.measure = lambda _gate, _end: 0.9
    one.until("GateFailed")
    page = shown(*explanation(rollout_view(one), one.now))
    assert "90% > 0.1%" in page
    assert "kubectl firelift approve users -n demo --override error-rate --for 1h" in page
    assert "kubectl firelift approve users -n demo --skip" in page


def test_a_gate_without_data_is_explained_by_what_its_query_answered() -> None:
    absent = {"action": "Pause", "afterSeconds": 60}
    one = world(phase("a", migrate(1), soak(600)), gates=[gate(onNoData=absent)])
    one.measure = lambda _gate, _end: Measurement(None, 0, "1", "q", one.now, absent="no series matches")
    one.until("GateWithoutVerdict")
    page = shown(*explanation(rollout_view(one), one.now))
    assert "NoData: no series matches" in page
    assert "--override error-rate" in page


def test_an_approval_that_is_awaited_is_explained_with_its_digest_and_who_has_given_theirs() -> None:
    one = world(phase("a", {"approve": {"count": 2}}, migrate(1)))
    one.until("AwaitingApproval")
    one.approve()
    one.turn()
    page = shown(*explanation(rollout_view(one), one.now))
    assert one.status is not None
    assert one.status.approval is not None
    assert one.status.approval.digest in page
    assert "Approved by  ada" in page
    assert "kubectl firelift approve users -n demo\n" in page


def test_a_state_lasts_no_longer_than_the_step_that_it_is_in() -> None:
    one = world(phase("a", migrate(1), VERIFY), phase("b", APPROVE, migrate(100)))
    one.until(Reason.AWAITING_APPROVAL)
    view = rollout_view(one)
    (asked,) = [step.start_time for step in view.status.phases[1].steps if step.name == "approve"]
    assert asked is not None
    assert max(each.last_transition_time for each in view.status.conditions) < asked
    assert "AwaitingApproval for 30s" in shown(*explanation(view, asked + timedelta(seconds=30)))


def test_a_lock_of_another_rollout_is_named() -> None:
    one = world(phase("a", migrate(1)))
    one.locks["logs"] = "shop.tasks"
    one.until("WaitingForLock", turns=3)
    one.turn()
    page = shown(*explanation(rollout_view(one), one.now))
    assert "shop.tasks" in page
    assert "others" in page


def test_a_rollout_that_is_required_is_named_and_can_be_asked() -> None:
    required = {"rollouts": [{"name": "users", "namespace": "staging"}]}
    one = unplanned(phase("a", migrate(100)), requires=required)
    one.rollouts = {STAGING: completed("Soaking")}
    one.until("WaitingForRollout")
    page = shown(*explanation(rollout_view(one), one.now))
    assert "MigrationRollout staging/users" in page
    assert "kubectl firelift explain users -n staging\n" in page


def at_its_second_phase() -> World:
    one = world(phase("a", migrate(1)), phase("b", APPROVE))
    one.until("AwaitingApproval")
    return one


def test_the_way_back_says_how_far_it_goes_and_what_stands() -> None:
    view = rollout_view(at_its_second_phase())
    page = shown(*rollout_report(view, START, lanes.section([])))
    assert "yes, while the rollout is not over: a is done, 0 documents" in page
    assert "a revert goes back to the start of the phase" in page


def test_the_way_back_of_a_completed_rollout_has_an_end() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Completed")
    view = rollout_view(one)
    open_page = shown(*rollout_report(view, one.now, lanes.section([])))
    assert "from now" in open_page
    assert "kubectl firelift revert users -n demo" in open_page
    later = shown(*rollout_report(view, one.now + timedelta(days=31), lanes.section([])))
    assert "closed since" in later
    assert commands_in(later) == []


def test_what_is_unknown_is_never_shown_as_none() -> None:
    view = rollout_view(unplanned(phase("a", migrate(1)), gates=[gate()]))
    page = shown(*rollout_report(view, START, lanes.section("jobs.batch is forbidden")))
    for label in ("State", "Message", "Phase", "Progress", "Moved", "Dead letters", "Open", "Conflicts"):
        line = next(line for line in page.splitlines() if line.strip().startswith(label))
        assert "unknown: " in line, line
    assert "unknown: the Jobs cannot be listed: jobs.batch is forbidden" in page
    assert "none" not in page.lower().split("what you can do")[0]


def test_an_environment_that_nobody_has_looked_at_is_unknown() -> None:
    one = ground_world()
    one.settle()
    document = {**environment_view(one).document, "status": {"reason": NOT_OBSERVED}}
    page = shown(*environment_report(views.environment(document), GROUND_START)).split("What you can do")[0]
    assert "none" not in page
    assert page.count("unknown: ") >= 5


def test_the_lanes_are_those_of_the_jobs() -> None:
    job = {
        "metadata": {"name": "users-1", "annotations": {"firelift.dev/run": "a1.a.migrate.logs.migrate.0"}},
        "spec": {"completions": 8, "parallelism": 2},
        "status": {"active": 2, "succeeded": 5, "failed": 1},
    }
    page = shown(*rollout_report(saying("Migrating"), START, lanes.section([job])))
    assert "a1.a.migrate.logs.migrate.0  ██████░░░░  5 of 8 shares done  2 pods at work  1 failed" in page


def test_gates_show_their_last_values_against_their_limit() -> None:
    one = world(phase("a", migrate(1), soak(600)), gates=[gate()])
    values = iter([0.0, 0.0002, 0.0005, 0.0009, 0.0010])
    one.measure = lambda _gate, _end: next(values, 0.0001)
    one.until("Soaking")
    for _ in range(30):
        one.turn()
        one.pass_time(10)
    page = shown(*rollout_report(rollout_view(one), one.now, lanes.section([])))
    line = next(line for line in page.splitlines() if line.strip().startswith("error-rate"))
    assert "Pass" in line
    assert "limit ≤ 0.1%" in line
    assert "▁▂▅" in line
    assert "100 samples" in line
