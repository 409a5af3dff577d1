"""`kubectl firelift resume`."""

from __future__ import annotations

import click

from firelift.cli import wishes
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.cli.verbs import carry_out, dry_run_option


@click.command("resume")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@dry_run_option
@asks_cluster
async def command(session: Session, ref: Ref, *, dry_run: bool) -> None:
    """Let what was paused go on where it stood."""
    await carry_out(session, ref, wishes.resume, dry_run=dry_run)
