"""`kubectl firelift pause`."""

from __future__ import annotations

import click

from firelift.cli import wishes
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.cli.verbs import carry_out, dry_run_option


@click.command("pause")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@dry_run_option
@asks_cluster
async def command(session: Session, ref: Ref, *, dry_run: bool) -> None:
    """Hold a rollout, a revert included, or an environment: nothing is lost, and the clock of soaks stands still."""
    await carry_out(session, ref, wishes.pause, dry_run=dry_run)
