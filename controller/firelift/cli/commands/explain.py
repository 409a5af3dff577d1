"""`kubectl firelift explain`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from firelift.cli import sections, terminal, views
from firelift.cli.explaining import explanation
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster


@click.command("explain")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@asks_cluster
async def command(session: Session, ref: Ref) -> None:
    """Why a rollout or an environment waits, what lets it go on, and who does that."""
    view = views.view(ref.kind, await session.read(ref))
    shown = explanation(view, datetime.now(UTC), session.flags)
    click.echo(sections.text(shown, width=terminal.width()))
