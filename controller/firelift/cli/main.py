"""`kubectl firelift`: the group, which loads a command when it is asked for."""

from __future__ import annotations

import os
from importlib import import_module

import click

NAME = "kubectl firelift"
PROGRAM = "kubectl-firelift"

COMMANDS = {
    "abort": "Stop a rollout's workers; data and flags stay as they are.",
    "approve": "Decide about what is asked: approve, reject, skip, override or adopt.",
    "completion": "The shell's completion: bash, zsh or fish.",
    "dead-letters": "The records that could not move, and why.",
    "env": "What an environment's plan would change, and what has drifted.",
    "explain": "Why something waits, what lets it go on, and who does that.",
    "gates": "How a gate would have decided on a recorded series.",
    "get": "One object as a row, or with -o as JSON or YAML.",
    "lint": "Refuse offline what the cluster would refuse, in the same words.",
    "list": "Rollouts, environments or approvals, in the columns of kubectl get.",
    "logs": "What a rollout's workers say.",
    "pause": "Hold a rollout, a revert included, or an environment.",
    "plan": "What each phase will move and cost, and each check before the first write.",
    "report": "A zip for a bug report, without secrets and values of documents.",
    "resume": "Let what was paused go on.",
    "retry": "Raise the attempt of what has failed, was reverted or aborted.",
    "revert": "Take a rollout back, and verify that.",
    "runs": "All that writes in a database, whichever cluster leads it.",
    "status": "Where something stands: summary, way back, gates, lanes, what you can do.",
    "version": "The versions of this plugin and of what the cluster serves.",
}
"""Each command with its line of help. The command `a-b` is `command` in `firelift.cli.commands.a_b`."""


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time, so that each starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - its base's signature
        """Their names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"firelift.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Their lines of help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def cli(context: click.Context) -> None:
    """Look at Firelift's rollouts and environments, understand why they wait, and decide about them.

    Exit codes: 0 done, well or under way; 1 failed, reverted, aborted or found wrong; 2 usage; 3 timeout; 4 not found;
    5 refused; 6 unreachable.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """The console script."""
    cli(prog_name=NAME)
