"""`kubectl firelift report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from firelift.cli import sections
from firelift.cli.bundle import Bundle, collect
from firelift.cli.exits import Exit, Problem
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.sections import Row, Section
from firelift.cli.session import Session, asks_cluster


@click.command("report")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@click.option("--file", default="", help="Where to; absent: firelift-NAME-TIME.zip here.")
@click.option("--tail", default=500, show_default=True, type=click.IntRange(0, 10_000), help="Lines of each pod's log.")
@asks_cluster
async def command(session: Session, ref: Ref, *, file: str, tail: int) -> None:
    """A zip for a bug report: the object, what happened to it, its Jobs, pods and their logs.

    Nothing is read of the database and of Secrets. Values of the workers' variables, credentials and what looks like
    them are taken out. Names of documents can be in messages: look through it before you send it.
    """
    now = datetime.now(UTC)
    bundle = await collect(session, ref, now, tail=tail)
    path = Path(file or f"firelift-{ref.name}-{now:%Y%m%dT%H%M%SZ}.zip")
    _write(path, bundle)
    rows = tuple(Row(name, f"{len(text):,} characters") for name, text in sorted(bundle.files.items()))
    click.echo(sections.text((Section(str(path), rows),)))


def _write(path: Path, bundle: Bundle) -> None:
    try:
        path.write_bytes(bundle.zipped())
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error}; give --file", Exit.USAGE) from error
