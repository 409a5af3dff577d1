"""`kubectl firelift plan`."""

from __future__ import annotations

import click

from firelift.api.plan import Check, CheckVerdict
from firelift.cli import sections, terminal, views
from firelift.cli.approvals import to_come
from firelift.cli.exits import Exit, of_cluster
from firelift.cli.kinds import ROLLOUT, Ref, RefType
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.session import Session, asks_cluster
from firelift.cli.views import RolloutView
from firelift.kube.errors import KubeError
from firelift.rollout.plan_text import TEXT_KEY

_TONES = {CheckVerdict.PASS: Tone.GOOD, CheckVerdict.WARN: Tone.WAIT, CheckVerdict.FAIL: Tone.BAD}


@click.command("plan")
@click.argument("ref", type=RefType(ROLLOUT), metavar="NAME")
@asks_cluster
async def command(session: Session, ref: Ref) -> int:
    """The plan that a rollout has made before its first write: each check, and what each phase will move and cost.

    The whole page is in a ConfigMap; where that may not be read, what the status says of it is shown. The exit code is
    1 when a check fails.
    """
    view = views.rollout(await session.read(ref))
    page = await _page(session, view)
    click.echo(page or sections.text((_checks(view), to_come(view)), width=terminal.width()))
    return Exit.FAILED if any(check.verdict is CheckVerdict.FAIL for check in view.status.preflight) else Exit.OK


async def _page(session: Session, view: RolloutView) -> str:
    plan = view.status.plan
    if plan is None or not plan.config_map:
        return ""
    path = f"/api/v1/namespaces/{view.namespace}/configmaps/{plan.config_map}"
    try:
        return str((await session.cluster.get(path)).get("data", {}).get(TEXT_KEY, "")).rstrip("\n")
    except KubeError as error:
        click.echo(f"note: ConfigMap {plan.config_map} cannot be read: {of_cluster(error).message}", err=True)
        return ""


def _checks(view: RolloutView) -> Section:
    if not view.status.preflight:
        return Section("Preflight", (Row("", unknown("nothing has been checked yet"), Tone.WAIT),))
    return Section("Preflight", tuple(_check(check) for check in view.status.preflight))


def _check(check: Check) -> Row:
    return Row(check.check, f"{check.verdict}: {check.message}", _TONES[check.verdict])
