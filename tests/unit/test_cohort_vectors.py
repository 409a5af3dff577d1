"""The cohort hash as it is published: the table of docs/cohorts.md, and the code beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from firelift.api.cohort import BUCKETS, BUCKETS_PER_PERCENT, bucket, entity_text

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cohorts.md").read_text(encoding="utf-8")


def published() -> list[tuple[str, str, int]]:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d+) \|$", DOCUMENT, re.MULTILINE)
    return [(text(seed), text(entity), int(number)) for seed, entity, number in rows]


def text(cell: str) -> str:
    return "" if cell == "(empty)" else cell.strip("`")


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    return found[1]


def test_the_table_has_vectors() -> None:
    assert len(published()) == 10


@pytest.mark.parametrize(("seed", "entity", "number"), published())
def test_each_published_vector_is_what_firelift_computes(seed: str, entity: str, number: int) -> None:
    assert bucket(seed, entity) == number


def test_the_published_python_agrees_with_the_table() -> None:
    scope: dict[str, Any] = {}
    exec(snippet("python"), scope)  # noqa: S102 - the very text that users copy
    assert [scope["bucket"](seed, entity) for seed, entity, _ in published()] == [row[2] for row in published()]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_published_javascript_agrees_with_the_table() -> None:
    calls = "\n".join(f"console.log(bucket({seed!r}, {entity!r}));" for seed, entity, _ in published())
    program = f"{snippet('js')}\n{calls}"
    node = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)  # noqa: S607 - found on PATH above
    assert [int(line) for line in node.stdout.split()] == [row[2] for row in published()]


def test_the_constant_of_the_published_sql_is_what_it_says() -> None:
    assert "* 7296 +" in snippet("sql")
    assert 2**32 % BUCKETS == 7296


def test_a_percent_is_a_hundred_buckets() -> None:
    assert (BUCKETS, BUCKETS_PER_PERCENT) == (10_000, 100)


@pytest.mark.parametrize(("value", "hashed"), [("ada", "ada"), ("", ""), (42, "42"), (-7, "-7"), (None, None)])
def test_strings_and_integers_are_entities(value: object, hashed: str | None) -> None:
    assert entity_text(value) == hashed


@pytest.mark.parametrize("value", [True, 1.0, b"x", [], {}])
def test_any_other_type_has_no_cohort(value: object) -> None:
    with pytest.raises(TypeError, match="must be a string or an integer"):
        entity_text(value)
