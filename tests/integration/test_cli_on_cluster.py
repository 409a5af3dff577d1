"""`kubectl firelift` against a real API server: its tables, its verbs, its errors, and what Git cannot undo."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from tests.api_objects import ApiObjects
from tests.manifests import environment, rollout
from tests.waiting import eventually

from firelift.api.run import FORMAT
from firelift.sandbox.kubectl import find_kubectl
from firelift.sandbox.sandbox import Sandbox

NAMESPACE = "plugin"
DIGEST = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Plugin:
    """The plugin as a person runs it, in the namespace of these tests."""

    kubeconfig: Path

    def __call__(self, *arguments: str, kubeconfig: Path | None = None) -> Ended:
        told = subprocess.run(
            [sys.executable, "-m", "firelift.cli", *arguments, "-n", NAMESPACE],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "KUBECONFIG": str(kubeconfig or self.kubeconfig)},
            timeout=60,
        )
        return Ended(told.returncode, told.stdout, told.stderr)


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[ApiObjects]:
    sandbox.install_crds()
    sandbox.install_manifests()
    sandbox.kubectl("create", "namespace", NAMESPACE)
    yield ApiObjects(sandbox, NAMESPACE)
    sandbox.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def plugin(sandbox: Sandbox, api: ApiObjects) -> Plugin:  # noqa: ARG001 - the namespace is there
    return Plugin(sandbox.kubeconfig)


def conditions(**told: str) -> list[dict[str, Any]]:
    kinds = {"Ready": "False", "Reconciling": "False", "Stalled": "False", "Succeeded": "Unknown", **told}
    common = {"reason": "Told", "message": "", "observedGeneration": 9, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return [{"type": kind, "status": status, **common} for kind, status in kinds.items()]


def made(api: ApiObjects, name: str, **status: Any) -> dict[str, Any]:
    """A rollout with this status, applied as a pipeline would."""
    manifest = {**rollout(name=name), "metadata": {"name": name, "namespace": NAMESPACE}}
    apply(api, manifest)
    api.set_status(
        manifest,
        {
            "observedGeneration": 9,
            "attempt": 1,
            "reason": "Migrating",
            "startedPhases": ["one-percent"],
            "conditions": conditions(Reconciling="True"),
            "approval": {"digest": DIGEST, "required": True},
            **status,
        },
    )
    return manifest


def apply(api: ApiObjects, manifest: dict[str, Any]) -> None:
    api.kubectl(
        "apply", "--server-side", "--field-manager=gitops", "--force-conflicts", "-f", "-", stdin=json.dumps(manifest)
    )


def client_side(api: ApiObjects, manifest: dict[str, Any]) -> None:
    api.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def spec(api: ApiObjects, manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(manifest)["spec"]
    return found


@pytest.mark.parametrize("output", ["", "wide", "name"])
@pytest.mark.parametrize("kind", ["rollouts", "environments", "approvals"])
def test_a_list_is_what_kubectl_prints(api: ApiObjects, plugin: Plugin, kind: str, output: str) -> None:
    made(api, "listed", progress="41% 1.2M/3.0M", message="all is well", rate="1,125/s")
    if kind == "environments":
        api.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(environment(name="listed")))
    if kind == "approvals":
        plugin("approve", "listed", "--yes")
    form = ["-o", output] if output else []
    plural = {"rollouts": "mroll", "environments": "fsenv", "approvals": "mapproval"}[kind]
    theirs = api.kubectl("get", plural, "-n", NAMESPACE, *form)
    ours = plugin("list", kind, *form)
    assert ours.code == 0
    assert cells(ours.out) == cells(theirs)
    assert len(cells(ours.out)) >= (1 if output == "name" else 2)


def cells(table: str) -> list[list[str]]:
    """The columns of a table by where its header begins each, without the age, which goes on."""
    lines = table.splitlines()
    starts = [at for at in range(len(lines[0])) if lines[0][at] != " " and (at == 0 or lines[0][at - 2 : at] == "  ")]
    bounds = list(pairwise([*starts, None]))
    rows = [[line[begin:end].strip() for begin, end in bounds] for line in lines]
    ages = [at for at, title in enumerate(rows[0]) if title == "AGE"]
    return [[cell for at, cell in enumerate(each) if at not in ages] for each in rows]


def test_one_object_is_what_kubectl_prints(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "one", progress="41% 1.2M/3.0M")
    assert cells(plugin("get", "one").out) == cells(api.kubectl("get", "mroll", "one", "-n", NAMESPACE))
    theirs = json.loads(api.kubectl("get", "mroll", "one", "-n", NAMESPACE, "-o", "json"))
    assert json.loads(plugin("get", "mroll/one", "-o", "json").out) == theirs
    assert plugin("get", "one", "-o", "name").out == "migrationrollout.firelift.dev/one\n"


def test_a_pause_outlives_every_way_of_applying_the_manifest_again(api: ApiObjects, plugin: Plugin) -> None:
    manifest = made(api, "paused")
    paused = plugin("pause", "paused")
    assert (paused.code, paused.out) == (0, "migrationrollout.firelift.dev/paused paused\n")
    for again in (apply, client_side, apply):
        again(api, manifest)
        assert spec(api, manifest)["suspend"] is True
    assert plugin("resume", "paused").code == 0
    assert spec(api, manifest)["suspend"] is False


def test_an_intent_outlives_a_re_apply_and_a_retry_takes_it_away(api: ApiObjects, plugin: Plugin) -> None:
    manifest = made(api, "reverted")
    assert plugin("pause", "reverted").code == 0
    assert plugin("revert", "reverted", "--to", "RolloutStart").code == 0
    apply(api, manifest)
    client_side(api, manifest)
    asked = spec(api, manifest)
    assert (asked["intent"], asked["revertTo"], asked["suspend"]) == ("Revert", "RolloutStart", False)
    assert plugin("abort", "reverted").code == 5
    api.set_status(manifest, {"reason": "Reverted", "conditions": conditions(Stalled="True", Succeeded="False")})
    retried = plugin("retry", "reverted")
    assert (retried.code, retried.out) == (0, "migrationrollout.firelift.dev/reverted attempt 2\n")
    apply(api, manifest)
    client_side(api, manifest)
    again = spec(api, manifest)
    assert again["attempt"] == 2
    assert "intent" not in again
    assert "revertTo" not in again


def test_what_somebody_patched_by_hand_is_taken_away_too(api: ApiObjects, plugin: Plugin) -> None:
    manifest = made(api, "by-hand")
    patch = '{"spec": {"suspend": true, "intent": "Abort"}}'
    api.kubectl("patch", "mroll", "by-hand", "-n", NAMESPACE, "--type=merge", "-p", patch)
    assert plugin("resume", "by-hand").code == 0
    assert spec(api, manifest)["suspend"] is False
    api.set_status(manifest, {"reason": "Aborted", "conditions": conditions(Stalled="True", Succeeded="False")})
    assert plugin("retry", "by-hand").code == 0
    assert "intent" not in spec(api, manifest)
    assert spec(api, manifest)["attempt"] == 2


def test_what_a_manifest_says_as_well_is_told_on_stderr(api: ApiObjects, plugin: Plugin) -> None:
    manifest = made(api, "in-git")
    manifest["spec"]["suspend"] = True
    apply(api, manifest)
    resumed = plugin("resume", "in-git")
    assert resumed.code == 0
    assert "spec.suspend is in a manifest too, applied by gitops: remove it there" in resumed.err
    assert spec(api, manifest)["suspend"] is False


def test_a_dry_run_changes_nothing(api: ApiObjects, plugin: Plugin) -> None:
    manifest = made(api, "dry")
    assert plugin("pause", "dry", "--dry-run").out == "migrationrollout.firelift.dev/dry paused (server dry run)\n"
    assert spec(api, manifest)["suspend"] is False
    assert plugin("approve", "dry", "--dry-run").code == 0
    assert "dry-" not in api.kubectl("get", "mapproval", "-n", NAMESPACE, "-o", "name")


def test_an_approval_is_made_in_the_name_of_who_makes_it(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "approved")
    done = plugin("approve", "approved", "--comment", "looks good", "--yes")
    assert done.code == 0
    assert DIGEST in done.out
    found = json.loads(api.kubectl("get", "mapproval", "-n", NAMESPACE, "-o", "json"))["items"]
    mine = [each["spec"] for each in found if each["spec"]["target"]["name"] == "approved"]
    assert [(each["approver"], each["digest"], each["comment"]) for each in mine] == [
        ("sandbox-admin", DIGEST, "looks good")
    ]


def test_nobody_approves_what_has_changed_or_what_nobody_was_asked_about(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "asked")
    assert plugin("approve", "asked").code == 2
    other = plugin("approve", "asked", "--yes", "--digest", "sha256:" + "b" * 64)
    assert other.code == 5
    assert "has changed" in other.err
    assert plugin("approve", "asked", "--override", "error-rate", "--yes").code == 2
    assert "asked-" not in api.kubectl("get", "mapproval", "-n", NAMESPACE, "-o", "name")


def test_a_status_has_its_sections_and_its_exit_code(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "well", progress="41% 1.2M/3.0M", message="migrate of logs")
    well = plugin("status", "well")
    assert well.code == 0
    titles = [line for line in well.out.splitlines() if line and not line.startswith(" ")]
    assert titles == ["Summary", "Way back", "Gates", "Lanes", "What you can do"]
    made(api, "ill", reason="GateFailed", conditions=conditions(Stalled="True"))
    assert plugin("status", "ill").code == 1
    assert plugin("status", "ill", "--watch").code == 1
    timed_out = plugin("status", "well", "--watch", "--timeout", "1s")
    assert timed_out.code == 3
    assert "not over within 1s" in timed_out.err


def test_a_watch_in_a_terminal_draws_the_phases(api: ApiObjects, plugin: Plugin) -> None:
    steps = [{"name": "migrate", "state": "Failed"}, {"name": "verify", "state": "Pending"}]
    phases = [{"name": "one-percent", "state": "Failed", "documents": 1200, "steps": steps}]
    place = {"phase": "one-percent", "step": "migrate", "phases": phases}
    made(api, "drawn", reason="GateFailed", conditions=conditions(Stalled="True"), **place)
    master, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "firelift.cli", "status", "drawn", "--watch", "--timeout", "3m", "-n", NAMESPACE],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "KUBECONFIG": str(plugin.kubeconfig), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )
    os.close(terminal)
    drawn = told_until_closed(master)
    assert child.wait() == 1
    plain = click.unstyle(drawn)
    assert plain != drawn, "colours are for terminals"
    assert "└─ one-percent" in plain
    assert "✘ migrate  Failed" in plain
    assert "1,200 documents" in plain


def told_until_closed(master: int) -> str:
    """All that is written to a terminal until nobody has it open any more."""
    chunks = []
    with suppress(OSError):  # Linux answers so behind the last writer
        while chunk := os.read(master, 65536):
            chunks.append(chunk)
    os.close(master)
    return b"".join(chunks).decode()


def test_kubectl_completes_the_plugin(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "words-by-kubectl")
    folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    def completed(*words: str) -> list[str]:
        asked = [find_kubectl(), "__complete", "firelift", *words]
        told = subprocess.run(
            asked,
            capture_output=True,
            text=True,
            check=True,
            env={**environment, "KUBECONFIG": str(plugin.kubeconfig)},
        )
        return [line for line in told.stdout.splitlines() if not line.startswith((":", "Completion ended"))]

    assert completed("exp") == ["explain"]
    # Names are asked of the cluster for two seconds, which a busy machine may need for the connection alone.
    eventually(lambda: completed("revert", "-n", NAMESPACE, "words-by") == ["words-by-kubectl"])


def test_each_error_is_one_sentence_with_its_code(sandbox: Sandbox, plugin: Plugin) -> None:
    gone = plugin("status", "nobody")
    assert (gone.code, gone.err) == (4, 'error: migrationrollouts.firelift.dev "nobody" not found\n')
    stranger = sandbox.control_plane.client_kubeconfig("plugin-eve", "eve")
    forbidden = plugin("list", kubeconfig=stranger)
    assert forbidden.code == 5
    assert forbidden.err.startswith("error: migrationrollouts.firelift.dev is forbidden")
    assert "unknown: the Jobs cannot be listed" not in plugin("status", "nobody").out
    unknown = plugin("list", "--context", "nowhere")
    assert unknown.code == 6
    assert "nowhere" in unknown.err
    assert all("Traceback" not in each.err for each in (gone, forbidden, unknown))


def test_the_version_names_what_the_cluster_serves(plugin: Plugin) -> None:
    assert plugin("version").out.splitlines()[1] == "cluster: firelift.dev/v1alpha1"


def test_an_environment_is_looked_at_paused_and_retried(api: ApiObjects, plugin: Plugin) -> None:
    manifest = {**environment(name="ground"), "metadata": {"name": "ground", "namespace": NAMESPACE}}
    apply(api, manifest)
    api.set_status(manifest, {"reason": "PlanFailed", "attempt": 1, "conditions": conditions(Stalled="True")[:3]})
    assert plugin("status", "env/ground").code == 1
    assert "Terraform could not plan" in plugin("explain", "env/ground").out
    assert plugin("retry", "env/ground").code == 0
    assert plugin("pause", "env/ground").code == 0
    apply(api, manifest)
    assert (spec(api, manifest)["attempt"], spec(api, manifest)["suspend"]) == (2, True)
    assert plugin("env", "drift", "ground").out == "Drift\n  unknown: nobody has looked for it yet\n"
    assert plugin("revert", "env/ground").code == 2


def test_a_report_has_everything_but_secrets(api: ApiObjects, plugin: Plugin, tmp_path: Path) -> None:
    manifest = {**rollout(name="reported"), "metadata": {"name": "reported", "namespace": NAMESPACE}}
    manifest["spec"]["worker"]["env"] = [{"name": "KEY", "value": "planted-secret"}]
    client_side(api, manifest)
    api.set_status(manifest, {"reason": "Migrating", "message": "token=planted-too", "conditions": conditions()})
    file = tmp_path / "report.zip"
    told = plugin("report", "reported", "--file", str(file))
    assert told.code == 0
    with zipfile.ZipFile(file) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert texts.keys() >= {"object.yaml", "status.txt", "events.yaml", "jobs.yaml", "pods.yaml", "version.txt"}
    assert "reason: Migrating" in texts["object.yaml"]
    assert not [name for name, text in texts.items() if "planted" in text]


def test_what_is_in_a_database_is_read_from_its_ledgers(
    api: ApiObjects, plugin: Plugin, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(api, "lettered")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", sandbox.firestore_host)
    letter = {
        "path": "logs/1",
        "reason": "kcal must not be negative",
        "rule": "out.kcal >= 0",
        "run": "a1.x",
        "attempt": 1,
    }
    database = official(manifest_project := rollout()["spec"]["database"]["project"])
    root = database.document(f"_firelift/{NAMESPACE}.lettered")
    root.set({"format": FORMAT, "owner": None, "databaseUID": "", "state": ""})
    root.collection("firelift_deadletters").document("a1.x.0").set({**letter, "time": "then", "document": "private"})
    told = plugin("dead-letters", "lettered")
    assert told.code == 1
    assert told.out.splitlines()[1].split()[0] == "logs/1"
    assert "private" not in told.out
    runs = plugin("status", "lettered", "--ledger")
    assert "none: the ledger has no run that is not over" in runs.out
    ended = subprocess.run(
        [sys.executable, "-m", "firelift.cli", "runs", "--database", manifest_project],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, f"No runs found in {manifest_project}/(default).\n")


def official(project: str) -> firestore.Client:
    return firestore.Client(project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # the official client is typed only in part


def test_names_are_completed_from_the_cluster(api: ApiObjects, plugin: Plugin) -> None:
    made(api, "completed-one")
    api.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(environment(name="completed-two")))
    script = "import sys; from firelift.cli.commands.completion import words; print(*words(sys.argv[1:]))"

    def completed(*arguments: str, kubeconfig: str) -> str:
        told = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "KUBECONFIG": kubeconfig},
        )
        return told.stdout.strip()

    here = str(plugin.kubeconfig)
    # The cluster is asked for two seconds, which a busy machine may need for the connection alone.
    eventually(lambda: completed("status", "-n", NAMESPACE, "completed", kubeconfig=here) == "completed-one")
    eventually(lambda: completed("status", "-n", NAMESPACE, "env/completed", kubeconfig=here) == "env/completed-two")
    eventually(lambda: completed("revert", "-n", NAMESPACE, "completed", kubeconfig=here) == "completed-one")
    assert completed("status", "-n", NAMESPACE, "completed", kubeconfig="/nowhere") == ""
