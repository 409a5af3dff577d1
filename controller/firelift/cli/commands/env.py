"""`kubectl firelift env plan|drift`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from firelift.cli import environment_sections, sections, terminal, views
from firelift.cli.common_sections import state
from firelift.cli.exits import Exit
from firelift.cli.kinds import ENVIRONMENT, Ref, RefType
from firelift.cli.sections import Section
from firelift.cli.session import Session, asks_cluster

_MOST = 100
_TEXT = "plan.txt"


@click.group("env")
def command() -> None:
    """What an environment's plan would change, and what has drifted."""


@command.command("plan")
@click.argument("ref", type=RefType(ENVIRONMENT), metavar="NAME")
@click.option("--text", is_flag=True, help="Terraform's own text of the whole plan, from its ConfigMap.")
@asks_cluster
async def plan(session: Session, ref: Ref, *, text: bool) -> None:
    """Every change of the plan that waits, what can lose data first, with the digest that an approval names."""
    view, now = views.environment(await session.read(ref)), datetime.now(UTC)
    found = view.status.plan
    if text and found is not None:
        path = f"/api/v1/namespaces/{view.namespace}/configmaps/{found.config_map}"
        click.echo((await session.cluster.get(path)).get("data", {}).get(_TEXT, "").rstrip("\n"))
        return
    about = Section(f"{view.kind.kind} {view.namespace}/{view.name}", (state(view, now),))
    click.echo(sections.text((about, environment_sections.plan(view, most=_MOST)), width=terminal.width()))


@command.command("drift")
@click.argument("ref", type=RefType(ENVIRONMENT), metavar="NAME")
@asks_cluster
async def drift(session: Session, ref: Ref) -> int:
    """What is no longer as it was applied; the exit code is 1 when anything is."""
    view, now = views.environment(await session.read(ref)), datetime.now(UTC)
    click.echo(sections.text((environment_sections.drift(view, now),), width=terminal.width()))
    found = view.status.drift
    return Exit.FAILED if found is not None and found.changes else Exit.OK
