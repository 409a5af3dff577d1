"""What the API server takes of an environment, what it refuses, and in which words."""

from collections.abc import Iterator

import pytest
from tests.api_objects import ApiObjects
from tests.manifests import REMOVE, Edit, Manifest, approval, edited, environment
from tests.wrong_environments import FORBIDDEN_EDITS, WRONG_ENVIRONMENT_APPROVALS, WRONG_ENVIRONMENTS, Forbidden
from tests.wrong_manifests import Wrong

from firelift.api.approval import ApprovalSpec
from firelift.api.environment.spec import EnvironmentSpec
from firelift.sandbox.sandbox import Sandbox

_SMALLEST = (("spec", {"project": {"id": "productivityai-mvp"}, "database": {"location": "nam5"}}),)


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[ApiObjects]:
    sandbox.install_crds()
    sandbox.kubectl("create", "namespace", "environments")
    yield ApiObjects(sandbox, "environments")
    sandbox.kubectl("delete", "namespace", "environments", "--wait=false")


@pytest.fixture(scope="module")
def created(api: ApiObjects) -> Manifest:
    return api.create(environment(("spec.attempt", 2), name="created"))


@pytest.mark.parametrize("wrong", WRONG_ENVIRONMENTS)
def test_a_wrong_environment_is_refused_with_its_sentence(api: ApiObjects, wrong: Wrong) -> None:
    assert wrong.sentence in (api.refusal_of(environment(*wrong.edits)) or "accepted")


@pytest.mark.parametrize("wrong", WRONG_ENVIRONMENT_APPROVALS)
def test_a_wrong_approval_of_an_environment_is_refused_with_its_sentence(api: ApiObjects, wrong: Wrong) -> None:
    assert wrong.sentence in (api.refusal_of(approval(*wrong.edits)) or "accepted")


def test_a_rule_of_an_environment_never_fails_to_be_judged(api: ApiObjects) -> None:
    answers = [api.refusal_of(environment(*row.values[0].edits)) or "" for row in WRONG_ENVIRONMENTS]
    assert [answer for answer in answers if "evaluating rule" in answer or "no such" in answer] == []


@pytest.mark.parametrize("forbidden", FORBIDDEN_EDITS)
def test_a_forbidden_edit_of_an_environment_is_refused_with_its_sentence(
    api: ApiObjects, created: Manifest, forbidden: Forbidden
) -> None:
    assert forbidden.sentence in (api.refusal_of_change(edited(created, *forbidden.edits)) or "accepted")


@pytest.mark.parametrize(
    "edits",
    [
        (("spec.attempt", 3),),
        (("spec.suspend", True),),
        (("spec.project.create", REMOVE), ("spec.project.labels", REMOVE), ("spec.project.budgets", REMOVE)),
        (("spec.database.deleteProtection", False), ("spec.database.pointInTimeRecovery", False)),
        (("spec.database.adopt", True),),
        (("spec.terraform.apply", "Auto"), ("spec.terraform.deletionPolicy", "Destroy")),
        (("spec.ttls", {}), ("spec.indexes", {})),
    ],
)
def test_an_edit_of_an_environment_that_can_be_planned_is_accepted(
    api: ApiObjects, created: Manifest, edits: tuple[Edit, ...]
) -> None:
    assert api.refusal_of_change(edited(created, *edits)) is None


@pytest.mark.parametrize(
    "manifest",
    [
        environment(),
        environment(*_SMALLEST),
        environment(("spec.terraform", {"backend": {"gcs": {"bucket": "states", "prefix": "a/b"}}})),
        environment(("spec.indexes.composite.nearest", {
            "collection": "notes", "scope": "COLLECTION_GROUP",
            "fields": [{"path": "owner", "order": "ASCENDING"}, {"path": "embedding", "vector": {"dimension": 768}}],
        })),
        environment(("spec.indexes.fields.tags", {
            "collection": "notes", "path": "tags",
            "indexes": [{"arrayConfig": "CONTAINS", "scope": "COLLECTION_GROUP"}, {"order": "ASCENDING"}],
        })),
        approval(
            ("spec.target", {"kind": "FirestoreEnvironment", "name": "right"}),
            ("spec.loses", ['google_firestore_field.ttl["telemetry"]']),
            ("spec.duringRollouts", True),
        ),
        approval(("spec.target.kind", "FirestoreEnvironment"), ("spec.decision", "Reject")),
    ],
)  # fmt: skip
def test_a_right_environment_is_accepted_as_it_is_offline(api: ApiObjects, manifest: Manifest) -> None:
    assert api.refusal_of(manifest) is None
    model = EnvironmentSpec if manifest["kind"] == "FirestoreEnvironment" else ApprovalSpec
    assert model.model_validate(manifest["spec"]) is not None


@pytest.mark.parametrize("edits", [(), _SMALLEST])
def test_the_api_server_fills_in_the_defaults_of_an_environment(api: ApiObjects, edits: tuple[Edit, ...]) -> None:
    name = "filled" if edits else "whole"
    ours = EnvironmentSpec.model_validate(environment(*edits)["spec"])
    made = api.create(environment(*edits, name=name))
    assert made["spec"] == ours.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_a_new_environment_is_not_ready_before_the_operator_has_seen_it(api: ApiObjects, created: Manifest) -> None:
    status = api.get(created)["status"]
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Ready": "Unknown",
        "Reconciling": "True",
    }
    assert status["reason"] == "NotObserved"


def test_kubectl_get_prints_an_environment_as_on_call_reads_it(api: ApiObjects, created: Manifest) -> None:
    summary = {"planSummary": "+3 ~1 -0", "indexesSummary": "8/9 building", "ttlsSummary": "2/2", "driftSummary": "no"}
    api.set_status(created, {**summary, "reason": "AwaitingApproval"})
    lines = api.kubectl("get", "fsenv", "created", "--namespace=environments").splitlines()
    assert lines[0].split() == ["NAME", "DATABASE", "PLAN", "INDEXES", "TTLS", "DRIFT", "READY", "REASON", "AGE"]
    words = ["created", "(default)", "+3", "~1", "-0", "8/9", "building", "2/2", "no", "Unknown", "AwaitingApproval"]
    assert lines[1].split()[:11] == words


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("fsenv.spec.ttls.path", "A field that holds timestamps"),
        ("fsenv.spec.terraform.backend.kubernetes.namespace", "the operator's own"),
        ("fsenv.status.plan.changes.canLoseData", "must name this address"),
        ("mapproval.spec.loses", "every address that can lose data"),
    ],
)
def test_kubectl_explain_tells_what_a_field_of_an_environment_means(api: ApiObjects, field: str, words: str) -> None:
    assert words in " ".join(api.kubectl("explain", field).split())
