"""`kubectl firelift completion`: how a shell learns to complete."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from click.shell_completion import ShellComplete, get_completion_class

from firelift.cli.main import PROGRAM, cli

_VARIABLE = "_KUBECTL_FIRELIFT_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")
_NO_FILES = ":4"
"""kubectl's own words for: do not complete names of files besides."""


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script that completes `kubectl-firelift` in a shell; source it in the shell's start-up file.

    `kubectl firelift` is completed by kubectl's own completion, which asks `kubectl_complete-firelift` for the words.
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not a shell that click completes in")
    click.echo(found(cli, {}, PROGRAM, _VARIABLE).source())


def words(arguments: Sequence[str]) -> list[str]:
    """What may stand in place of the last of the arguments."""
    *before, incomplete = arguments or [""]
    complete = ShellComplete(cli, {}, PROGRAM, _VARIABLE)
    return [item.value for item in complete.get_completions(list(before), incomplete) if item.type == "plain"]


def for_kubectl() -> None:
    """The console script `kubectl_complete-firelift`: a line for each word, then what kubectl is to do with them."""
    click.echo("\n".join([*words(sys.argv[1:]), _NO_FILES]))
