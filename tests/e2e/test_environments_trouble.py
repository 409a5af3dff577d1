"""What stands in an environment's way: things that exist, fields without times, locks, Secrets out of reach."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from tests.e2e.conftest import Operators
from tests.e2e.ground import COMPOSITE, INDEX, Ground
from tests.terraform.mirrors import started, telling_mirror

from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.provider import ensure_provider_mirror


def test_an_index_that_exists_is_taken_over(ground: Ground) -> None:
    ground.ready(indexes={})
    existing = ground.create_index("telemetry", {"tenant_id": "ASCENDING", "timestamp_ms": "DESCENDING"})
    ground.patch(indexes={"composite": COMPOSITE}, terraform={"apply": "Auto"})
    ready = ground.until(lambda status: status["reason"] == "Ready" and status["indexes"], "Ready with its index")
    assert ground.indexes() == [existing]
    assert ready["indexes"][0]["id"] == existing.rpartition("/")[2]


def test_a_new_ttl_is_refused_where_no_times_are_and_names_what_it_deletes(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", ground.sandbox.firestore_host)
    database = firestore.Client(ground.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # the official client is typed only in part
    database.document("telemetry/a").set({"expireAt": 1_700_000_000_000})
    ground.ready(ttls={}, terraform={"apply": "Auto"})
    ground.patch(ttls={"telemetry": {"collection": "telemetry", "path": "expireAt"}})
    refused = ground.until_reason("UnsafeTTL")
    assert "1 integer" in refused["message"]
    assert "telemetry/a" in refused["message"]
    database.document("telemetry/a").set({"expireAt": datetime.now(UTC) - timedelta(days=1)})
    ground.patch(attempt=2)
    asked = ground.until_reason("AwaitingApproval", seconds=90)
    (lost,) = [change for change in asked["plan"]["changes"] if change["canLoseData"]]
    assert lost["address"] == 'google_firestore_field.ttl["telemetry"]'
    assert "deletes 1 documents at once" in lost["sentence"]
    ground.decide(asked["plan"]["digest"])
    ground.until(lambda status: "does not name" in status["message"], "what the approval lacks")
    ground.approve()
    assert ground.until_reason("Ready")["ttlsSummary"] == "1/1"


def test_a_lock_that_killed_processes_leave_is_released(ground: Ground, operator: Operators) -> None:
    ground.apply(ground.manifest())
    ground.until_reason("AwaitingApproval")
    ground.slow(1500)
    ground.approve()
    ground.until_reason("Applying")
    ground.until_fact(ground.locked, "the state is locked")
    # All at once, as when their machine goes: an operator that lives would wait for the lock's release, and so would
    # the guard of one that is gone.
    operator.current.pause()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in ground.terraforms():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    operator.kill()
    ground.until_fact(lambda: not ground.terraforms(), "nothing of it is left")
    assert ground.locked()
    ground.heal()
    operator.start()
    ground.until_reason("AwaitingApproval", "Ready", seconds=200)
    assert not ground.locked()
    if ground.status()["reason"] != "Ready":
        ground.approve()
        ground.until_reason("Ready")
    assert len(ground.indexes()) == 1


def test_a_secret_is_read_once_the_operator_may_and_shown_nowhere(ground: Ground) -> None:
    ground.sandbox.kubectl(
        "create", "secret", "generic", "app", "-n", ground.namespace, "--from-literal=key=5up3rs3cr3t"
    )
    ground.apply(ground.manifest(secrets={"api-key": {"valueFrom": {"name": "app", "key": "key"}, "version": 1}}))
    told = ground.until_reason("InputMissing")
    assert "firelift-environment-secrets" in told["message"]
    ground.bind_secrets()
    ground.approve()
    ground.until_reason("Ready")
    assert ground.secret_value("api-key") == "5up3rs3cr3t"
    everything = ground.sandbox.kubectl("get", "fsenv,configmaps,events", "-n", ground.namespace, "-o", "yaml")
    assert INDEX in everything
    assert "5up3rs3cr3t" not in everything


def test_what_cannot_be_shown_is_said_and_keeps_nothing_from_its_work(ground: Ground) -> None:
    forbid_config_map(ground, "prod-plan")
    ground.apply(ground.manifest())
    told = ground.until(lambda status: "prod-plan could not be written" in status.get("message", ""), "it is said")
    assert "not in this namespace" in told["message"]
    ground.approve()
    ground.until_reason("Ready")


def forbid_config_map(ground: Ground, name: str) -> None:
    """Let an admission policy of the cluster refuse this ConfigMap, and wait until it does."""
    own = f"{ground.namespace}-{name}"
    space = {"matchLabels": {"kubernetes.io/metadata.name": ground.namespace}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    refused = [{"expression": f"object.metadata.name != '{name}'", "message": "not in this namespace"}]
    policy = {"matchConstraints": {"namespaceSelector": space, "resourceRules": [rule]}, "validations": refused}
    for kind, spec in (
        ("ValidatingAdmissionPolicy", policy),
        ("ValidatingAdmissionPolicyBinding", {"policyName": own, "validationActions": ["Deny"]}),
    ):
        manifest = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": own}}
        ground.sandbox.kubectl("apply", "-f", "-", stdin=json.dumps({**manifest, "spec": spec}))

    def refuses() -> bool:
        try:
            ground.sandbox.kubectl("create", "configmap", name, "-n", ground.namespace, "--dry-run=server")
        except KubectlError as error:
            return "not in this namespace" in str(error)
        return False

    ground.until_fact(refuses, "the policy is in force")


def test_a_destroy_whose_credentials_went_runs_nothing_and_says_how_to_let_go(ground: Ground) -> None:
    ground.bind_secrets()
    secret = ("create", "secret", "generic", "google", "-n", ground.namespace)
    ground.sandbox.kubectl(*secret, "--from-literal=access_token=ya29.own")
    credentials = {"credentials": {"secretName": "google"}}
    ground.ready(indexes={}, ttls={}, terraform={**credentials, "apply": "Auto", "deletionPolicy": "Destroy"})
    ground.sandbox.kubectl("delete", "secret", "google", "-n", ground.namespace)
    ground.delete()
    told = ground.until_reason("InputMissing")
    assert "of Secret google (`terraform.credentials`)" in told["message"]
    assert ground.terraforms() == []
    ground.patch(terraform={"deletionPolicy": "Retain"})
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert len(ground.databases()) == 1


def test_sensitive_outputs_are_in_a_secret_once_the_operator_may_and_shown_nowhere_else(ground: Ground) -> None:
    account = {"app": {"displayName": "App", "roles": ["roles/datastore.user"]}}
    email = f"app-reader@{ground.project}.iam.gserviceaccount.com"
    spec = {"access": {"accounts": {"app-reader": account["app"]}}, "indexes": {}, "ttls": {}}
    ground.ready(**spec, terraform={"apply": "Auto"})
    ground.until_fact(lambda: email in ground.config_map("prod-outputs").get("accounts", ""), "it is published")
    ground.patch(terraform={"sensitiveOutputs": ["accounts"]})
    ground.until(lambda status: "firelift-environment-secrets" in status["message"], "what the operator lacks")
    assert "accounts" not in ground.config_map("prod-outputs")
    ground.bind_secrets()
    ground.until_fact(lambda: email in ground.secret("prod-outputs").get("accounts", ""), "it is in the Secret")
    assert ground.status()["outputs"] == {"configMap": "prod-outputs", "secret": "prod-outputs"}
    everything = ground.sandbox.kubectl("get", "configmaps,events", "-n", ground.namespace, "-o", "yaml")
    assert "indexes" in everything
    assert email not in everything
    ground.patch(terraform={"sensitiveOutputs": []})
    ground.until_fact(lambda: "accounts" in ground.config_map("prod-outputs"), "it is plain again")
    ground.until_fact(lambda: ground.secret("prod-outputs") == {}, "the Secret holds it no more")


def test_the_operator_of_the_sandbox_runs_the_provider_of_the_mirror_that_is_named(
    ground: Ground, operator: Operators, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = telling_mirror(tmp_path, ensure_provider_mirror(), "7.44.0", packed=True)
    operator.kill()
    with monkeypatch.context() as named:
        named.setenv("FIRELIFT_PROVIDER_MIRROR", str(mirror))
        # A process beside the cluster: a pod does not have the environment of the tests.
        process = ground.sandbox.start_operator("operator-of-the-mirror")
    try:
        ground.apply(ground.manifest(indexes={}, ttls={}))
        ground.until_reason("AwaitingApproval")
    finally:
        process.kill()
    assert started(mirror)
