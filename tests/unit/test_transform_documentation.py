"""The examples of docs/transforms.md work as they stand there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.moving import KIT, NOW, document, plain

from firelift.api.migration import MigrationSpec
from firelift.functions import Context
from firelift.migration.transform.reverse import compile_reverse
from firelift.migration.transform.transform import Result, compile_transform

DOCUMENT = (Path(__file__).parents[2] / "docs" / "transforms.md").read_text(encoding="utf-8")

SOURCES: dict[str, dict[str, Any]] = {
    "fitness-logs": {"userId": "ada", "type": "run", "odd.name": 1, "ts": 0, "calories": 5},
    "tasks-in-place": {"name": "x"},
    "logs-both-ways": {"userId": "ada", "type": "run", "ts": 0},
}


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("manifest", [yaml.safe_load(text) for text in examples("yaml")], ids=lambda each: each["name"])
def test_a_documented_migration_moves_a_document(manifest: dict[str, Any]) -> None:
    moved = compile_transform(MigrationSpec.model_validate(manifest), KIT, NOW)
    source = document("fitness_logs/1", **SOURCES[manifest["name"]])
    outcome = moved.attempt(source)
    assert isinstance(outcome, Result)
    if moved.spec.reverse:
        back = compile_reverse(moved).back(replace(source, path=outcome.target, fields=outcome.fields))
        assert back == Result(source.path, source.fields)
        return
    assert set(plain(outcome.fields)) >= ({"logType", "details", "createdAt"} if moved.template else {"title"})


def test_the_documented_function_is_one() -> None:
    (text,) = examples("python")
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102 - the very text that users copy
    assert scope["convert"]({"name": " x "}, Context("1", "tasks/1", None, NOW)) == {"name": "x", "movedAt": NOW}


def test_the_documented_tests_of_a_transform_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = [yaml.safe_load(text) for text in examples("yaml")][:1]
    del migrations[0]["transform"]["set"], migrations[0]["validate"], migrations[0]["transform"]["remove"]
    (tmp_path / "rollout.yaml").write_text(yaml.safe_dump({"spec": {"migrations": migrations}}))
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "testing-transforms.md").read_text(encoding="utf-8")
    scope: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], scope)  # noqa: S102 - the very text that users copy
    tests = [each for name, each in scope.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()
