"""The tables in the READMEs of terraform/modules, as terraform-docs makes them: `make readmes` writes them."""

import subprocess
import sys
from pathlib import Path

from firelift.sandbox.builds import GoBuild, built_once

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.parent for path in (ROOT / "terraform" / "modules").glob("*/versions.tf"))
_TOOL = ROOT / "tools" / "terraform-docs"
_TIMEOUT_SECONDS = 60


def ensure_terraform_docs() -> Path:
    """Return the pinned terraform-docs, built when this machine has not yet done so (about a minute on 2 cores).

    Raises:
        ToolsError: the build failed.
        GoMissingError: there is no Go, and none could be installed.
    """
    build = GoBuild(
        name="terraform docs",
        makes="terraform-docs",
        takes="about a minute",
        module=_TOOL,
        sources=(_TOOL / "go.mod", _TOOL / "go.sum"),
        arguments=("install", "-v", "-trimpath", "-ldflags", "-s -w", "tool"),
        without_checkout="read the tables as they are",
    )
    return built_once(build, lambda _: None) / "terraform-docs"


def generate(module: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run terraform-docs on a module; with `--output-check` it only says whether the README is up to date."""
    command = [str(ensure_terraform_docs()), "--config", str(ROOT / "terraform" / ".terraform-docs.yml")]
    return subprocess.run(
        [*command, *arguments, str(module)], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
    )


def main() -> None:
    """Write the tables of every module; the exit code is that of the first one that failed."""
    for module in MODULES:
        done = generate(module)
        sys.stderr.write(done.stderr)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
