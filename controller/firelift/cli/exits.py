"""How the command line ends: exit codes that scripts may rely on, and errors as one sentence."""

from __future__ import annotations

import re
import sys
from enum import IntEnum
from typing import IO, Any

import click

from firelift.api.approval import PLURAL as APPROVALS
from firelift.api.base import GROUP
from firelift.api.environment import PLURAL as ENVIRONMENTS
from firelift.api.rollout import PLURAL as ROLLOUTS
from firelift.kube.errors import Changed, KubeError, NotFound, Refused, Unreachable
from firelift.kube.kubeconfig import BadKubeconfig

_ON_CALL = "firelift-on-call"
_BY_POLICY = re.compile(r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: ")
_BY_RBAC = re.compile(r'cannot (\w+) resource "([\w/]+)" in API group "([\w.]*)"')
_READS = {"get", "list", "watch"}
_NO_RESOURCE = ("could not find the requested resource", "page not found")


class Exit(IntEnum):
    """The exit codes, documented in docs/kubectl-firelift.md."""

    OK = 0
    """It was done; what was asked about is well or under way."""
    FAILED = 1
    """What was asked about has failed, was reverted or aborted, or was found wrong."""
    USAGE = 2
    """The command line makes no sense."""
    TIMEOUT = 3
    """What was waited for has not happened in the time given."""
    NOT_FOUND = 4
    """There is no such object, or the cluster does not know Firelift."""
    REFUSED = 5
    """The API server, or the state of the object, does not allow it."""
    UNREACHABLE = 6
    """The cluster or the database did not answer, or nothing says which one to ask."""


_CODES: tuple[tuple[type[KubeError], Exit], ...] = (
    (NotFound, Exit.NOT_FOUND),
    (Changed, Exit.REFUSED),
    (Refused, Exit.REFUSED),
)


class Problem(click.ClickException):
    """An error as a sentence on stderr, with its exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it as kubectl prints its own."""
        click.echo(f"error: {self.format_message()}", file=file or sys.stderr)


def of_cluster(error: KubeError) -> Problem:
    """What an answer of the API server means to a person, and what to do about it."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), Exit.UNREACHABLE)
    match error:
        case NotFound() if any(words in error.message for words in _NO_RESOURCE):
            message = "this cluster does not know Firelift's resources; install its CRDs (the chart brings them)"
        case BadKubeconfig():
            message = str(error)
        case Unreachable():
            message = f"the cluster does not answer: {error}; see `kubectl cluster-info`"
        case Changed():
            message = f"{error.message}; somebody else has changed it meanwhile: look again"
        case _:
            message = _BY_POLICY.sub("", error.message) + _remedy(error.message)
    return Problem(message, code)


def _remedy(refusal: str) -> str:
    """The ClusterRole that would allow what RBAC has refused; the policies name theirs themselves."""
    if (found := _BY_RBAC.search(refusal)) is None:
        return ""
    verb, resource, group = found.groups()
    if verb in _READS:
        return "; the ClusterRole view has that"
    roles = {
        ("create", APPROVALS): "firelift-approver",
        ("patch", ROLLOUTS): _ON_CALL,
        ("patch", ENVIRONMENTS): _ON_CALL,
    }
    role = roles.get((verb, resource)) if group == GROUP else None
    return f"; the ClusterRole {role} has that" if role else ""
