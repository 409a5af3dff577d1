"""`kubectl firelift abort`."""

from __future__ import annotations

import click

from firelift.cli import wishes
from firelift.cli.kinds import ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.cli.verbs import carry_out, dry_run_option


@click.command("abort")
@click.argument("ref", type=RefType(ROLLOUT), metavar="NAME")
@dry_run_option
@asks_cluster
async def command(session: Session, ref: Ref, *, dry_run: bool) -> None:
    """Stop a rollout's workers; data and flags stay as they are. `revert` takes it back, `retry` lets it go on."""
    await carry_out(session, ref, wishes.abort, dry_run=dry_run)
