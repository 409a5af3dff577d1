"""The generated parts of the pages are those of the code, and leave nothing out."""

from __future__ import annotations

import re

import pytest
from tests.cli_scene import parse
from tests.documentation import waiting
from tests.documentation.fields import fields
from tests.documentation.generated import ROOT, Part, cell
from tests.documentation.parts import PARTS

from firelift.api import crd
from firelift.cli.actions import Action

FAQ = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
REASONS = [
    *((f"rollout {reason}", waiting.rollout_actions(reason)) for reason in waiting.rollout_reasons()),
    *((f"environment {reason}", waiting.environment_actions(reason)) for reason in waiting.environment_reasons()),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.page}#{part.name}")
def test_a_generated_part_is_that_of_the_code(part: Part) -> None:
    # One value, so that a long difference of two pages is not computed.
    same = part.path.read_text(encoding="utf-8") == part.expected()
    assert same, "run `make readmes`"


@pytest.mark.parametrize("kind", crd.KINDS, ids=lambda kind: str(kind.kind))
def test_each_field_of_a_kind_is_told_with_its_meaning(kind: crd.Kind) -> None:
    (version,) = crd.crd(kind)["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]["properties"]
    found = [each for part in ("spec", "status") if part in root for each in fields("", root[part])]
    assert len(found) > 10
    assert [path for path, schema, _ in found if not schema.get("description")] == []


def test_every_reason_has_its_section() -> None:
    headings = re.findall(r"^### `(\w+)`( of an environment)?$", FAQ, re.MULTILINE)
    assert [name for name, ground in headings if not ground] == list(waiting.rollout_reasons())
    assert [name for name, ground in headings if ground] == list(waiting.environment_reasons())


@pytest.mark.parametrize(("reason", "actions"), REASONS, ids=[reason for reason, _ in REASONS])
def test_every_reason_has_a_command_that_parses(reason: str, actions: tuple[Action, ...]) -> None:
    assert actions, reason
    for action in actions:
        parse(list(action.words))


def test_a_cell_keeps_its_code_and_cannot_break_its_table() -> None:
    assert cell("a * b\nc < d | `<x> * | y` and ``z``") == "a \\* b c &lt; d \\| `<x> * \\| y` and `z`"
