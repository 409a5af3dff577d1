"""The sandbox in the foreground: for use by hand from another terminal."""

import signal
import time
from pathlib import Path

import click

from firelift.sandbox.processes import ProcessError
from firelift.sandbox.sandbox import Sandbox

_POLL_SECONDS = 0.5


def up() -> None:
    """Start everything, print how to use it, and stay until Ctrl-C, SIGTERM or SIGHUP.

    Raises:
        ProcessError: a component has ended by itself.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with Sandbox() as sandbox:
            click.echo("starting the operator", err=True)
            sandbox.install_crds()
            sandbox.install_manifests()
            sandbox.start_operator()
            click.echo(_usage(sandbox))
            _watch(sandbox)
    except KeyboardInterrupt:
        click.echo("stopped; nothing is left behind", err=True)


def _watch(sandbox: Sandbox) -> None:
    while True:
        for process in sandbox.supervisor.processes:
            if not process.running:
                raise ProcessError(f"{process.name} has ended; the end of {process.log}:\n{process.tail()}")
        time.sleep(_POLL_SECONDS)


def _usage(sandbox: Sandbox) -> str:
    exports = "\n".join(f"export {name}={value}" for name, value in sandbox.environment().items())
    logs: Path = sandbox.supervisor.logs
    return f"""
The sandbox is up. In another terminal:

{exports}
kubectl get migrationrollouts --all-namespaces

Logs are in {logs}. Ctrl-C ends it all.
"""
