"""Tables, lines of a watch, exit codes, names of objects, and what an older plugin makes of a newer cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest
from tests.cli_scene import rollout_document, rollout_view
from tests.rollout_specs import migrate, phase
from tests.rollout_world import world

from firelift.cli import tables, views
from firelift.cli.commands.completion import words
from firelift.cli.exits import Exit, of_cluster
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.main import COMMANDS, cli
from firelift.cli.sections import Row, Section, text
from firelift.cli.sparks import bar, sparkline
from firelift.cli.watching import Lines, line, over
from firelift.kube.errors import error_of

COLUMNS: list[dict[str, Any]] = [
    {"name": "Name"},
    {"name": "Phase", "priority": 0},
    {"name": "Message", "priority": 1},
]


def row(namespace: str, *cells: object) -> dict[str, Any]:
    return {"cells": list(cells), "object": {"metadata": {"name": cells[0], "namespace": namespace}}}


def test_a_table_has_the_columns_of_the_api_server() -> None:
    rows = [row("demo", "logs", "one-percent", "all is well"), row("demo", "t", None, "two\nlines")]
    assert tables.text(COLUMNS, rows) == "NAME   PHASE\nlogs   one-percent\nt"
    wide = tables.text(COLUMNS, rows, wide=True, namespaces=True).splitlines()
    assert wide[0].split() == ["NAMESPACE", "NAME", "PHASE", "MESSAGE"]
    assert wide[2].endswith("two...")


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (404, 'migrationrollouts.firelift.dev "x" not found', Exit.NOT_FOUND),
        (404, "the server could not find the requested resource", Exit.NOT_FOUND),
        (403, 'users "eve" is forbidden', Exit.REFUSED),
        (409, "the object has been modified", Exit.REFUSED),
        (422, "`attempt` must only rise", Exit.REFUSED),
        (503, "etcd leader changed", Exit.UNREACHABLE),
    ],
)
def test_each_answer_of_the_cluster_has_its_exit_code(status: int, message: str, code: Exit) -> None:
    problem = of_cluster(error_of("GET /x", status, message))
    assert problem.exit_code is code
    assert message in problem.message or "does not know Firelift" in problem.message


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            'x is forbidden: User "nia" cannot create resource "migrationapprovals" in API group "firelift.dev"',
            "; the ClusterRole firelift-approver has that",
        ),
        (
            'x is forbidden: User "eve" cannot patch resource "migrationrollouts" in API group "firelift.dev"',
            "; the ClusterRole firelift-on-call has that",
        ),
        (
            'x is forbidden: User "eve" cannot patch resource "firestoreenvironments" in API group "firelift.dev"',
            "; the ClusterRole firelift-on-call has that",
        ),
        ('x is forbidden: User "eve" cannot list resource "pods" in API group ""', "; the ClusterRole view has that"),
        ('x is forbidden: User "eve" cannot patch resource "pods" in API group ""', ""),
        ("x is forbidden: eve must be allowed the verb revert; the ClusterRole firelift-on-call has it", ""),
    ],
)
def test_a_refusal_says_which_role_would_allow_it(refusal: str, said: str) -> None:
    assert of_cluster(error_of("GET /x", 403, refusal)).message == refusal + said


def test_the_sentence_of_an_admission_policy_comes_without_its_frame() -> None:
    frame = "x is forbidden: ValidatingAdmissionPolicy 'a.dev' with binding 'a.dev' denied request: eve may not"
    assert of_cluster(error_of("PATCH /x", 403, frame)).message == "x is forbidden: eve may not"


@pytest.mark.parametrize(
    ("value", "ref"),
    [
        ("logs", Ref(ROLLOUT, "logs")),
        ("mroll/logs", Ref(ROLLOUT, "logs")),
        ("migrationrollout.firelift.dev/logs", Ref(ROLLOUT, "logs")),
        ("env/prod", Ref(ENVIRONMENT, "prod")),
        ("FirestoreEnvironment/prod", Ref(ENVIRONMENT, "prod")),
    ],
)
def test_an_object_is_named_as_kubectl_names_it(value: str, ref: Ref) -> None:
    assert RefType(ROLLOUT, ENVIRONMENT).convert(value, None, None) == ref
    assert RefType(ROLLOUT, ENVIRONMENT).convert(ref.argument, None, None) == ref


@pytest.mark.parametrize("value", ["pod/x", "env/", "/x", ""])
def test_what_names_no_object_of_ours_is_refused(value: str) -> None:
    with pytest.raises(click.BadParameter, match="rollout/NAME or env/NAME"):
        RefType(ROLLOUT, ENVIRONMENT).convert(value, None, None)


def test_a_field_of_a_newer_cluster_hinders_nothing() -> None:
    document = rollout_document(world(phase("a", migrate(1))))
    document["status"] = {"reason": "Migrating", "warp": 9, "phases": [{"name": "a", "state": "Running", "warp": 9}]}
    document["spec"]["warp"] = {"factor": 9}
    view = views.rollout(document)
    assert view.spec is not None
    assert [each.name for each in view.status.phases] == ["a"]


def test_a_watch_tells_each_change_once_and_progress_now_and_then() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    lines, told = Lines(), []
    for seconds in range(0, 40, 2):
        one.work(0.02)
        one.turn()
        one.pass_time(2)
        view = rollout_view(one)
        if lines.worth(view, float(seconds)):
            told.append((seconds, line(view)))
    assert told[0][0] == 0
    assert 3 <= len(told) <= 6
    assert all("Migrating" in each for _, each in told)


def test_a_watch_ends_with_the_rollout() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    assert over(rollout_view(one)) is None
    one.until("Completed")
    assert over(rollout_view(one)) is Exit.OK
    assert over(views.rollout({**rollout_document(one), "metadata": _newer(one)})) is None


def _newer(one: Any) -> dict[str, Any]:
    """Of an object that was edited since the operator has looked."""
    metadata: dict[str, Any] = rollout_document(one)["metadata"]
    return {**metadata, "generation": metadata["generation"] + 1}


def test_long_lines_are_broken_where_somebody_looks_and_never_elsewhere() -> None:
    section = Section("Summary", (Row("Message", "word " * 40),))
    assert max(map(len, text([section], width=60).splitlines())) <= 68  # the title is bold
    assert len(text([section]).splitlines()) == 2


@pytest.mark.parametrize(
    ("values", "limit", "shown"),
    [
        (["0%", "0.05%", "0.1%"], "≤ 0.1%", "▁▅█"),
        (["120ms", "", "1,200ms"], "≤ 200ms", "▁·█"),
        (["0", "0"], "≤ 0", "▁▁"),
        ([], "≤ 1", ""),
    ],
)
def test_values_become_a_sparkline(values: list[str], limit: str, shown: str) -> None:
    assert sparkline(values, limit) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "░░░░"), (0.5, "██░░"), (1, "████"), (7, "████"), (-1, "░░░░")])
def test_a_share_becomes_a_bar(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_has_the_help_that_the_list_of_commands_promises(name: str) -> None:
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert command.get_help(click.Context(command, parent=context, info_name=name)).startswith("Usage: ")


def test_words_are_completed() -> None:
    assert words(["pa"]) == ["pause"]
    assert words(["env", ""]) == ["drift", "plan"]
    assert "--watch" in words(["status", "--w"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_completion(shell: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "firelift.cli", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "kubectl-firelift" in told.stdout
    assert "_KUBECTL_FIRELIFT_COMPLETE" in told.stdout


def test_without_a_cluster_there_is_a_sentence_and_no_traceback() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "firelift.cli", "list", "--kubeconfig", "/nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == Exit.UNREACHABLE
    assert told.stdout == ""
    assert told.stderr.startswith("error: choosing a cluster: there is no kubeconfig /nowhere; give --kubeconfig")
