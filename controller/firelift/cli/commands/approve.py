"""`kubectl firelift approve`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from firelift.api.approval import ApprovalDecision
from firelift.cli import sections, terminal, views
from firelift.cli.approvals import Choice, check, manifest, shown
from firelift.cli.durations import DurationType
from firelift.cli.exits import Exit, Problem
from firelift.cli.kinds import APPROVAL, ENVIRONMENT, ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.cli.verbs import dry_run_option


@click.command("approve")
@click.argument("ref", type=RefType(ROLLOUT, ENVIRONMENT), metavar="[KIND/]NAME")
@click.option("--reject", is_flag=True, help="Say no.")
@click.option("--skip", is_flag=True, help="Pass over the step that failed; on the way back, leave it as it is.")
@click.option("--override", "gate", default="", metavar="GATE", help="Silence a gate; needs --for.")
@click.option("--adopt", is_flag=True, help="Make a ledger this object's that was another's.")
@click.option("--for", "lasts", type=DurationType(), default=None, help="When the decision ends, such as 30m or 2d.")
@click.option("--comment", default="", help="Why, for those who come after.")
@click.option("--loses", multiple=True, metavar="ADDRESS", help="An address of the plan that can lose data; repeat it.")
@click.option("--during-rollouts", is_flag=True, help="Apply even while a rollout is mid-phase.")
@click.option("--restores", default="", metavar="EXPORT", help="The export that a restore step may bring back.")
@click.option("--digest", default="", help="Go on only if this is what is asked about.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@asks_cluster
async def command(  # noqa: PLR0913 - one parameter for each flag
    session: Session,
    ref: Ref,
    *,
    reject: bool,
    skip: bool,
    gate: str,
    adopt: bool,
    lasts: timedelta | None,
    comment: str,
    loses: tuple[str, ...],
    during_rollouts: bool,
    restores: str,
    digest: str,
    yes: bool,
    dry_run: bool,
) -> None:
    """Decide about what a rollout or an environment asks, bound to what is shown, in your own name."""
    decision = _decision(reject=reject, skip=skip, override=bool(gate), adopt=adopt)
    if gate and lasts is None:
        raise click.UsageError("--override needs --for: when the gate is to speak again, such as --for 1h")
    choice = Choice(decision, comment, gate, lasts, loses, during_rollouts, restores)
    view, now = views.view(ref.kind, await session.read(ref)), datetime.now(UTC)
    check(view, choice)
    body = manifest(view, choice, await session.whoami(), now)
    click.echo(sections.text(shown(view, choice, now), width=terminal.width()))
    # Whoever may not decide is told before being asked.
    await session.cluster.create(APPROVAL.path(session.namespace), body, dryRun="All")
    _agree(body["spec"]["digest"], digest, yes=yes or dry_run)
    query = {"dryRun": "All"} if dry_run else {}
    made = await session.cluster.create(APPROVAL.path(session.namespace), body, **query)
    approver = body["spec"]["approver"]
    end = " (server dry run)" if dry_run else ""
    click.echo(f"\n{APPROVAL.kind.lower()}.firelift.dev/{made['metadata']['name']} created by {approver}{end}")


def _decision(*, reject: bool, skip: bool, override: bool, adopt: bool) -> ApprovalDecision:
    asked = {
        ApprovalDecision.REJECT: reject,
        ApprovalDecision.SKIP: skip,
        ApprovalDecision.OVERRIDE: override,
        ApprovalDecision.ADOPT: adopt,
    }
    chosen = [decision for decision, given in asked.items() if given]
    if len(chosen) > 1:
        raise click.UsageError("one of --reject, --skip, --override and --adopt at a time")
    return chosen[0] if chosen else ApprovalDecision.APPROVE


def _agree(digest: str, wanted: str, *, yes: bool) -> None:
    """Whoever decides has seen just this.

    Raises:
        Problem: it is another digest, nobody can be asked, or the answer is no.
    """
    if wanted and wanted != digest:
        raise Problem(f"this is {digest}, not {wanted}: what was to be decided about has changed", Exit.REFUSED)
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem("there is nobody to ask here; say --yes to decide about just this", Exit.USAGE)
    click.confirm("\nIs that what you decide?", abort=True, err=True)
