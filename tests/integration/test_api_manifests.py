"""What the API server takes, what it refuses, and in which words."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.api_objects import ApiObjects
from tests.manifests import REMOVE, approval, rollout
from tests.wrong_manifests import WRONG_APPROVALS, WRONG_ROLLOUTS, Wrong

from firelift.api.approval import ApprovalSpec
from firelift.api.rollout import RolloutSpec
from firelift.sandbox.demo import manifests as demo
from firelift.sandbox.sandbox import Sandbox

_QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[ApiObjects]:
    sandbox.install_crds()
    sandbox.kubectl("create", "namespace", "manifests")
    yield ApiObjects(sandbox, "manifests")
    sandbox.kubectl("delete", "namespace", "manifests", "--wait=false")


@pytest.fixture(scope="module")
def created(api: ApiObjects) -> dict[str, object]:
    return api.create(rollout(name="created"))


@pytest.mark.parametrize("wrong", WRONG_ROLLOUTS)
def test_a_wrong_rollout_is_refused_with_its_sentence(api: ApiObjects, wrong: Wrong) -> None:
    assert wrong.sentence in (api.refusal_of(rollout(*wrong.edits)) or "accepted")


@pytest.mark.parametrize("wrong", WRONG_APPROVALS)
def test_a_wrong_approval_is_refused_with_its_sentence(api: ApiObjects, wrong: Wrong) -> None:
    assert wrong.sentence in (api.refusal_of(approval(*wrong.edits)) or "accepted")


def test_a_rule_never_fails_to_be_judged(api: ApiObjects) -> None:
    answers = [api.refusal_of(rollout(*row.values[0].edits)) or "" for row in WRONG_ROLLOUTS]
    assert [answer for answer in answers if "evaluating rule" in answer or "no such" in answer] == []


@pytest.mark.parametrize(
    "manifest",
    [
        rollout(),
        rollout(("spec.phases.0.steps.4", REMOVE), ("spec.phases.1.steps.4.soak.evidence", "None"), ("spec.gates", [])),
        rollout(
            ("spec.migrations.0.target.document", "a/{entity}/b/x-{doc.`odd.name`}"),
            ("spec.migrations.0.reverse.document", "fitness_logs/{doc.`odd.name`}"),
        ),
        rollout(("spec.phases.0.steps.1.migrate.cohort", {"ids": ["ada", "grace"]})),
        rollout(("spec.phases.0.steps.0.onRevert", "Keep"), ("spec.phases.0.steps.0.timeoutSeconds", 61)),
        rollout(("spec.intent", "Revert"), ("spec.revertTo", "RolloutStart")),
        rollout(("spec.migrations.1.appliesWhen", "true"), ("spec.migrations.1.marker", {"field": "v", "value": "2"})),
        demo.logs_to_users() | {"metadata": {"name": demo.LOGS}},
        demo.tasks_reshaped() | {"metadata": {"name": demo.TASKS}},
        rollout(
            ("spec.requires", {"backup": {"maxAgeSeconds": 86_400, "minBytes": 1_000_000}}),
            ("spec.phases.0.steps.4", {"backup": {"maxAgeSeconds": 86_400}}),
            ("spec.phases.1.steps.4", {"backup": {"export": {"bucket": "gs://shop-backups/daily"}}}),
        ),
        rollout(
            (
                "spec.phases.0.steps.0",
                {"restore": {"export": "gs://shop-backups/a/1-b-c", "collections": ["logs"]}, "irreversible": True},
            )
        ),
        approval(),
        approval(("spec.restores", "gs://shop-backups/a/1-b-c")),
        approval(("spec.decision", "Override"), ("spec.gate", "errors"), ("spec.expiresTime", "2030-01-01T00:00:00Z")),
    ],
)
def test_a_right_manifest_is_accepted_as_it_is_offline(api: ApiObjects, manifest: dict[str, object]) -> None:
    assert api.refusal_of(manifest) is None
    model = RolloutSpec if manifest["kind"] == "MigrationRollout" else ApprovalSpec
    assert model.model_validate(manifest["spec"]) is not None


def test_the_api_server_fills_in_the_defaults_of_the_models(created: dict[str, object]) -> None:
    ours = RolloutSpec.model_validate(rollout()["spec"]).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert created["spec"] == ours


def test_a_new_rollout_is_in_progress_before_the_operator_has_seen_it(
    api: ApiObjects, created: dict[str, object]
) -> None:
    status = api.get(created)["status"]
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Ready": "Unknown",
        "Reconciling": "True",
    }
    assert status["reason"] == "NotObserved"


def test_a_pipeline_does_not_take_a_new_rollout_for_succeeded(api: ApiObjects, created: dict[str, object]) -> None:
    types = {condition["type"] for condition in api.get(created)["status"]["conditions"]}
    assert types & {"Stalled", "Succeeded"} == set()


def test_a_status_of_the_operator_takes_the_place_of_the_default(api: ApiObjects) -> None:
    manifest = rollout(name="observed")
    api.create(manifest)
    condition = {"reason": "Migrating", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    wanted = [
        {"type": kind, "status": "False", **condition} for kind in ("Ready", "Reconciling", "Stalled", "Succeeded")
    ]
    manifest_with_status = {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {"name": "observed", "namespace": "manifests"},
        "status": {"observedGeneration": 1, "reason": "Migrating", "conditions": wanted},
    }
    api.kubectl(
        "apply",
        "--server-side",
        "--subresource=status",
        "--field-manager=firelift",
        "-f",
        "-",
        stdin=json.dumps(manifest_with_status),
    )
    status = api.get(manifest)["status"]
    assert status["conditions"] == wanted
    assert status["reason"] == "Migrating"


def test_a_status_that_a_user_writes_into_the_manifest_is_ignored(api: ApiObjects) -> None:
    manifest = {**rollout(name="claims"), "status": {"phase": "everyone"}}
    api.create(manifest)
    assert "phase" not in api.get(manifest)["status"]


def test_applying_the_same_manifest_again_changes_nothing(api: ApiObjects) -> None:
    text = json.dumps({**rollout(name="applied"), "metadata": {"name": "applied", "namespace": "manifests"}})
    versions = [
        api.kubectl(
            "apply",
            "--server-side",
            "-f",
            "-",
            "-o",
            "jsonpath={.metadata.resourceVersion} {.metadata.generation}",
            stdin=text,
        )
        for _ in range(3)
    ]
    assert versions[1] == versions[2], "the first change of an object stores its default status, and no more"
    assert {version.split()[1] for version in versions} == {"1"}


def test_all_of_firelift_is_one_category(api: ApiObjects, created: dict[str, object]) -> None:
    assert created["kind"] == "MigrationRollout"
    names = api.kubectl("api-resources", "--categories=migrations", "-o", "name").split()
    assert names == [
        "firestoreenvironments.firelift.dev",
        "migrationapprovals.firelift.dev",
        "migrationrollouts.firelift.dev",
    ]


def test_kubectl_get_prints_what_on_call_reads(api: ApiObjects, created: dict[str, object]) -> None:
    api.set_status(created, {"phase": "one-percent", "step": "migrate", "progress": "41%", "gatesSummary": "2/2"})
    lines = api.kubectl("get", "mroll", "created", "--namespace=manifests").splitlines()
    assert lines[0].split() == ["NAME", "PHASE", "STEP", "PROGRESS", "GATES", "READY", "REASON", "AGE"]
    assert lines[1].split()[:7] == ["created", "one-percent", "migrate", "41%", "2/2", "Unknown", "NotObserved"]
    wide = api.kubectl("get", "mroll", "created", "--namespace=manifests", "-o", "wide").splitlines()[0].split()
    assert wide[-4:] == ["MESSAGE", "RATE", "PACE", "REVERTIBLE-UNTIL"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("mroll.spec.attempt", "May only rise"),
        ("mroll.spec.gates.freshnessSeconds", "newest point"),
        ("mroll.spec.phases.steps.flags.publishCohort", "Percents by their keys"),
        ("mroll.status.conditions", "metav1.Condition"),
        ("mapproval.spec.digest", "status.approval.digest"),
    ],
)
def test_kubectl_explain_tells_what_a_field_means(api: ApiObjects, field: str, words: str) -> None:
    assert words in " ".join(api.kubectl("explain", field).split())


@pytest.mark.parametrize("name", ["app-flags.yaml", "rollout.yaml", "approval.yaml"])
def test_the_quickstart_is_accepted(api: ApiObjects, name: str) -> None:
    text = (_QUICKSTART / name).read_text(encoding="utf-8").replace("you@example.com", "sandbox-admin")
    made = api.kubectl("create", "--namespace=manifests", "--dry-run=server", "-o", "name", "-f", "-", stdin=text)
    assert yaml.safe_load(text)["kind"].lower() in made
