"""The control-plane binaries, built once from pinned Go modules into a cache outside the checkout."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from firelift.sandbox.go import find_go

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
_REPORT_SECONDS = 10.0
_TAIL_LINES = 20


class ToolsError(RuntimeError):
    """The control-plane binaries are missing and could not be built; the message names the remedy."""


class ControlPlaneBinaries(NamedTuple):
    """Paths of the three executables."""

    etcd: Path
    apiserver: Path
    controller_manager: Path


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return the folder that outlives checkouts: FIRELIFT_CACHE, else XDG's cache folder, else ~/.cache/firelift."""
    if chosen := environment.get("FIRELIFT_CACHE"):
        return Path(chosen).absolute()
    xdg = environment.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "firelift"


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
    directory = cache_directory(os.environ) / "control-plane" / _key()
    with _locked(directory.with_suffix(".lock")):
        if not directory.is_dir():
            _build(directory)
    return _require(directory, f"remove {directory} to have them built again")


def _require(directory: Path, remedy: str) -> ControlPlaneBinaries:
    binaries = ControlPlaneBinaries(*(directory / name for name in _BUILT_NAMES.values()))
    missing = [path.name for path in binaries if not os.access(path, os.X_OK)]
    if missing:
        raise ToolsError(f"{directory} holds no executable {', '.join(missing)}: {remedy}")
    return binaries


def _key() -> str:
    if not (MODULE / "go.mod").is_file():
        raise ToolsError(
            f"The sandbox builds its control plane from tools/kubernetes of a source checkout, and {MODULE} is not "
            "there: it is a developer's tool. Clone the repository and install it in editable mode, or set "
            "KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager."
        )
    digest = hashlib.sha256()
    for part in [(MODULE / "go.mod").read_bytes(), (MODULE / "go.sum").read_bytes(), " ".join(_INSTALL).encode()]:
        digest.update(hashlib.sha256(part).digest())
    return f"{platform.system()}-{platform.machine()}-{digest.hexdigest()[:16]}".lower()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another run is building it; waiting for that one")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(target: Path) -> None:
    go = find_go(cache_directory(os.environ))
    _say(f"building etcd, kube-apiserver and kube-controller-manager once into {target} (3 to 5 minutes on 2 cores)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as scratch:
        built = Path(scratch) / "bin"
        log = Path(scratch) / "build.log"
        environment = {**os.environ, "GOBIN": str(built), "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603  # Go, with arguments of our own
                [go, *_INSTALL], cwd=MODULE, env=environment, stdout=output, stderr=output
            )
            code = _report_until_done(child, log)
        if code:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
            raise ToolsError(f"'go install' in {MODULE} ended with code {code}; the end of its output:\n{tail}")
        (built / "server").rename(built / "etcd")
        built.rename(target)  # in one step: a run that was killed leaves nothing that looks finished


def _report_until_done(child: subprocess.Popen[bytes], log: Path) -> int:
    started = time.monotonic()
    try:
        while True:
            try:
                return child.wait(_REPORT_SECONDS)
            except subprocess.TimeoutExpired:
                _say(f"{time.monotonic() - started:.0f} s: {_progress(log)}")
    finally:
        child.kill()
        child.wait()


def _progress(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    downloads = sum(line.startswith("go: downloading") for line in lines)
    packages = sum(not line.startswith("go:") for line in lines)
    return f"{downloads} modules downloaded, {packages} packages compiled"


def _say(sentence: str) -> None:
    sys.stderr.write(f"control plane: {sentence}\n")
    sys.stderr.flush()
