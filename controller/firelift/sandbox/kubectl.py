"""kubectl as a child process."""

import os
import shutil
import subprocess
from pathlib import Path

_TIMEOUT_SECONDS = 120.0


class KubectlError(RuntimeError):
    """kubectl is missing, answered with an error, or did not end in time."""


def find_kubectl() -> str:
    """Return the kubectl command: the environment variable KUBECTL, else the one on PATH.

    Raises:
        KubectlError: there is none; the message names the remedy.
    """
    chosen = os.environ.get("KUBECTL", "kubectl")
    if path := shutil.which(chosen):
        return path
    raise KubectlError(
        f"{chosen} was not found. Install kubectl (https://kubernetes.io/docs/tasks/tools, or "
        "'gcloud components install kubectl'), or set KUBECTL to its path."
    )


def run_kubectl(kubeconfig: Path, *arguments: str, stdin: str = "") -> str:
    """Run kubectl with this kubeconfig and return what it prints.

    Raises:
        KubectlError: it ended with another code than 0 (the message is its own), or took more than 120 s.
    """
    command = [find_kubectl(), f"--kubeconfig={kubeconfig}", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  # kubectl, by the path that the developer has chosen
            command, input=stdin, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise KubectlError(f"kubectl {' '.join(arguments)} did not end within {_TIMEOUT_SECONDS:g} s") from error
    if done.returncode:
        raise KubectlError(f"kubectl {' '.join(arguments)} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout
