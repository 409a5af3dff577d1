"""`kubectl firelift revert`."""

from __future__ import annotations

import click

from firelift.api.rollout import RevertTo
from firelift.cli import wishes
from firelift.cli.kinds import ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.cli.verbs import carry_out, dry_run_option


@click.command("revert")
@click.argument("ref", type=RefType(ROLLOUT), metavar="NAME")
@click.option(
    "--to",
    "goal",
    type=click.Choice([each.value for each in RevertTo], case_sensitive=False),
    default=None,
    help="How far back; absent: as spec.onFailure.to says.",
)
@dry_run_option
@asks_cluster
async def command(session: Session, ref: Ref, *, goal: str | None, dry_run: bool) -> None:
    """Take a rollout back and verify that. What the app has written meanwhile is kept; a pause of it is ended.

    A revert latches: `retry` starts again once it is over.
    """
    await carry_out(session, ref, lambda view: wishes.revert(view, RevertTo(goal) if goal else None), dry_run=dry_run)
