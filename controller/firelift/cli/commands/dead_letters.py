"""`kubectl firelift dead-letters`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from firelift.cli import ledgers, tables, views
from firelift.cli.exits import Exit
from firelift.cli.kinds import ROLLOUT, Ref, RefType
from firelift.cli.ledgers import DeadLetter
from firelift.cli.output import JSON, YAML, counted, dumped, listed, output_option
from firelift.cli.session import Session, asks_cluster

_HEADER = ("PATH", "REASON", "RULE", "RUN", "TIME")
_SHOWN_REASONS = 5


@click.command("dead-letters")
@click.argument("ref", type=RefType(ROLLOUT), metavar="NAME")
@click.option("--all", "closed", is_flag=True, help="Those too that a later run has taken up.")
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@output_option(JSON, YAML)
@asks_cluster
async def command(session: Session, ref: Ref, *, closed: bool, most: int, output: str) -> int:
    """The records that could not move, and why, from the ledger in the database; never what was in them.

    It asks the database with your own Google credentials. The exit code is 1 when there are open ones.
    """
    database, ledger = ledgers.of(views.rollout(await session.read(ref)))
    async with ledgers.opened(database) as store:
        found, whole = await ledgers.dead_letters(store, ledger, most, closed=closed)
    if output:
        click.echo(dumped(listed([asdict(each) for each in found]), output))
    else:
        _show(found, whole=whole)
    return Exit.FAILED if any(each.open for each in found) else Exit.OK


def _show(found: list[DeadLetter], *, whole: bool) -> None:
    if not found:
        click.echo("No dead letters found.", err=True)
        return
    click.echo(tables.aligned([_HEADER, *((each.path, each.reason, each.rule, each.run, each.time) for each in found)]))
    click.echo(f"\n{counted(len(found), 'dead letter')}{'' if whole else ', and more: raise --limit'}", err=True)
    for reason, count in Counter(each.reason for each in found).most_common(_SHOWN_REASONS):
        click.echo(f"  {count:,}: {reason}", err=True)
