"""`kubectl firelift runs`."""

from __future__ import annotations

import asyncio

import click

from firelift.api.rollout import DatabaseRef
from firelift.cli import ledgers, tables
from firelift.cli.exits import Exit
from firelift.cli.ledgers import RunSeen
from firelift.rollout.extent import short

_HEADER = ("LEDGER", "ROLLOUT", "RUN", "STATE", "WRITES", "LANES", "SCANNED", "WRITTEN")


class _Database(click.ParamType[DatabaseRef]):
    name = "project[/database]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> DatabaseRef:
        if isinstance(value, DatabaseRef):
            return value
        project, _, name = str(value).partition("/")
        try:
            return DatabaseRef.model_validate({"project": project, **({"name": name} if name else {})})
        except ValueError:
            self.fail(f"{value!r} must be PROJECT or PROJECT/DATABASE, such as shop-prod/(default)", param, ctx)


@click.command("runs")
@click.option("--database", required=True, type=_Database(), help="PROJECT, or PROJECT/DATABASE.")
@click.option("--all", "over", is_flag=True, help="Those that are over, too.")
@click.pass_context
def command(context: click.Context, database: DatabaseRef, *, over: bool) -> None:
    """All of Firelift's that writes in a database, whichever cluster it is led from, as the ledgers in it tell.

    It asks the database with your own Google credentials, and no cluster.
    """
    found = asyncio.run(_read(database, over=over))
    if not found:
        click.echo(f"No runs found in {database.project}/{database.name}.", err=True)
    else:
        click.echo(tables.aligned([_HEADER, *map(_row, found)]))
    context.exit(Exit.OK)


async def _read(database: DatabaseRef, *, over: bool) -> list[RunSeen]:
    async with ledgers.opened(database) as store:
        return [seen for name in await ledgers.ledgers(store) for seen in await ledgers.runs(store, name, over=over)]


def _row(seen: RunSeen) -> tuple[str, ...]:
    progress = seen.progress
    owner = f"{seen.owner.name} ({seen.owner.cluster})" if seen.owner else "nobody's"
    of = f"/{short(progress.estimate)}" if progress.estimate else ""
    return (
        seen.ledger,
        owner,
        seen.run.plan.id,
        seen.run.control.state.value,
        "yes" if seen.writes else "no",
        f"{progress.sealed}/{progress.lanes}",
        f"{short(progress.scanned)}{of}",
        short(progress.totals.written),
    )
