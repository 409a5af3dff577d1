"""What needs no cluster: manifests are refused in the API server's words, and gates judge what was recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.manifests import REMOVE, approval, environment, rollout
from tests.wrong_environments import WRONG_ENVIRONMENTS
from tests.wrong_manifests import WRONG_APPROVALS, WRONG_ROLLOUTS, Wrong

from firelift.cli.main import cli

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "examples"


def lint(folder: Path, *documents: Any, flags: tuple[str, ...] = ()) -> Result:
    file = folder / "manifests.yaml"
    file.write_text("\n---\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    return CliRunner().invoke(cli, ["lint", "-f", str(file), *flags])


@pytest.mark.parametrize("wrong", WRONG_ROLLOUTS)
def test_a_wrong_rollout_is_refused_with_its_sentence(wrong: Wrong, tmp_path: Path) -> None:
    told = lint(tmp_path, rollout(*wrong.edits))
    assert told.exit_code == 1
    assert (wrong.offline or wrong.sentence) in told.stdout


@pytest.mark.parametrize("wrong", WRONG_APPROVALS)
def test_a_wrong_approval_is_refused_with_its_sentence(wrong: Wrong, tmp_path: Path) -> None:
    told = lint(tmp_path, approval(*wrong.edits))
    assert told.exit_code == 1
    assert (wrong.offline or wrong.sentence) in told.stdout


@pytest.mark.parametrize("wrong", WRONG_ENVIRONMENTS)
def test_a_wrong_environment_is_refused_with_its_sentence(wrong: Wrong, tmp_path: Path) -> None:
    told = lint(tmp_path, environment(*wrong.edits))
    assert told.exit_code == 1
    assert (wrong.offline or wrong.sentence) in told.stdout


def test_what_is_right_passes(tmp_path: Path) -> None:
    told = lint(tmp_path, rollout(), environment(), approval(), {"apiVersion": "v1", "kind": "ConfigMap"})
    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr == "4 objects: 0 errors, 0 warnings\n"


def test_the_examples_pass() -> None:
    told = CliRunner().invoke(cli, ["lint", "-f", str(EXAMPLES)])
    assert (told.exit_code, told.stdout) == (0, "")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (rollout(("kind", "MigrationRollouts")), "must be one of MigrationRollout, FirestoreEnvironment"),
        (
            rollout(("apiVersion", "firelift.dev/v1")),
            "of firelift.dev/v1alpha1, not MigrationRollout of firelift.dev/v1",
        ),
        (rollout(("metadata.name", "Right_One")), "'Right_One' must be lower case"),
        (rollout(("metadata.name", REMOVE)), "metadata.name: must be given"),
        (rollout(("specs", {})), 'unknown field "specs"'),
        (rollout(("spec.gates.1.limit.condition", "value <")), "is not valid CEL"),
        (rollout(("spec.migrations.0.transform.set", {"a": "doc."})), "transform logs: "),
        (rollout(("spec.phases.0.steps.1.migrate.migrations", ["tasks"])), "which no step in front of it migrates"),
    ],
)
def test_what_the_operator_would_refuse_is_refused_before(document: Any, words: str, tmp_path: Path) -> None:
    told = lint(tmp_path, document)
    assert told.exit_code == 1
    assert words in told.stdout


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("spec.suspend", True), "spec.suspend: is on-call's"),
        (("spec.intent", "Abort"), "spec.intent: is on-call's"),
        (("spec.migrations.0.transform", {"python": {"entrypoint": "shop.m:f"}}), "is not looked at here"),
    ],
)
def test_what_is_on_calls_is_a_warning_and_with_strict_an_error(edit: Any, words: str, tmp_path: Path) -> None:
    document = rollout(edit, ("spec.migrations.0.reverse", REMOVE))
    told = lint(tmp_path, document)
    assert told.exit_code == 0
    assert words in told.stdout
    assert "error: " not in told.stdout
    assert lint(tmp_path, document, flags=("--strict",)).exit_code == 1


def namespace(**annotations: str) -> dict[str, Any]:
    found = {f"firelift.dev/{name}": value for name, value in annotations.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "annotations": found}}


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        (
            {"databases": "gym-prod/*"},
            "error: spec.database: namespace shop may not touch database",
        ),
        (
            {"databases": "productivityai-mvp/* gym"},
            "Namespace shop: error: its annotation firelift.dev/databases",
        ),
    ],
)
def test_what_a_namespace_beside_it_does_not_allow_is_refused(
    annotations: dict[str, str], words: str, tmp_path: Path
) -> None:
    for manifest in (rollout(("metadata.namespace", "shop")), environment(("metadata.namespace", "shop"))):
        told = lint(tmp_path, manifest, namespace(**annotations))
        assert words in told.stdout
        assert told.exit_code == 1


def test_what_a_namespace_allows_passes_and_another_one_says_nothing(tmp_path: Path) -> None:
    allowed = rollout(("metadata.namespace", "shop")), environment(("metadata.namespace", "shop"))
    assert lint(tmp_path, *allowed, namespace(databases="productivityai-mvp/*")).exit_code == 0
    assert lint(tmp_path, rollout(("metadata.namespace", "gym")), namespace(databases="x-prod/*")).exit_code == 0


def test_a_file_that_is_no_yaml_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("kind: MigrationRollout\nspec: [\n", encoding="utf-8")
    told = CliRunner().invoke(cli, ["lint", "-f", str(file)])
    assert told.exit_code == 1
    assert "broken.yaml line 3 is not YAML" in told.stderr


def test_a_manifest_comes_on_stdin_too() -> None:
    told = CliRunner().invoke(cli, ["lint", "-f", "-"], input=json.dumps({"kind": "List", "items": [rollout()]}))
    assert told.stderr == "1 object: 0 errors, 0 warnings\n"


def gates_test(folder: Path, lines: list[str], *flags: str, **gate: Any) -> Result:
    """Judge these lines of CSV by the rollout's ratio gate, as it is changed by `gate`."""
    edits = [(f"spec.gates.0.{name}", value) for name, value in gate.items()]
    manifest, recorded = folder / "rollout.json", folder / "series.csv"
    manifest.write_text(json.dumps(rollout(*edits)), encoding="utf-8")
    recorded.write_text("\n".join(lines), encoding="utf-8")
    names = ("--gate", "error-rate") if "--gate" not in flags else ()
    return CliRunner().invoke(
        cli, ["gates", "test", "-f", str(manifest), "--series", str(recorded), *names, *flags], color=False
    )


def ratios(*errors: int) -> list[str]:
    """A minute each, of 1,000 requests."""
    times = (START + timedelta(minutes=minute) for minute in range(len(errors)))
    return [
        "time,numerator,denominator",
        *(f"{at:%Y-%m-%dT%H:%M:%SZ},{n},1000" for at, n in zip(times, errors, strict=True)),
    ]


def test_a_series_that_breaks_the_limit_would_have_reverted_the_rollout(tmp_path: Path) -> None:
    told = gates_test(tmp_path, ratios(*[0] * 10, *[9] * 10))
    assert told.exit_code == 1
    last = told.stdout.splitlines()[-1]
    assert last.startswith("gate error-rate: ")
    assert "> 0.1% (3 of 5 samples): Revert at 2026-11-21T08:1" in last


def test_the_same_series_under_another_limit_would_have_passed(tmp_path: Path) -> None:
    told = gates_test(tmp_path, ratios(*[0] * 10, *[9] * 10), "--max", "2%", "-q")
    assert told.exit_code == 0
    assert told.stdout == "gate error-rate would not have stopped the rollout: 15 Pass\n"


def test_a_hole_in_the_series_is_no_data_and_never_success(tmp_path: Path) -> None:
    lines = ratios(*[0] * 40)
    told = gates_test(tmp_path, lines[:6] + lines[-2:], onNoData={"action": "Pause", "afterSeconds": 600})
    assert told.exit_code == 1
    assert "NoData" in told.stdout
    assert told.stdout.splitlines()[-1].startswith("gate error-rate: NoData for 600s")
    assert "Pause at " in told.stdout.splitlines()[-1]


def test_a_series_shorter_than_the_window_decides_nothing(tmp_path: Path) -> None:
    told = gates_test(tmp_path, ratios(0, 0))
    assert told.exit_code == 1
    assert "no interval can be judged" in told.stdout


def test_values_have_the_unit_that_they_are_given(tmp_path: Path) -> None:
    lines = ["time,value,samples", *(f"2026-11-21T08:{minute:02d}:00Z,0.35,50" for minute in range(12))]
    slow = gates_test(tmp_path, lines, "--unit", "s", "--max", "300ms", "-q")
    assert "350ms > 300ms" in slow.stdout
    assert gates_test(tmp_path, lines, "--unit", "s", "--max", "400ms", "-q").exit_code == 0
    unlike = gates_test(tmp_path, lines, "--unit", "By", "--max", "400ms")
    assert "Error" in unlike.stdout


@pytest.mark.parametrize(
    ("lines", "flags", "words"),
    [
        (["time,value"], (), "has no points"),
        (["time,value", "yesterday,1"], (), "line 2"),
        (["time,value", "2026-11-21T08:00:00Z,much"], (), "line 2"),
        (["a,b", "1,2"], (), "line 2"),
        (ratios(0), ("--gate", "nobody"), "there are: error-rate, dead-letters, indexes"),
        (ratios(0), ("--phase", "nowhere"), "there is no phase nowhere; there are one-percent, everyone"),
        (ratios(0), ("--max", "much"), "must be limits such as"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(
    lines: list[str], flags: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    told = gates_test(tmp_path, lines, *flags)
    assert told.exit_code == 2
    assert words in told.stderr
