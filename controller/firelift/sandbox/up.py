"""The sandbox in the foreground: for use by hand from another terminal."""

import signal
import time
from typing import NamedTuple

import click

from firelift.sandbox.helm import CHART, ensure_helm
from firelift.sandbox.ports import answers, free_port
from firelift.sandbox.processes import Process, ProcessError
from firelift.sandbox.sandbox import OPERATOR_NAMESPACE, Sandbox

_POLL_SECONDS = 0.5
_OPERATOR_SECONDS = 120.0


class Ports(NamedTuple):
    """The operator's."""

    health: int
    page: int


def up(*, bare: bool = False) -> None:
    """Start everything, print how to use it, and stay until Ctrl-C, SIGTERM or SIGHUP.

    A `bare` sandbox has neither custom resources nor an operator: a release of the chart brings them.

    Raises:
        ProcessError: a component has ended by itself, or was not ready in time.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        click.echo("starting the control plane, a node, the Firestore emulator and the Google Cloud stand-in", err=True)
        with Sandbox() as sandbox:
            _keep_bare(sandbox) if bare else _keep(sandbox)
    except KeyboardInterrupt:
        click.echo("stopped; nothing is left behind", err=True)


def _keep(sandbox: Sandbox) -> None:
    click.echo("installing the custom resources and the operator's rights", err=True)
    sandbox.install_crds()
    sandbox.install_manifests()
    ports = Ports(free_port(), free_port())
    operator = _start_operator(sandbox, ports)
    click.echo(_usage(sandbox, ports))
    _watch(sandbox, operator, ports)


def _keep_bare(sandbox: Sandbox) -> None:
    click.echo(_bare_usage(sandbox))
    while True:
        _check_parts(sandbox)


def _start_operator(sandbox: Sandbox, ports: Ports) -> Process:
    click.echo("starting the operator", err=True)
    operator = sandbox.start_operator(
        environment={"FIRELIFT_HEALTH_PORT": str(ports.health), "FIRELIFT_PAGE_PORT": str(ports.page)}
    )
    operator.wait_until(lambda: answers(ports.health, "/healthz"), seconds=_OPERATOR_SECONDS)
    return operator


def _watch(sandbox: Sandbox, operator: Process, ports: Ports) -> None:
    while True:
        if not operator.running:  # a Deployment would start it again, too
            click.echo(f"the operator (pid {operator.pid}) has ended; its last line: {operator.tail(1)}", err=True)
            sandbox.supervisor.forget(operator)
            operator = _start_operator(sandbox, ports)
        _check_parts(sandbox, operator)


def _check_parts(sandbox: Sandbox, operator: Process | None = None) -> None:
    for process in sandbox.supervisor.processes:
        if process is not operator and not process.running:
            raise ProcessError(f"{process.name} has ended; the end of {process.log}:\n{process.tail()}")
    time.sleep(_POLL_SECONDS)


def _exports(sandbox: Sandbox) -> str:
    return "\n".join(f"export {name}={value}" for name, value in sandbox.environment().items())


def _bare_usage(sandbox: Sandbox) -> str:
    install = f"install firelift {CHART} --namespace {OPERATOR_NAMESPACE} --create-namespace"
    return f"""
The sandbox is up, without Firelift. In another terminal:

{_exports(sandbox)}
{ensure_helm()} {install} --set operator.healthPort={free_port()} --wait

No image is pulled: pods run the commands of this checkout. Logs are in {sandbox.supervisor.logs}. Ctrl-C ends it all.
"""


def _usage(sandbox: Sandbox, ports: Ports) -> str:
    return f"""
The sandbox is up. In another terminal:

{_exports(sandbox)}
kubectl get migrationrollouts --all-namespaces

Watch it in a browser: http://127.0.0.1:{ports.page}/
The operator's health is at http://127.0.0.1:{ports.health}/healthz, its metrics at /metrics.
Logs are in {sandbox.supervisor.logs}. Ctrl-C ends it all.
"""
