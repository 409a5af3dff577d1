"""The wheel: Terraform's modules are in it, and the installed package finds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from firelift.infra.terraform.modules import bundled_modules

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import json, firelift
from firelift.infra.terraform.modules import bundled_modules
print(json.dumps({"package": firelift.__path__[0], "modules": bundled_modules()}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation puts into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}"]
    subprocess.run(build, cwd=ROOT, check=True, timeout=120, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder / "site")
    return folder / "site"


def _told(site: Path) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-c", ASK]
    done = subprocess.run(command, env=environment, cwd=site, check=True, timeout=60, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_an_installed_package_finds_the_modules_that_came_with_it(installed: Path) -> None:
    told = _told(installed)
    assert told["package"] == str(installed / "firelift")
    assert told["modules"] == bundled_modules(ROOT / "terraform" / "modules")
    assert "environment/main.tf" in told["modules"]
    assert [path for path in told["modules"] if "/tests/" in path or "/examples/" in path] == []


def test_the_types_of_the_package_are_told(installed: Path) -> None:
    assert (installed / "firelift" / "py.typed").is_file()
