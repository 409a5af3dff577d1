"""`kubectl firelift version`."""

from __future__ import annotations

from importlib.metadata import version as installed

import click

from firelift.api.base import API_VERSION, GROUP, VERSION
from firelift.cli.kinds import KINDS
from firelift.cli.session import Session, asks_cluster
from firelift.kube.errors import NotFound


def _client_only(context: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's signature
    if asked:
        click.echo(_client())
        context.exit()


@click.command("version")
@click.option(
    "--client", is_flag=True, is_eager=True, expose_value=False, callback=_client_only, help="Ask no cluster."
)
@asks_cluster
async def command(session: Session) -> None:
    """The versions of this plugin and of the resources that the cluster serves."""
    click.echo(_client())
    click.echo(f"cluster: {await _served(session)}")


def _client() -> str:
    return f"kubectl firelift: {installed('firelift')}, {API_VERSION}"


async def _served(session: Session) -> str:
    try:
        answer = await session.cluster.get(f"/apis/{GROUP}/{VERSION}")
    except NotFound:
        return f"none of {GROUP}; install its CRDs (the chart brings them)"
    there = {resource["name"] for resource in answer["resources"]}
    missing = [kind.plural for kind in KINDS if kind.plural not in there]
    return API_VERSION + (f", without {', '.join(missing)}" if missing else "")
