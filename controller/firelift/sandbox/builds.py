"""Programs that the sandbox builds once from pinned Go modules, into a cache outside the checkout."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from firelift.sandbox.go import find_go

_REPORT_SECONDS = 10.0
_TAIL_LINES = 20


class ToolsError(RuntimeError):
    """A program of the sandbox is missing and could not be built; the message names the remedy."""


class GoBuild(NamedTuple):
    """What is built, from what, and how long a person waits for it."""

    name: str
    makes: str
    takes: str
    module: Path
    sources: tuple[Path, ...]
    arguments: tuple[str, ...]
    without_checkout: str


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return the folder that outlives checkouts: FIRELIFT_CACHE, else XDG's cache folder, else ~/.cache/firelift."""
    if chosen := environment.get("FIRELIFT_CACHE"):
        return Path(chosen).absolute()
    xdg = environment.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "firelift"


def built_once(build: GoBuild, arrange: Callable[[Path], None]) -> Path:
    """Return the folder with what `build` made, which `arrange` has put in order; runs that race build once.

    Raises:
        ToolsError: there is no source checkout, or the build failed.
        GoMissingError: there is no Go, and none could be installed.
    """
    directory = cache_directory(os.environ) / build.name.replace(" ", "-") / _key(build)
    with _locked(directory.with_suffix(".lock"), build):
        if not directory.is_dir():
            _build(build, directory, arrange)
    return directory


def _key(build: GoBuild) -> str:
    if not (build.module / "go.mod").is_file():
        raise ToolsError(
            f"The sandbox builds its {build.name} from tools/{build.module.name} of a source checkout, and "
            f"{build.module} is not there: it is a developer's tool. Clone the repository and install it in editable "
            f"mode, or {build.without_checkout}."
        )
    digest = hashlib.sha256()
    for part in [*(source.read_bytes() for source in build.sources), " ".join(build.arguments).encode()]:
        digest.update(hashlib.sha256(part).digest())
    return f"{platform.system()}-{platform.machine()}-{digest.hexdigest()[:16]}".lower()


@contextmanager
def _locked(path: Path, build: GoBuild) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(build, "another run is building it; waiting for that one")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(build: GoBuild, target: Path, arrange: Callable[[Path], None]) -> None:
    go = find_go(cache_directory(os.environ))
    _say(build, f"building {build.makes} once into {target} ({build.takes} on 2 cores)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as scratch:
        built = Path(scratch) / "bin"
        log = Path(scratch) / "build.log"
        environment = {**os.environ, "GOBIN": str(built), "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603  # Go, with arguments of our own
                [go, *build.arguments], cwd=build.module, env=environment, stdout=output, stderr=output
            )
            code = _report_until_done(build, child, log)
        if code:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
            raise ToolsError(f"'go install' in {build.module} ended with code {code}; the end of its output:\n{tail}")
        arrange(built)
        built.rename(target)  # in one step: a run that was killed leaves nothing that looks finished


def _report_until_done(build: GoBuild, child: subprocess.Popen[bytes], log: Path) -> int:
    started = time.monotonic()
    try:
        while True:
            try:
                return child.wait(_REPORT_SECONDS)
            except subprocess.TimeoutExpired:
                _say(build, f"{time.monotonic() - started:.0f} s: {_progress(log)}")
    finally:
        child.kill()
        child.wait()


def _progress(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    downloads = sum(line.startswith("go: downloading") for line in lines)
    packages = sum(not line.startswith("go:") for line in lines)
    return f"{downloads} modules downloaded, {packages} packages compiled"


def _say(build: GoBuild, sentence: str) -> None:
    sys.stderr.write(f"{build.name}: {sentence}\n")
    sys.stderr.flush()
