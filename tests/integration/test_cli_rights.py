"""`kubectl firelift` in the hands of people with few rights: on-call, who has a verb alone, who may approve alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.api_objects import ApiObjects
from tests.manifests import environment, rollout
from tests.waiting import eventually

from firelift.cli.main import cli
from firelift.sandbox.sandbox import Sandbox

_NAMESPACE = "plugin-rights"
_DIGEST = "sha256:" + "a" * 64
_VERBS = {"suspend": ("pause", "resume"), "revert": ("revert",), "abort": ("abort",), "retry": ("retry",)}

Json = dict[str, Any]


class Plugin:
    """The plugin as a user with these rights runs it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = str(kubeconfig)

    def __call__(self, user: str, *arguments: str) -> Result:
        flags = ("-n", _NAMESPACE, "--kubeconfig", self._kubeconfig, "--as", user, "--request-timeout", "60")
        return CliRunner().invoke(cli, [*arguments, *flags], prog_name="kubectl firelift")


@pytest.fixture(scope="module")
def plugin(sandbox: Sandbox) -> Iterator[Plugin]:
    """A user for each verb, named after it; `nia` is on call, and `ann` may approve."""
    sandbox.install_crds()
    sandbox.install_manifests()
    sandbox.kubectl("create", "namespace", _NAMESPACE)
    for verb in _VERBS:
        verbs = ("--verb=get", "--verb=patch", f"--verb={verb}")
        sandbox.kubectl("create", "role", verb, "-n", _NAMESPACE, *verbs, "--resource=migrationrollouts.firelift.dev")
        _bind(sandbox, verb, f"role={verb}")
    _bind(sandbox, "nia", "clusterrole=firelift-on-call")
    _bind(sandbox, "ann", "clusterrole=firelift-approver")
    made = Plugin(sandbox.kubeconfig)
    _stored(sandbox, "first", "Migrating")
    # A policy is in force after a moment, and so are bindings: the last one made is seen last.
    eventually(lambda: "must be allowed" in made("abort", "pause", "first", "--dry-run").stderr)
    eventually(lambda: made("ann", "get", "first").exit_code == 0)
    yield made
    sandbox.kubectl("delete", "namespace", _NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> ApiObjects:
    return ApiObjects(sandbox, _NAMESPACE)


def _bind(sandbox: Sandbox, user: str, role: str) -> None:
    sandbox.kubectl("create", "rolebinding", user, "-n", _NAMESPACE, f"--user={user}", f"--{role}")


def _stored(sandbox: Sandbox, name: str, reason: str, kind: Json | None = None, **spec: Any) -> Json:
    """An object in this state, made as a pipeline would."""
    manifest = {**(kind or rollout(name=name)), "metadata": {"name": name, "namespace": _NAMESPACE}}
    manifest["spec"] = {**manifest["spec"], **spec}
    apply = ("apply", "--server-side", "--field-manager=gitops", "-f", "-")
    sandbox.kubectl(*apply, stdin=json.dumps(manifest))
    stalled = "False" if reason in {"Migrating", "Suspended"} else "True"
    _tell(sandbox, manifest, reason=reason, stalled=stalled)
    return manifest


def _tell(sandbox: Sandbox, manifest: Json, *, reason: str, stalled: str) -> None:
    told = {"reason": "Told", "message": "", "observedGeneration": 9, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    conditions = [
        {"type": kind, "status": status, **told} for kind, status in (("Ready", "False"), ("Stalled", stalled))
    ]
    status: Json = {"observedGeneration": 9, "attempt": 1, "reason": reason, "conditions": conditions}
    if manifest["kind"] == "MigrationRollout":
        status |= {"startedPhases": ["one-percent"], "approval": {"digest": _DIGEST, "required": True}}
    ApiObjects(sandbox, _NAMESPACE).set_status(manifest, status)


def test_on_call_holds_takes_back_and_starts_again(sandbox: Sandbox, api: ApiObjects, plugin: Plugin) -> None:
    manifest = _stored(sandbox, "incident", "Migrating")

    def done(*arguments: str) -> Json:
        ended = plugin("nia", *arguments)
        assert ended.exit_code == 0, ended.stderr
        found: Json = api.get(manifest)["spec"]
        return found

    assert done("pause", "incident")["suspend"] is True
    assert done("resume", "incident")["suspend"] is False
    assert done("abort", "incident")["intent"] == "Abort"
    assert done("pause", "incident")["suspend"] is True
    reverted = done("revert", "incident", "--to", "RolloutStart")
    assert (reverted["intent"], reverted["revertTo"], reverted["suspend"]) == ("Revert", "RolloutStart", False)
    _tell(sandbox, manifest, reason="Reverted", stalled="True")
    again = done("retry", "incident")
    assert again["attempt"] == 2
    assert not {"intent", "revertTo"} & again.keys()


def test_who_is_impersonated_in_the_kubeconfig_is_so_here_too(sandbox: Sandbox, plugin: Plugin, tmp_path: Path) -> None:
    _stored(sandbox, "impersonated", "Migrating")
    document = yaml.safe_load(sandbox.kubeconfig.read_text(encoding="utf-8"))
    document["users"][0]["user"] |= {"as": "eve", "as-groups": ["nobody"]}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    asked = ("get", "impersonated", "-n", _NAMESPACE, "--kubeconfig", str(file))

    refused = CliRunner().invoke(cli, asked)
    assert refused.exit_code == 5
    assert 'User "eve" cannot get resource "migrationrollouts"' in refused.stderr
    assert "; the ClusterRole view has that" in refused.stderr
    assert CliRunner().invoke(cli, [*asked, "--as", "nia"]).exit_code == 0
    member = ("--as", "eve", "--as-group", "nobody", "--as-group", "system:masters")
    assert CliRunner().invoke(cli, [*asked, *member]).exit_code == 0
    assert plugin("eve", "get", "impersonated").exit_code == 5


def test_on_call_takes_away_what_somebody_has_patched_by_hand(
    sandbox: Sandbox, api: ApiObjects, plugin: Plugin
) -> None:
    manifest = _stored(sandbox, "by-hand", "Suspended")
    patch = '--patch={"spec": {"suspend": true, "intent": "Abort"}}'
    sandbox.kubectl("patch", "mroll", "by-hand", "-n", _NAMESPACE, "--type=merge", patch)

    assert plugin("nia", "resume", "by-hand").exit_code == 0
    _tell(sandbox, manifest, reason="Aborted", stalled="True")
    assert plugin("nia", "retry", "by-hand").exit_code == 0

    spec = api.get(manifest)["spec"]
    assert (spec["suspend"], spec["attempt"], "intent" in spec) == (False, 2, False)


@pytest.fixture(scope="module")
def one_each(sandbox: Sandbox, plugin: Plugin) -> None:  # noqa: ARG001 - the namespace is there
    """A rollout for each command, in a state in which it makes sense."""
    states = {"resume": "Suspended", "retry": "StepFailed"}
    for command in (command for commands in _VERBS.values() for command in commands):
        _stored(sandbox, f"one-{command}", states.get(command, "Migrating"), suspend=command == "resume")


@pytest.mark.usefixtures("one_each")
@pytest.mark.parametrize("verb", _VERBS)
def test_who_has_one_verb_is_told_which_other_a_command_needs(plugin: Plugin, verb: str) -> None:
    for needed, commands in _VERBS.items():
        for command in commands:
            name = f"one-{command}"
            ended = plugin(verb, command, name, "--dry-run")
            if needed == verb:
                assert (ended.exit_code, ended.stderr) == (0, _note(command)), ended.stderr
                continue
            assert ended.exit_code == 5
            assert ended.stderr.startswith(
                f'error: migrationrollouts.firelift.dev "{name}" is forbidden: {verb} must be allowed the verb {needed}'
                f" on migrationrollouts.firelift.dev {name} in namespace {_NAMESPACE} to set spec."
            )
            assert ended.stderr.endswith("; the ClusterRole firelift-on-call has it\n")
            assert ended.stderr.count("\n") == 1


def _note(command: str) -> str:
    wanted = {"pause": "set it to true there", "resume": "remove it there"}.get(command)
    return f"note: spec.suspend is in a manifest too, applied by gitops: {wanted}, or it comes back\n" if wanted else ""


def test_on_call_pauses_and_retries_an_environment_and_retries_none_that_applies_by_itself(
    sandbox: Sandbox, api: ApiObjects, plugin: Plugin
) -> None:
    manual = _stored(sandbox, "manual", "ApplyFailed", environment(name="manual"))
    automatic = environment(name="automatic")
    automatic["spec"]["terraform"] = {"apply": "Auto"}
    automatic = _stored(sandbox, "automatic", "ApplyFailed", automatic)

    assert plugin("nia", "retry", "env/manual").exit_code == 0
    assert plugin("nia", "pause", "env/manual").exit_code == 0
    spec = api.get(manual)["spec"]
    assert (spec["attempt"], spec["suspend"]) == (2, True)
    refused = plugin("nia", "retry", "env/automatic")
    assert refused.exit_code == 5
    assert "nia must be allowed the verb approve on firestoreenvironments.firelift.dev automatic" in refused.stderr
    assert plugin("nia", "pause", "env/automatic").exit_code == 0
    assert plugin("nia", "resume", "env/automatic").exit_code == 0
    assert api.get(automatic)["spec"]["attempt"] == 1


def test_who_approves_does_nothing_else_and_who_is_on_call_does_not_approve(sandbox: Sandbox, plugin: Plugin) -> None:
    _stored(sandbox, "asked", "StepFailed")

    approved = plugin("ann", "approve", "asked", "--yes")
    assert approved.exit_code == 0, approved.stderr
    assert approved.stdout.splitlines()[-1].endswith("created by ann")
    paused = plugin("ann", "pause", "asked")
    assert (paused.exit_code, 'User "ann" cannot patch resource' in paused.stderr) == (5, True)
    refused = plugin("nia", "approve", "asked", "--yes")
    assert refused.exit_code == 5
    assert 'User "nia" cannot create resource "migrationapprovals"' in refused.stderr
