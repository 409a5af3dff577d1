"""`python -m firelift.cli.probe`: a line for each claim; the exit code is 1 when one that is needed is refuted."""

from __future__ import annotations

import asyncio
import os
import sys

import click
from google.auth.exceptions import GoogleAuthError

from firelift.cli.probe.checks import CLAIMS
from firelift.cli.probe.outcome import Outcome
from firelift.cli.probe.scratch import Scratch
from firelift.migration.errors import StoreError
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.store import EMULATOR_VARIABLE, FirestoreStore
from firelift.stores.firestore.transport import Patience, Transport

PATIENCE = Patience(call=60, reads=60)


@click.command()
@click.option("--project", required=True, help="The Google Cloud project.")
@click.option("--database", default="(default)", show_default=True, help="The Firestore database in it.")
def main(project: str, database: str) -> None:
    """Check what the emulator cannot show, in a collection that is deleted at the end; about 1,200 small writes."""
    try:
        bad = asyncio.run(_probe(DatabaseName(project, database)))
    except (StoreError, GoogleAuthError) as error:
        sys.exit(f"probe: {project} {database} could not be checked: {error}")
    sys.exit(1 if bad else 0)


async def _probe(name: DatabaseName) -> bool:
    """Whether something needed is refuted, or something is left behind."""
    host = os.environ.get(EMULATOR_VARIABLE)
    transport = Transport(name, host, PATIENCE)
    scratch = Scratch(name, transport, FirestoreStore(name, transport))
    click.echo(
        f"probing {name.full} {f'on the emulator {host}' if host else 'on Google Cloud'} in {scratch.collection}"
    )
    outcomes: list[Outcome] = []
    try:
        for claim in CLAIMS:
            outcomes.append(await claim.outcome(scratch))
            click.echo(outcomes[-1].line)
    finally:
        clean = await _cleaned(scratch)
        await transport.close()
    return any(each.harmful for each in outcomes) or not clean


async def _cleaned(scratch: Scratch) -> bool:
    try:
        left = await scratch.clean()
    except StoreError as error:
        click.echo(f"cleaning up failed, delete the collection group {scratch.collection} by hand: {error}")
        return False
    click.echo(f"cleaned up: {left} documents are left in {scratch.collection}")
    return left == 0


if __name__ == "__main__":
    main()
