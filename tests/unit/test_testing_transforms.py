"""The fixture that users test their migrations with."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.moving import COPY, IN_PLACE

from firelift.functions import Context, Document
from firelift.migration.errors import TransformUnusable
from firelift.testing import (
    DeadLetter,
    GeoPoint,
    InputChanged,
    LeftAlone,
    Moved,
    NotRepeatable,
    Reference,
    TransformTester,
    Vector,
)

EXACT: dict[str, Any] = {
    "n": 1,
    "x": 1.0,
    "ref": Reference("users/ada"),
    "at": GeoPoint(48.5, 16.25),
    "vector": Vector((1.0, 2.0)),
    "deep": {"list": [GeoPoint(0.0, 0.0), {"b": b"\0"}]},
}

NUMBERS = count()


def keeping(doc: Document, _: Context) -> Document:
    return {**doc, "added": True}


def counting(doc: Document, _: Context) -> Document:
    return {**doc, "n": next(NUMBERS)}


def in_its_input(doc: Document, _: Context) -> Document:
    doc["deep"]["more"] = 1
    return doc


def leaving(doc: Document, _: Context) -> Document | None:
    return None if doc.get("quiet") else {"n": 1 / doc["n"]}


def of(function: str, **options: Any) -> TransformTester:
    return TransformTester.of_entrypoint(f"{__name__}:{function}", **options)


def test_every_type_is_told_apart_and_kept() -> None:
    assert of("keeping").run(EXACT, path="sources/7") == Moved("targets/7", {**EXACT, "added": True})


@pytest.mark.parametrize("other", [{"n": 1.0}, {"n": True}, {"ref": "users/ada"}, {"vector": [1.0, 2.0]}])
def test_a_result_of_another_type_is_another_result(other: dict[str, Any]) -> None:
    assert of("keeping").run(EXACT) != Moved("targets/1", {**EXACT, **other, "added": True})


def test_outcomes_are_those_of_the_worker() -> None:
    tester = of("leaving")
    assert tester.run({"quiet": True}) == LeftAlone("the transform answered None")
    letter = tester.run({"n": 0})
    assert letter == DeadLetter(f"transform.python {__name__}:leaving", "ZeroDivisionError: division by zero")


def test_a_function_that_answers_by_chance_is_told() -> None:
    with pytest.raises(NotRepeatable, match="sources/1: n is another integer when it was run again"):
        of("counting").run({"n": 1})


def test_a_function_that_changes_its_input_is_told_unless_that_is_allowed() -> None:
    with pytest.raises(InputChanged, match="changed the document that it was given, at deep"):
        of("in_its_input").run({"deep": {}})
    allowed = of("in_its_input", may_change_input=True).run({"deep": {}})
    assert allowed == Moved("targets/1", {"deep": {"more": 1}})


def test_a_function_that_no_worker_would_load_is_refused_with_the_workers_sentence() -> None:
    with pytest.raises(TransformUnusable, match="must be a plain function"):
        of("EXACT")


def test_a_declared_migration_runs_with_its_rules() -> None:
    spec = {**COPY, "validate": [{"rule": "out.calories >= 0", "message": "no negative calories"}]}
    tester = TransformTester.of_migration(spec)
    assert tester.run({"userId": "ada", "calories": 1}, path="fitness_logs/1") == Moved(
        "users/ada/fitness_logs/1", {"userId": "ada", "calories": 1}
    )
    assert tester.run({"userId": "ada", "calories": -1}) == DeadLetter("out.calories >= 0", "no negative calories")


def test_documents_may_be_in_the_json_of_firestore() -> None:
    document = {
        "name": "projects/p/databases/(default)/documents/tasks/9",
        "fields": {
            "name": {"stringValue": "x"},
            "n": {"integerValue": "3"},
            "owner": {"referenceValue": "projects/p/databases/(default)/documents/users/ada"},
        },
    }
    result = TransformTester.of_migration(IN_PLACE).run_json(document)
    assert result == Moved("tasks/9", {"title": "x", "n": 3, "owner": Reference("users/ada")})
    with pytest.raises(ValueError, match="no document in Firestore's JSON"):
        TransformTester.of_migration(IN_PLACE).run_json({"fields": {"n": 3}})


def test_a_manifest_is_read_by_the_migrations_name(tmp_path: Path) -> None:
    manifest = tmp_path / "rollout.yaml"
    manifest.write_text(
        "kind: ConfigMap\n---\nspec:\n  migrations:\n  - {name: tasks, source: {collection: tasks},"
        " target: {inPlace: {}}, appliesWhen: '!has(doc.title)', transform: {rename: {name: title}}}\n"
    )
    assert TransformTester.of_manifest(manifest, "tasks").run({"name": "x"}, path="tasks/1") == Moved(
        "tasks/1", {"title": "x"}
    )
    with pytest.raises(LookupError, match="has no migration logs; it has tasks"):
        TransformTester.of_manifest(manifest, "logs")


def test_the_pytest_fixture_finds_a_manifest_beside_the_test(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(yaml.safe_dump({"spec": {"migrations": [IN_PLACE]}}))
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["firelift.testing.plugin"]\n')
    (tmp_path / "test_mine.py").write_text(
        "def test_tasks(firelift_migration):\n"
        '    tasks = firelift_migration("rollout.yaml", "tasks")\n'
        '    assert tasks.run({"name": "x"}, path="tasks/1").fields == {"title": "x"}\n'
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "1 passed" in ran.stdout
