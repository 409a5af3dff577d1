"""The modules: formatted, described, valid, and planning what they promise with their own tests."""

import re
import shutil
from pathlib import Path

import pytest
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import MODULES, ROOT, generate

TREE = ROOT / "terraform"
# Their providers are in no mirror that these tests have.
_UNTRIED = {"operator"}
PLANNED = [module.name for module in MODULES if module.name not in _UNTRIED]
ROOTS = [
    str(path.parent.relative_to(TREE))
    for path in sorted([*TREE.glob("modules/*/examples/*/main.tf"), *TREE.glob("environments/*/main.tf")])
    if not _UNTRIED & set(path.parts)
]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, because `init` writes beside what it initialises."""
    return Path(shutil.copytree(TREE, tmp_path_factory.mktemp("tree") / "terraform"))


def _initialised(directory: Path, mirror: Path) -> Configuration:
    configuration = Configuration(directory, mirror, {"GOOGLE_OAUTH_ACCESS_TOKEN": "test"})
    configuration.run("init", "-backend=false")
    return configuration


def test_every_file_is_formatted(tmp_path: Path, provider_mirror: Path) -> None:
    done = Configuration(tmp_path, provider_mirror, {}).run("fmt", "-check", "-recursive", str(TREE), codes=(0, 3))

    assert done.stdout == ""


@pytest.mark.parametrize("module", PLANNED)
def test_a_modules_own_tests_pass(module: str, tree: Path, provider_mirror: Path) -> None:
    done = _initialised(tree / "modules" / module, provider_mirror).run("test", codes=(0, 1))

    passed = re.search(r"Success! ([1-9][0-9]*) passed, 0 failed", done.stdout)
    assert passed, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("root", ROOTS)
def test_an_example_is_valid(root: str, tree: Path, provider_mirror: Path) -> None:
    done = _initialised(tree / root, provider_mirror).run("validate")

    assert "The configuration is valid." in done.stdout


def test_every_module_has_an_example() -> None:
    assert [module.name for module in MODULES if not (module / "examples" / "basic" / "main.tf").is_file()] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_readme_has_the_tables_of_its_module(module: Path) -> None:
    done = generate(module, "--output-check")

    assert done.returncode == 0, f"{done.stdout}{done.stderr}: run `make readmes`"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_takes_the_provider_of_who_calls_it(module: Path) -> None:
    text = "\n".join(path.read_text() for path in module.glob("*.tf"))

    assert re.search(r"^\s*provider\s+\"", text, re.MULTILINE) is None
    assert re.search(r"^\s*backend\s+\"", text, re.MULTILINE) is None


@pytest.mark.parametrize("module", PLANNED)
def test_all_modules_ask_for_the_same_provider(module: str) -> None:
    asked = (TREE / "modules" / module / "versions.tf").read_text()

    assert asked == (TREE / "modules" / "environment" / "versions.tf").read_text()
    assert '">= 7.40.0, < 8.0.0"' in asked
