"""What stands in code blocks is so: manifests are accepted, commands parse, values are known, programs compile."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli_scene import parse
from tests.documentation.generated import ROOT
from tests.documentation.pages import BLOCKS, PAGES, Block

from firelift.cli.linting import findings
from firelift.cli.main import COMMANDS
from firelift.cli.manifests import Manifest
from firelift.sandbox.helm import CHART

LANGUAGES = {"", "console", "yaml", "hcl", "python", "js", "go", "sql", "promql", "lua", "json"}
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
KUBECTL = {
    *("apply", "auth", "create", "delete", "describe", "edit", "explain", "get", "logs", "patch", "port-forward"),
    *("wait", "annotate", "label", "rollout"),
}
HELM = {"install", "upgrade", "uninstall", "template"}
_OMITTED = re.compile(r"…|\.\.\.")
_ENDS = re.compile(r"\s+(?:#|>>?|\||&&?|2>)(?:\s.*)?$")


def _of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def _manifests(block: Block) -> list[Any]:
    """Its documents; one that leaves something out with `...` is read up to there."""
    return list(yaml.safe_load_all(re.sub(r"^ *\.\.\.$", "", block.text, flags=re.MULTILINE)))


def _commands(program: str) -> list[list[str]]:
    """Every different command line of a program, on whichever page."""
    return list({tuple(words): words for words in _found(program)}.values())


def _found(program: str) -> Iterator[list[str]]:
    for block in _of("", "console"):
        for line in block.commands():
            for part in re.split(r"\s(?:&|\|)\s", line.strip()):
                if part.strip().startswith(f"{program} "):
                    yield shlex.split(_ENDS.sub("", part.strip()))


PLUGIN = [words for words in _commands("kubectl") if words[1] == "firelift"]
OTHERS = [words for words in _commands("kubectl") if words[1] != "firelift"]
COMPLETE = [
    (block, document)
    for block in _of("yaml")
    if not _OMITTED.search(block.text)
    for document in _manifests(block)
    if isinstance(document, dict) and str(document.get("apiVersion", "")).startswith("firelift.dev/")
]
VALUES = [
    (block, document)
    for block in _of("yaml")
    for document in _manifests(block)
    if isinstance(document, dict) and document.keys() & {"image", "operator", "worker"} and "kind" not in document
]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_in_what_language_it_is(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("block", _of("yaml"), ids=str)
def test_a_manifest_is_yaml(block: Block) -> None:
    assert any(_manifests(block))


@pytest.mark.parametrize(("block", "document"), COMPLETE, ids=[str(block) for block, _ in COMPLETE])
def test_a_whole_manifest_is_accepted(block: Block, document: dict[str, Any]) -> None:
    said = [each.line for each in findings(Manifest(str(block), document)) if each.error]
    # A part of a status is shown as the API server has it, without the spec that it belongs to.
    assert said == [] or "spec" not in document


@pytest.mark.parametrize("block", _of("python"), ids=str)
def test_a_program_compiles(block: Block) -> None:
    assert compile(block.text.replace("…", "..."), str(block), "exec").co_code


@pytest.mark.parametrize("words", PLUGIN, ids=" ".join)
def test_a_command_of_the_plugin_parses(words: list[str]) -> None:
    parse(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_of_the_plugin_that_is_named_is_there(page: Path) -> None:
    named = re.findall(r"`kubectl firelift ([a-z-]+)", page.read_text(encoding="utf-8"))
    assert set(named) <= COMMANDS.keys()


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_of_kubectl_has_a_verb_and_its_patch_is_json(words: list[str]) -> None:
    verbs = [word for word in words[1:] if word in KUBECTL]
    assert verbs, words
    for flag, value in pairwise(words):
        if flag in {"-p", "--patch"}:
            assert json.loads(value)


@pytest.mark.parametrize("words", _commands("helm"), ids=" ".join)
def test_a_command_of_helm_sets_values_that_there_are(words: list[str]) -> None:
    assert words[1] in HELM
    # `shop` is an app's own release, with a rollout in it.
    assert words[2] in {"firelift", "shop"} or words[1] == "template"
    for flag, value in pairwise(words):
        if flag == "--set":
            assert _known(SCHEMA, value.partition("=")[0].split(".")), value


@pytest.mark.parametrize(("block", "values"), VALUES, ids=[str(block) for block, _ in VALUES])
def test_values_of_the_chart_are_those_of_its_schema(block: Block, values: dict[str, Any]) -> None:
    assert [path for path in _paths(values) if not _known(SCHEMA, path)] == [], block


@pytest.mark.parametrize("words", _commands("make"), ids=" ".join)
def test_a_command_of_make_names_a_target_and_variables_that_there_are(words: list[str]) -> None:
    assert re.search(rf"^(?:[a-z ]+ )?{words[1]}[ :]", MAKEFILE, re.MULTILINE), words
    for each in words[2:]:
        assert f"$({each.partition('=')[0]})" in MAKEFILE or f"$(if $({each.partition('=')[0]})" in MAKEFILE, each


@pytest.mark.parametrize("block", _of("hcl"), ids=str)
def test_a_call_of_a_module_sets_variables_that_it_has(block: Block) -> None:
    for source, body in re.findall(r'source\s+= "([^"]*)"\n(.*?)^}', block.text, re.MULTILINE | re.DOTALL):
        folder = ROOT / source if source.startswith("./terraform/") else None
        if folder is not None:
            text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
            assert set(re.findall(r"^  (\w+) +=", body, re.MULTILINE)) <= set(re.findall(r'variable "(\w+)"', text))


def test_blocks_of_every_sort_were_found() -> None:
    assert min(len(COMPLETE), len(PLUGIN), len(_of("python")), len(_commands("helm"))) > 3


def _known(schema: dict[str, Any], path: list[str]) -> bool:
    """Whether the schema knows a value; inside a list or a map of Kubernetes' own it is not asked further."""
    for key in path:
        if "properties" not in schema:
            return True
        if key not in schema["properties"]:
            return False
        schema = schema["properties"][key]
    return True


def _paths(values: Any, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    if not isinstance(values, dict):
        yield list(path)
        return
    for key, value in values.items():
        yield from _paths(value, (*path, key))
