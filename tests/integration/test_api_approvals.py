"""Who may approve: the author of an approval cannot be forged, and RBAC says who may decide on what."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.manifests import approval, rollout
from tests.waiting import eventually

from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.sandbox import Sandbox

_NAMESPACE = "approvals"


class Decide(Protocol):
    """What is answered to an approval of a target, by a user in the name of an approver."""

    def __call__(self, user: str, approver: str, target: str = "right", kind: str = "MigrationRollout") -> str:
        """Ask."""
        ...


@pytest.fixture(scope="module")
def decide(sandbox: Sandbox) -> Iterator[Decide]:
    """Create approvals as a user in the name of an approver; what is answered, and nothing is stored."""
    sandbox.install_crds()
    sandbox.install_manifests()
    sandbox.kubectl("create", "namespace", _NAMESPACE)
    sandbox.kubectl("create", "--namespace", _NAMESPACE, "-f", "-", stdin=json.dumps(rollout()))
    users = {name: sandbox.control_plane.client_kubeconfig(f"approvals-{name}", name) for name in ("ada", "eve", "bob")}
    _bind(sandbox, "ada", "clusterrole=firelift-approver")
    _bind(sandbox, "eve", "clusterrole=edit")
    sandbox.kubectl(
        *("create", "role", "approve-right", f"--namespace={_NAMESPACE}", "--verb=approve"),
        *("--resource=migrationrollouts.firelift.dev", "--resource-name=right"),
    )
    _bind(sandbox, "bob", "role=approve-right")
    _bind(sandbox, "bob", "clusterrole=edit")

    def decide(user: str, approver: str, target: str = "right", kind: str = "MigrationRollout") -> str:
        edits = ("spec.approver", approver), ("spec.target.name", target), ("spec.target.kind", kind)
        manifest = approval(*edits, name=f"{user}-{target}")
        return _create(sandbox, users[user], json.dumps(manifest))

    eventually(lambda: "spec.approver must be" in decide("ada", "eve"))  # a new policy is in force after a moment
    eventually(lambda: "(server dry run)" in decide("bob", "bob"))  # and so is a role that others join
    yield decide
    sandbox.kubectl("delete", "namespace", _NAMESPACE, "--wait=false")


def _bind(sandbox: Sandbox, user: str, role: str) -> None:
    name = f"{user}-{role.rpartition('=')[2]}"
    sandbox.kubectl("create", "rolebinding", name, f"--namespace={_NAMESPACE}", f"--user={user}", f"--{role}")


def _create(sandbox: Sandbox, kubeconfig: Path, text: str) -> str:
    try:
        return sandbox.kubectl(
            "create", f"--namespace={_NAMESPACE}", "--dry-run=server", "-f", "-", stdin=text, kubeconfig=kubeconfig
        )
    except KubectlError as refused:
        return str(refused)


def test_an_approver_approves_in_their_own_name(decide: Decide) -> None:
    assert "created (server dry run)" in decide("ada", "ada", "right")


def test_nobody_approves_in_the_name_of_another(decide: Decide) -> None:
    refusal = decide("ada", "bob", "right")
    assert "spec.approver must be who creates the approval: it is bob, you are ada" in refusal


def test_who_may_edit_may_not_approve_for_that(decide: Decide) -> None:
    refusal = decide("eve", "eve", "right")
    assert "eve must be allowed the verb approve on migrationrollouts.firelift.dev right" in refusal
    assert "in namespace approvals; the ClusterRole firelift-approver has it" in refusal


@pytest.mark.parametrize(("target", "answer"), [("right", "created (server dry run)"), ("other", "must be allowed")])
def test_the_right_to_approve_can_be_given_by_name(decide: Decide, target: str, answer: str) -> None:
    assert answer in decide("bob", "bob", target)


def test_the_right_to_approve_a_rollout_is_none_on_an_environment_of_its_name(decide: Decide) -> None:
    assert "created (server dry run)" in decide("ada", "ada", kind="FirestoreEnvironment")
    refusal = decide("bob", "bob", kind="FirestoreEnvironment")
    assert "bob must be allowed the verb approve on firestoreenvironments.firelift.dev right" in refusal


@pytest.mark.usefixtures("decide")
@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("patch", "migrationrollouts.firelift.dev"),
        ("patch", "migrationrollouts.firelift.dev/status"),
        ("patch", "firestoreenvironments.firelift.dev"),
        ("patch", "firestoreenvironments.firelift.dev/status"),
        ("list", "migrationapprovals.firelift.dev"),
        ("create", "jobs.batch"),
        ("list", "pods"),
        ("create", "configmaps"),
        ("patch", "configmaps"),
        ("create", "events.events.k8s.io"),
    ],
)
def test_the_operator_has_the_rights_it_needs(sandbox: Sandbox, verb: str, what: str) -> None:
    assert _may(sandbox, "firelift-operator", _NAMESPACE, verb, what)


@pytest.mark.usefixtures("decide")
@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("approve", "migrationrollouts.firelift.dev"),
        ("delete", "migrationrollouts.firelift.dev"),
        ("approve", "firestoreenvironments.firelift.dev"),
        ("delete", "firestoreenvironments.firelift.dev"),
        ("create", "migrationapprovals.firelift.dev"),
        ("get", "secrets"),
        ("create", "pods"),
        ("list", "namespaces"),
        ("list", "configmaps"),
        ("delete", "configmaps"),
        ("update", "configmaps"),
        ("update", "leases.coordination.k8s.io"),
        ("delete", "leases.coordination.k8s.io"),
    ],
)
def test_the_operator_has_no_other_rights(sandbox: Sandbox, verb: str, what: str) -> None:
    assert not _may(sandbox, "firelift-operator", _NAMESPACE, verb, what)


@pytest.mark.usefixtures("decide")
@pytest.mark.parametrize("verb", ["update", "list", "delete"])
def test_the_operator_leads_and_shows_locks_by_leases_in_its_own_namespace(sandbox: Sandbox, verb: str) -> None:
    assert _may(sandbox, "firelift-operator", "firelift-system", verb, "leases.coordination.k8s.io")


@pytest.mark.usefixtures("decide")
@pytest.mark.parametrize("verb", ["get", "list", "create", "update", "patch", "delete"])
def test_the_operator_keeps_states_and_plans_in_secrets_of_its_own_namespace(sandbox: Sandbox, verb: str) -> None:
    assert _may(sandbox, "firelift-operator", "firelift-system", verb, "secrets")


@pytest.mark.usefixtures("decide")
@pytest.mark.parametrize("what", ["migrationrollouts.firelift.dev", "configmaps", "secrets", "pods", "jobs.batch"])
def test_a_worker_may_do_nothing_in_kubernetes(sandbox: Sandbox, what: str) -> None:
    assert not _may(sandbox, "firelift-worker", "firelift-system", "get", what)


def _may(sandbox: Sandbox, account: str, namespace: str, verb: str, what: str) -> bool:
    resource, _, part = what.partition("/")
    who = f"--as=system:serviceaccount:firelift-system:{account}"
    where = f"--namespace={namespace}", *((f"--subresource={part}",) if part else ())
    try:
        return sandbox.kubectl("auth", "can-i", verb, resource, who, *where).strip() == "yes"
    except KubectlError:  # it ends with 1 when the answer is no
        return False
