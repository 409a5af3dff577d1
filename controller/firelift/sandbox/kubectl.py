"""kubectl as a child process."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

_TIMEOUT_SECONDS = 120.0
_ESTABLISHED_SECONDS = 60.0
_POLL_SECONDS = 0.2


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


def wait_until_established(kubeconfig: Path, *resources: str) -> None:
    """Wait until the API server serves custom resources that were applied; `resources` are arguments of `kubectl get`.

    `kubectl wait` ends with an error when it looks before the API server has written the first condition.

    Raises:
        KubectlError: one of them is not served after 60 s; the message names it.
    """
    deadline = time.monotonic() + _ESTABLISHED_SECONDS
    while missing := _not_established(json.loads(run_kubectl(kubeconfig, "get", *resources, "-o", "json"))):
        if time.monotonic() > deadline:
            raise KubectlError(f"not served {_ESTABLISHED_SECONDS:g} s after they were applied: {', '.join(missing)}")
        time.sleep(_POLL_SECONDS)


def _not_established(found: dict[str, Any]) -> list[str]:
    return [each["metadata"]["name"] for each in found.get("items", [found]) if not _established(each)]


def _established(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
