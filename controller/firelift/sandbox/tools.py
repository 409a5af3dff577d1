"""The control-plane binaries, built once from pinned Go modules."""

import os
from pathlib import Path
from typing import NamedTuple

from firelift.sandbox.builds import GoBuild, ToolsError, built_once

MODULE = Path(__file__).resolve().parents[3] / "tools" / "kubernetes"
_VERSION_PACKAGE = "k8s.io/component-base/version"
# Without a version kubectl cannot parse what the server answers.
_LDFLAGS = (
    f"-s -w -X {_VERSION_PACKAGE}.gitVersion=v1.36.3 -X {_VERSION_PACKAGE}.gitMajor=1 -X {_VERSION_PACKAGE}.gitMinor=36"
)
_INSTALL = ("install", "-v", "-trimpath", "-ldflags", _LDFLAGS, "tool")
_BUILT_NAMES = {
    "server": "etcd",
    "kube-apiserver": "kube-apiserver",
    "kube-controller-manager": "kube-controller-manager",
}


class ControlPlaneBinaries(NamedTuple):
    """Paths of the three executables."""

    etcd: Path
    apiserver: Path
    controller_manager: Path


def ensure_control_plane() -> ControlPlaneBinaries:
    """Return the three executables, building them when this machine has not yet done so (3 to 5 minutes on 2 cores).

    `KUBEBUILDER_ASSETS`, a folder that holds all three, is used as it is. Runs that race build once.

    Raises:
        ToolsError: there is no source checkout, no Go, or the build failed.
    """
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _require(
            Path(assets), "KUBEBUILDER_ASSETS must name a folder that holds all three; unset it to build them"
        )
    build = GoBuild(
        name="control plane",
        makes="etcd, kube-apiserver and kube-controller-manager",
        takes="3 to 5 minutes",
        module=MODULE,
        sources=(MODULE / "go.mod", MODULE / "go.sum"),
        arguments=_INSTALL,
        without_checkout="set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager",
    )
    directory = built_once(build, lambda built: _rename(built / "server", "etcd"))
    return _require(directory, f"remove {directory} to have them built again")


def _rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def _require(directory: Path, remedy: str) -> ControlPlaneBinaries:
    binaries = ControlPlaneBinaries(*(directory / name for name in _BUILT_NAMES.values()))
    missing = [path.name for path in binaries if not os.access(path, os.X_OK)]
    if missing:
        raise ToolsError(f"{directory} holds no executable {', '.join(missing)}: {remedy}")
    return binaries
