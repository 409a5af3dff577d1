"""`kubectl firelift get`."""

from __future__ import annotations

import click

from firelift.cli import tables
from firelift.cli.kinds import APPROVAL, ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.output import JSON, NAME, WIDE, YAML, dumped, output_option
from firelift.cli.session import Session, asks_cluster


@click.command("get")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT, APPROVAL), metavar="[KIND/]NAME")
@output_option(JSON, YAML, WIDE, NAME)
@asks_cluster
async def command(session: Session, ref: Ref, *, output: str) -> None:
    """One object in the columns of `kubectl get`, or as it is."""
    if output in {JSON, YAML}:
        click.echo(dumped(await session.read(ref), output))
        return
    table = await session.cluster.table(ref.kind.path(session.namespace, ref.name))
    if output == NAME:
        click.echo(ref.kind.title(ref.name))
    else:
        click.echo(tables.text(table["columnDefinitions"], table["rows"], wide=output == WIDE))
