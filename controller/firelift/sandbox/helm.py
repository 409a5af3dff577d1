"""Helm, built once from its pinned Go module, and run as a child process."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from firelift.sandbox.builds import GoBuild, ToolsError, built_once

MODULE = Path(__file__).resolve().parents[3] / "tools" / "helm"
CHART = MODULE.parents[1] / "charts" / "firelift"
_INSTALL = ("install", "-v", "-trimpath", "-ldflags", "-s -w", "tool")
_TIMEOUT_SECONDS = 300.0


class HelmError(RuntimeError):
    """Helm answered with an error, or did not end in time."""


def ensure_helm() -> Path:
    """Return the `helm` executable, building it when this machine has not yet done so (about 90 s on 2 cores).

    `HELM_BIN`, a Helm 3.18 or later of your own, is used as it is. Runs that race build once.

    Raises:
        ToolsError: HELM_BIN names nothing that can be run, there is no source checkout, or the build failed.
        GoMissingError: there is no Go, and none could be installed.
    """
    if chosen := os.environ.get("HELM_BIN"):
        return _named(chosen)
    build = GoBuild(
        name="helm",
        makes="helm",
        takes="1 to 3 minutes",
        module=MODULE,
        sources=(MODULE / "go.mod", MODULE / "go.sum"),
        arguments=_INSTALL,
        without_checkout="set HELM_BIN to a helm of your own",
    )
    return built_once(build, lambda _: None) / "helm"


@cache
def rendered(namespace: str, templates: Sequence[str]) -> str:
    """Return what these templates of the chart say, by its default values, of a release in a namespace.

    Raises:
        HelmError: a template is not there, or is wrong.
    """
    shown = (f"--show-only=templates/{name}.yaml" for name in templates)
    with tempfile.TemporaryDirectory(prefix="firelift-helm-") as home:
        return run_helm("template", "firelift", str(CHART), f"--namespace={namespace}", *shown, home=Path(home))


def _named(chosen: str) -> Path:
    if path := shutil.which(chosen):
        return Path(path).absolute()
    raise ToolsError(
        f"HELM_BIN is {chosen}, which cannot be run: set it to the path of a helm, or unset it to build one."
    )


def run_helm(*arguments: str, home: Path, environment: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Run Helm and return what it prints; its own caches and settings are kept below `home`.

    Raises:
        HelmError: it ended with another code than 0 (the message is its own), or took more than 300 s.
    """
    folders = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    try:
        done = subprocess.run(  # noqa: S603  # Helm, built or chosen by the developer
            [ensure_helm(), *arguments],
            input=stdin,
            env={**os.environ, **folders, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HelmError(f"helm {' '.join(arguments)} did not end within {_TIMEOUT_SECONDS:g} s") from error
    if done.returncode:
        raise HelmError(f"helm {' '.join(arguments)} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout
