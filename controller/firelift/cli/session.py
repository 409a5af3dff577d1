"""The edge of every command that asks a cluster: kubectl's flags, the connection, and errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import click

from firelift.cli.exits import of_cluster
from firelift.cli.kinds import Ref
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import KubeError
from firelift.kube.kubeconfig import Impersonated, connect

P = ParamSpec("P")

_FLAGS = ("namespace", "context", "kubeconfig", "user", "groups", "request_timeout")
_OPTIONS = (
    click.option("-n", "--namespace", default="", help="The namespace; that of the context when absent."),
    click.option("--context", default="", help="The context of the kubeconfig."),
    click.option("--kubeconfig", default="", help="The kubeconfig; else KUBECONFIG, else ~/.kube/config."),
    click.option("--as", "user", default="", help="The user to act as, where you may impersonate them."),
    click.option("--as-group", "groups", multiple=True, help="A group to act as a member of; repeat it."),
    click.option("--request-timeout", default=10.0, type=click.FloatRange(0.1, 600), help="Seconds for each request."),
)


@dataclass(frozen=True, slots=True)
class Session:
    """A connection, and what was said on the command line of where to look."""

    cluster: Cluster
    namespace: str
    flags: tuple[str, ...] = ()
    """Those that lead to the same cluster again."""

    async def read(self, ref: Ref) -> Json:
        """The object as the API server has it.

        Raises:
            KubeError: it is not there, or may not be read.
        """
        return await self.cluster.get(ref.kind.path(self.namespace, ref.name))

    async def whoami(self) -> str:
        """The user whom the API server takes this connection for."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self.cluster.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        return str(answer["status"]["userInfo"]["username"])


def asks_cluster(command: Callable[Concatenate[Session, P], Awaitable[int | None]]) -> Callable[..., None]:
    """Give a command kubectl's flags, and a session as its first argument; what it returns is the exit code."""

    @wraps(command)
    def run(**kwargs: Any) -> None:
        where = {flag: kwargs.pop(flag) for flag in _FLAGS}
        finish(lambda: _asked(lambda session: command(session, **kwargs), **where))  # type: ignore[call-arg] # click gives the command just what its options name

    decorated: Callable[..., None] = run
    for option in _OPTIONS:
        decorated = option(decorated)
    return decorated


def finish(ask: Callable[[], Coroutine[Any, Any, int | None]]) -> None:
    """Run it to its end; leave with its exit code, or with the sentence of what the cluster answered."""
    try:
        code = asyncio.run(ask())
    except KubeError as error:
        raise of_cluster(error) from error
    click.get_current_context().exit(code or 0)


async def _asked(
    command: Callable[[Session], Awaitable[int | None]],
    *,
    namespace: str,
    context: str,
    kubeconfig: str,
    user: str,
    groups: tuple[str, ...],
    request_timeout: float,
) -> int | None:
    found = await connect(kubeconfig, context, impersonated=Impersonated(user, groups), timeout_seconds=request_timeout)
    given = (("--context", context), ("--kubeconfig", kubeconfig), ("--as", user), *(("--as-group", g) for g in groups))
    flags = tuple(word for flag, value in given if value for word in (flag, value))
    try:
        return await command(Session(found.cluster, namespace or found.namespace, flags))
    finally:
        await found.cluster.close()
