"""The page on the plugin says what is so, and the plugin can be installed without the operator."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import yaml
from tests.cli_scene import commands_in

from firelift.cli.exits import Exit
from firelift.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "kubectl-firelift.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FOUND = [words for block in BLOCKS for words in commands_in(re.sub(r"\s+(#|>>).*", "", block))]
SHOWN = list({tuple(words): words for words in FOUND}.values())
OPERATORS = {
    "kopf",
    "structlog",
    "prometheus_client",
    "pydantic_settings",
    "python_terraform",
    "google.cloud.monitoring_v3",
}

LOAD_EVERYTHING = """
import sys, click
from firelift.cli.main import COMMANDS, cli
for name in COMMANDS:
    cli.get_command(click.Context(cli), name)
import firelift.cli.ledger_lanes, firelift.cli.screens
print(*sys.modules)
"""


def test_the_page_shows_commands_and_names_each() -> None:
    assert len(SHOWN) > 10
    table = re.findall(r"^\| `(.*?)` \|.*$|^\| (`.*?`(?:, `.*?`)*) \|", PAGE, re.MULTILINE)
    named = {each.split()[0] for row in table for cell in row for each in re.split(r"`, `", cell.strip("`")) if each}
    assert named >= COMMANDS.keys()


def test_each_exit_code_is_on_the_page() -> None:
    assert [int(code) for code in re.findall(r"^\| ([0-9]) \|", PAGE, re.MULTILINE)] == [code.value for code in Exit]


def test_the_plugin_needs_nothing_of_the_operators() -> None:
    told = subprocess.run([sys.executable, "-c", LOAD_EVERYTHING], capture_output=True, text=True, check=True)
    loaded = set(told.stdout.split())
    assert "firelift.cli.commands.status" in loaded
    assert loaded & OPERATORS == set()


def test_what_is_the_operators_is_an_extra_and_in_its_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {re.split(r"[>=<]", each)[0] for each in project["optional-dependencies"]["operator"]}
    assert {name.replace("_", "-").split(".")[0] for name in OPERATORS} - {"google"} <= extra
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert image.count("uv sync") == image.count("--extra operator") == 2


def test_the_archive_for_krew_is_the_one_that_its_manifest_names(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "plugin" / "firelift.yaml").read_text(encoding="utf-8"))
    archive = tmp_path / "plugin.tar.gz"
    said = subprocess.run(
        [str(ROOT / "plugin" / "archive.sh"), str(archive)], capture_output=True, text=True, check=True
    )
    (platform,) = manifest["spec"]["platforms"]
    assert said.stdout.strip() == platform["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert manifest["spec"]["version"] == f"v{version('firelift')}"
    launcher = (ROOT / "plugin" / "kubectl-firelift").read_text(encoding="utf-8")
    assert f"firelift=={version('firelift')}" in launcher


def test_the_launcher_of_krew_runs_the_plugin_or_says_what_is_missing(tmp_path: Path) -> None:
    launcher = str(ROOT / "plugin" / "kubectl-firelift")
    told = subprocess.run([launcher], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert told.returncode == Exit.UNREACHABLE
    assert "needs uv" in told.stderr
    fake = tmp_path / "uv"
    fake.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    fake.chmod(0o755)
    ran = subprocess.run([launcher, "list"], capture_output=True, text=True, check=True, env={"PATH": str(tmp_path)})
    assert ran.stdout == f"tool run --from firelift=={version('firelift')} kubectl-firelift list\n"
