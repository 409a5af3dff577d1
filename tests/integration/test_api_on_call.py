"""Who may change what of a rollout or an environment without the right to edit it, and who may approve in advance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from kubernetes import config
from kubernetes.client import CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from tests.manifests import LEDGER_GATE, environment, rollout
from tests.waiting import eventually

from firelift.api.base import GROUP, VERSION
from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.sandbox import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Sandbox

_NAMESPACE = "on-call"
_OPERATOR = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}"
_MOVER = f"system:serviceaccount:{_NAMESPACE}:mover"
_VERBS = ("suspend", "revert", "abort", "retry")
_TAKEN = "(server dry run)"
_EDIT = ": that takes the verb update, which the ClusterRole edit has; the verbs of firelift-on-call change suspend,"
_ROLLOUT, _ENVIRONMENT = "migrationrollouts", "firestoreenvironments"

Json = dict[str, Any]


class Patch(Protocol):
    """What is answered to a merge patch of `plural/name` by a user; nothing is stored."""

    def __call__(self, user: str, what: str, patch: Json) -> str:
        """Ask."""
        ...


class _Impersonating:
    """Asks in the name of any user."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._api = CustomObjectsApi(config.new_client_from_config(str(sandbox.kubeconfig)))  # type: ignore[no-untyped-call] # the official client is typed only in part

    def __call__(self, user: str, what: str, patch: Json) -> str:
        plural, name = what.split("/")
        self._api.api_client.set_default_header("Impersonate-User", user)
        place = (GROUP, VERSION, _NAMESPACE, plural, name)
        try:
            self._api.patch_namespaced_custom_object(
                *place, patch, dry_run="All", _content_type="application/merge-patch+json"
            )
        except ApiException as refused:
            return str(json.loads(refused.body or "{}")["message"])
        return _TAKEN


@pytest.fixture(scope="module")
def patch(sandbox: Sandbox) -> Iterator[Patch]:
    """A user for each verb, named after it; `nia` has all of on-call's, `eve` may edit, `ann` approve too."""
    sandbox.install_crds()
    sandbox.install_manifests()
    sandbox.kubectl("create", "namespace", _NAMESPACE)
    for verb in _VERBS:
        verbs = ("--verb=get", "--verb=patch", f"--verb={verb}")
        plurals = (f"{_ROLLOUT}.firelift.dev", f"{_ENVIRONMENT}.firelift.dev")
        resources = [f"--resource={plural}" for plural in plurals if verb in {"suspend", "retry"} or plural[0] == "m"]
        sandbox.kubectl("create", "role", verb, "-n", _NAMESPACE, *verbs, *resources)
        _bind(sandbox, verb, f"role={verb}")
    _bind(sandbox, "nia", "clusterrole=firelift-on-call")
    _bind(sandbox, "eve", "clusterrole=edit")
    _bind(sandbox, "ann", "clusterrole=edit")
    _bind(sandbox, "ann", "clusterrole=firelift-approver")
    _bind(sandbox, _MOVER, "clusterrole=firelift-operator")
    for name, spec in _SPECS.items():
        _store(sandbox, rollout(name=name), spec)
    _store(sandbox, environment(name="manual"), {})
    _store(sandbox, environment(name="automatic"), {"terraform": {"apply": "Auto"}})

    api = _Impersonating(sandbox)
    # A new policy is in force after a moment, and so is a role that others join.
    eventually(lambda: "may not change" in api("nia", f"{_ROLLOUT}/plain", {"spec": {"pace": {"batchSize": 9}}}))
    eventually(lambda: "must be" in api("eve", f"{_ENVIRONMENT}/manual", {"spec": {"terraform": {"apply": "Auto"}}}))
    eventually(lambda: api("ann", f"{_ENVIRONMENT}/manual", {"spec": {"terraform": {"apply": "Auto"}}}) == _TAKEN)
    yield api
    sandbox.kubectl("delete", "namespace", _NAMESPACE, "--wait=false")


_SPECS: dict[str, Json] = {
    "plain": {},
    "paused": {"suspend": True},
    "reverting": {"intent": "Revert", "revertTo": "PhaseStart"},
    "aborted": {"intent": "Abort"},
}


def _bind(sandbox: Sandbox, user: str, role: str) -> None:
    name = f"{user.rpartition(':')[2]}-{role.rpartition('=')[2]}"
    sandbox.kubectl("create", "rolebinding", name, "-n", _NAMESPACE, f"--user={user}", f"--{role}")


def _store(sandbox: Sandbox, manifest: Json, spec: Json) -> None:
    manifest["spec"] |= spec
    sandbox.kubectl("create", "-n", _NAMESPACE, "-f", "-", stdin=json.dumps(manifest))


def _answer(sandbox: Sandbox, user: str, *words: str, stdin: str = "") -> str:
    try:
        return sandbox.kubectl(*words, f"--as={user}", "-n", _NAMESPACE, stdin=stdin)
    except KubectlError as refused:
        return str(refused)


@pytest.mark.parametrize(
    ("verb", "name", "spec"),
    [
        ("suspend", "plain", {"suspend": True}),
        ("suspend", "paused", {"suspend": False}),
        ("suspend", "paused", {"suspend": None}),
        ("revert", "plain", {"intent": "Revert"}),
        ("revert", "plain", {"intent": "Revert", "revertTo": "RolloutStart"}),
        ("revert", "aborted", {"intent": "Revert"}),
        ("revert", "reverting", {"revertTo": "RolloutStart"}),
        ("revert", "reverting", {"revertTo": None}),
        ("abort", "plain", {"intent": "Abort"}),
        ("retry", "plain", {"attempt": 2}),
        ("retry", "aborted", {"attempt": 2, "intent": None}),
        ("retry", "reverting", {"attempt": 2, "intent": None, "revertTo": None}),
    ],
)
def test_each_verb_changes_its_own_fields_and_no_other_verb_does(
    patch: Patch, verb: str, name: str, spec: Json
) -> None:
    answers = {user: patch(user, f"{_ROLLOUT}/{name}", {"spec": spec}) for user in (*_VERBS, "nia", "eve")}

    assert {user for user, answer in answers.items() if _TAKEN in answer} == {verb, "nia", "eve"}
    wanted = f"must be allowed the verb {verb} on {_ROLLOUT}.firelift.dev {name} in namespace {_NAMESPACE} to set spec."
    refused = [f"{user} {wanted}" in answer for user, answer in answers.items() if _TAKEN not in answer]
    assert refused == [True] * 3, answers
    assert "; the ClusterRole firelift-on-call has it" in str(answers)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"spec": {"pace": {"maxWritesPerSecond": 9}}}, "spec.pace"),
        ({"spec": {"phases": []}}, ""),
        ({"spec": {"gates": [LEDGER_GATE]}}, "spec.gates"),
        ({"spec": {"promotesTo": ["other"]}}, "spec.promotesTo"),
        ({"spec": {"suspend": True, "attempt": 2, "mode": "DryRun"}}, "spec.mode"),
        ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ({"metadata": {"annotations": {"a": "b"}}}, "metadata.annotations"),
        (
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "a"}]}},
            "metadata.ownerReferences",
        ),
    ],
)
def test_on_call_edits_nothing_else(patch: Patch, change: Json, fields: str) -> None:
    answer = patch("nia", f"{_ROLLOUT}/plain", change)

    if fields:  # an empty list is the schema's to refuse
        assert f"nia may not change {fields} of {_ROLLOUT}.firelift.dev plain in namespace on-call{_EDIT}" in answer
        assert _TAKEN in patch("eve", f"{_ROLLOUT}/plain", change)
    assert _TAKEN not in answer


def test_finalizers_are_for_editors_and_operators_whatever_their_name(patch: Patch) -> None:
    held = {"metadata": {"finalizers": ["firelift.dev/hold"]}}

    for kind, name in ((_ROLLOUT, "plain"), (_ENVIRONMENT, "manual"), (_ENVIRONMENT, "automatic")):
        for user in ("eve", _OPERATOR, _MOVER):
            assert _TAKEN in patch(user, f"{kind}/{name}", held)
        assert f"nia may not change metadata.finalizers of {kind}.firelift.dev {name}" in patch(
            "nia", f"{kind}/{name}", held
        )


@pytest.mark.parametrize("user", [_OPERATOR, _MOVER])
def test_an_operator_changes_no_spec(patch: Patch, user: str) -> None:
    assert f"{user} may not change spec.pace" in patch(user, f"{_ROLLOUT}/plain", {"spec": {"pace": {"batchSize": 9}}})
    assert f"{user} must be allowed the verb suspend" in patch(user, f"{_ROLLOUT}/plain", {"spec": {"suspend": True}})


def test_on_call_writes_no_status_and_deletes_nothing(sandbox: Sandbox, patch: Patch) -> None:
    assert _TAKEN in patch("nia", f"{_ROLLOUT}/plain", {"spec": {"suspend": True}})
    told = ("--subresource=status", "--type=merge", '--patch={"status": {"reason": "Completed"}}')
    status = _answer(sandbox, "nia", "patch", _ROLLOUT, "plain", *told)
    text = sandbox.kubectl("get", _ROLLOUT, "plain", "-n", _NAMESPACE, "-o", "json")

    assert 'resource "migrationrollouts/status" in API group' in status
    assert 'User "nia" cannot update resource' in _answer(sandbox, "nia", "replace", "-f", "-", stdin=text)
    assert 'User "nia" cannot delete resource' in _answer(sandbox, "nia", "delete", _ROLLOUT, "plain")


@pytest.mark.parametrize(
    ("user", "name", "spec", "answer"),
    [
        ("nia", "manual", {"suspend": True}, _TAKEN),
        ("nia", "manual", {"attempt": 2}, _TAKEN),
        ("nia", "automatic", {"suspend": True}, _TAKEN),
        ("suspend", "automatic", {"suspend": True}, _TAKEN),
        ("suspend", "manual", {"attempt": 2}, "suspend must be allowed the verb retry on firestoreenvironments"),
        ("revert", "manual", {"suspend": True}, 'User "revert" cannot'),
        # Two policies say no, and either may be the one that is heard.
        ("nia", "manual", {"terraform": {"apply": "Auto"}}, '"manual" is forbidden: ValidatingAdmissionPolicy'),
        ("nia", "automatic", {"terraform": {"apply": "Manual"}}, "nia may not change spec.terraform"),
        ("nia", "automatic", {"attempt": 2}, "nia must be allowed the verb approve on firestoreenvironments"),
        ("eve", "manual", {"terraform": {"apply": "Auto"}}, "eve must be allowed the verb approve on"),
        ("eve", "manual", {"attempt": 2}, _TAKEN),
        ("eve", "automatic", {"terraform": {"apply": "Manual"}}, _TAKEN),
        ("eve", "automatic", {"terraform": {"apply": "Manual", "deletionPolicy": "Retain"}}, _TAKEN),
        ("eve", "automatic", {"suspend": True}, _TAKEN),
        ("eve", "automatic", {"terraform": {"timeoutSeconds": 60}}, "eve must be allowed the verb approve on"),
        ("eve", "automatic", {"attempt": 2}, "eve must be allowed the verb approve on"),
        ("ann", "manual", {"terraform": {"apply": "Auto"}}, _TAKEN),
        ("ann", "automatic", {"attempt": 2}, _TAKEN),
    ],
)
def test_what_approves_in_advance_takes_the_right_to_approve(
    patch: Patch, user: str, name: str, spec: Json, answer: str
) -> None:
    assert answer in patch(user, f"{_ENVIRONMENT}/{name}", {"spec": spec})


def test_an_automatic_environment_is_made_by_who_may_approve_it(sandbox: Sandbox, patch: Patch) -> None:
    assert _TAKEN in patch("eve", f"{_ENVIRONMENT}/automatic", {"metadata": {"labels": {"a": "b"}}})
    words = ("create", "role", "approve-one", "-n", _NAMESPACE, "--verb=approve", "--resource-name=named")
    sandbox.kubectl(*words, f"--resource={_ENVIRONMENT}.firelift.dev")
    _bind(sandbox, "bob", "role=approve-one")
    _bind(sandbox, "bob", "clusterrole=edit")

    def created(user: str, apply: str, **metadata: str) -> str:
        manifest = {**environment(name="new"), "metadata": metadata}
        manifest["spec"]["terraform"] = {"apply": apply}
        return _answer(sandbox, user, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))

    eventually(lambda: _TAKEN in created("bob", "Auto", name="named"))
    assert _TAKEN in created("eve", "Manual", name="new")
    refusal = created("eve", "Auto", name="new")
    assert "eve must be allowed the verb approve on firestoreenvironments.firelift.dev new in namespace" in refusal
    assert "the ClusterRole firelift-approver has it, and apply: Manual needs none" in refusal
    assert _TAKEN in created("ann", "Auto", name="new")
    assert _TAKEN in created("ann", "Auto", generateName="new-")
    assert "bob must be allowed" in created("bob", "Auto", name="new")
    # By a name that nobody knows yet, a right by name is none.
    assert "bob must be allowed" in created("bob", "Auto", generateName="named")


@pytest.mark.usefixtures("patch")
@pytest.mark.parametrize("name", ["on-call.firelift.dev", "automatic-applies.firelift.dev", "approvals.firelift.dev"])
def test_a_policy_is_sound_against_the_schemas(sandbox: Sandbox, name: str) -> None:
    def checked() -> Json:
        found: Json = json.loads(sandbox.kubectl("get", "validatingadmissionpolicy", name, "-o", "json"))
        status: Json = found.get("status", {})
        return status if status.get("observedGeneration") == found["metadata"]["generation"] else {}

    assert eventually(checked).get("typeChecking", {}) == {}
