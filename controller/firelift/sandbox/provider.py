"""Terraform's hashicorp/google on a machine without a registry: a filesystem mirror with the sandbox's own provider."""

import os
from pathlib import Path

from firelift.infra.terraform.mirror import ADDRESS, own_platform, shortcoming
from firelift.sandbox.builds import GoBuild, ToolsError, built_once

MODULE = Path(__file__).resolve().parents[3] / "tools" / "terraform-provider-google"
VERSION = "7.45.0"
# The binary is the same for the same sources, so that a lock file stays true when the cache was emptied.
_INSTALL = ("install", "-v", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", ".")


def ensure_provider_mirror() -> Path:
    """Return a mirror for Terraform's `provider_installation`, building the provider when that was not done yet.

    `FIRELIFT_PROVIDER_MIRROR`, a mirror that holds the real provider, is used as it is. Runs that race build once;
    that takes about a minute on 2 cores.

    Raises:
        ToolsError: the mirror that is named lacks the provider, there is no source checkout, or the build failed.
        GoMissingError: there is no Go, and none could be installed.
    """
    if named := os.environ.get("FIRELIFT_PROVIDER_MIRROR"):
        return _named(Path(named).absolute())
    build = GoBuild(
        name="terraform provider",
        makes="the sandbox's hashicorp/google",
        takes="about a minute",
        module=MODULE,
        sources=tuple(_sources()),
        arguments=_INSTALL,
        without_checkout="set FIRELIFT_PROVIDER_MIRROR to a filesystem mirror that holds hashicorp/google",
    )
    return built_once(build, _arrange)


def _named(mirror: Path) -> Path:
    if lacks := shortcoming(mirror):
        raise ToolsError(f"FIRELIFT_PROVIDER_MIRROR: {lacks}, or unset it to use the sandbox's own provider.")
    return mirror


def _sources() -> list[Path]:
    return [MODULE / "go.mod", MODULE / "go.sum", *sorted(MODULE.rglob("*.go")), *sorted(MODULE.rglob("*.json"))]


def _arrange(built: Path) -> None:
    folder = built / ADDRESS / VERSION / own_platform()
    folder.mkdir(parents=True)
    (built / MODULE.name).rename(folder / f"{MODULE.name}_v{VERSION}_x5")
