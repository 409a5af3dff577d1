"""What the commands that change something have in common: read, wish, send, and say what is true now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from firelift.cli import ownership, views
from firelift.cli.actions import Commands
from firelift.cli.kinds import Ref
from firelift.cli.session import Session
from firelift.cli.views import AnyView
from firelift.cli.wishes import Wish

F = TypeVar("F", bound=Callable[..., Any])


def dry_run_option(command: F) -> F:
    """`--dry-run`: the API server says whether it would take it, and nothing changes."""
    return click.option("--dry-run", is_flag=True, help="Ask the API server, but change nothing.")(command)


async def carry_out(session: Session, ref: Ref, wish: Callable[[AnyView], Wish], *, dry_run: bool) -> None:
    """Do it, and print what kubectl would: the object and what was done.

    Raises:
        KubeError: the API server does not take it.
        Problem: it makes no sense in the state that the object is in.
    """
    view = views.view(ref.kind, await session.read(ref))
    asked = wish(view)
    await ownership.send(session.cluster, view, ownership.request(view, asked), dry_run=dry_run)
    click.echo(f"{ref.kind.title(ref.name)} {asked.done}{' (server dry run)' if dry_run else ''}")
    for note in ownership.notes(view, asked):
        click.echo(f"note: {note}", err=True)
    follow = Commands(ref.argument, session.namespace, session.flags)("status", "--watch")
    if not dry_run:
        click.echo(f"follow it: {click.style(' '.join(follow), bold=True)}", err=True)
