"""`python -m firelift.sandbox`: a developer's tool."""

import sys
from importlib import import_module

import click

from firelift.sandbox.builds import ToolsError
from firelift.sandbox.emulator import EmulatorMissingError
from firelift.sandbox.go import GoMissingError
from firelift.sandbox.helm import HelmError, ensure_helm
from firelift.sandbox.kubectl import KubectlError, find_kubectl
from firelift.sandbox.processes import ProcessError
from firelift.sandbox.provider import ensure_provider_mirror
from firelift.sandbox.tools import ensure_control_plane
from firelift.sandbox.up import up as keep_up

_EXPECTED = (EmulatorMissingError, GoMissingError, HelmError, KubectlError, ProcessError, ToolsError)


@click.group()
def cli() -> None:
    """Run Firelift on real parts on this machine: no cluster and no cloud are needed."""


@cli.command()
@click.option("--bare", is_flag=True, help="Without Firelift: for a release of the chart.")
def up(*, bare: bool) -> None:
    """Keep the sandbox in the foreground and print how to use it from another terminal."""
    find_kubectl()
    keep_up(bare=bare)


@cli.command()
def demo() -> None:
    """Run the demonstration; the exit code is 0 only when every check holds."""
    find_kubectl()
    import_module("firelift.sandbox.demo.__main__").main()


@cli.command()
def tools() -> None:
    """Build the control-plane binaries, Helm and the Terraform provider unless the cache has them."""
    click.echo(f"control plane: {ensure_control_plane().apiserver.parent}")
    click.echo(f"helm: {ensure_helm()}")
    click.echo(f"terraform provider: {ensure_provider_mirror()}")


def main() -> None:
    """Run the command; an error that a person can remedy is one sentence, not a traceback."""
    try:
        cli()
    except _EXPECTED as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main()
