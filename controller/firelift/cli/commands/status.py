"""`kubectl firelift status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from firelift.api.conditions import ConditionType
from firelift.cli import lanes, sections, terminal, views
from firelift.cli.durations import DurationType
from firelift.cli.exits import Exit
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.output import JSON, YAML, dumped, output_option
from firelift.cli.reports import environment_report, rollout_report
from firelift.cli.screens import screen
from firelift.cli.sections import Section
from firelift.cli.session import Session, asks_cluster
from firelift.cli.views import AnyView, RolloutView
from firelift.cli.watching import follow


@click.command("status")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@click.option("-w", "--watch", is_flag=True, help="Follow it until it is over.")
@click.option(
    "--timeout", "limit", type=DurationType(), default=None, help="How long to follow it, such as 30m; exit code 3."
)
@click.option("--ledger", is_flag=True, help="Read the lanes from the ledger, with your own Google credentials.")
@output_option(JSON, YAML)
@asks_cluster
async def command(
    session: Session, ref: Ref, *, watch: bool, limit: timedelta | None, ledger: bool, output: str
) -> int:
    """Where a rollout or an environment stands, why, and what can be done.

    The exit code is 1 when it has failed, was reverted or aborted, or waits for somebody to repair something. Followed
    in a terminal it is a picture, and elsewhere a line for each change.
    """
    if watch:
        return await _watch(session, ref, limit)
    document = await session.read(ref)
    view = views.view(ref.kind, document)
    if output:
        click.echo(dumped(document, output))
    else:
        click.echo(sections.text(await _report(session, view, ledger=ledger), width=terminal.width()))
    return exit_of(view)


def exit_of(view: AnyView) -> Exit:
    """Whether it is well, as an exit code."""
    return Exit.FAILED if view.is_true(ConditionType.STALLED) else Exit.OK


async def _watch(session: Session, ref: Ref, limit: timedelta | None) -> Exit:
    async def read() -> AnyView:
        return views.view(ref.kind, await session.read(ref))

    with screen() as show:
        return await follow(read, show, limit)


async def _report(session: Session, view: AnyView, *, ledger: bool) -> tuple[Section, ...]:
    now = datetime.now(UTC)
    if isinstance(view, RolloutView):
        at_work = await _of_ledger(view) if ledger else lanes.section(await lanes.jobs_of(session, view.name))
        return rollout_report(view, now, at_work, session.flags)
    return environment_report(view, now, session.flags)


async def _of_ledger(view: RolloutView) -> Section:
    from firelift.cli.ledger_lanes import ask  # noqa: PLC0415 - Google's client takes longer to load than all the rest

    return await ask(view)
