"""What an approval is about, shown before it is asked for, and the object that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from firelift.api.approval import KIND, ApprovalDecision
from firelift.api.base import API_VERSION
from firelift.api.plan import PhaseEstimate
from firelift.cli import environment_sections
from firelift.cli.common_sections import message, state
from firelift.cli.exits import Exit, Problem
from firelift.cli.rollout_sections import gates
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.views import AnyView, EnvironmentView, RolloutView
from firelift.kube.client import Json


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody has decided."""

    decision: ApprovalDecision
    comment: str = ""
    gate: str = ""
    lasts: timedelta | None = None
    loses: tuple[str, ...] = ()
    during_rollouts: bool = False
    restores: str = ""


def digest_of(view: AnyView) -> str:
    """What a decision is bound to.

    Raises:
        Problem: there is nothing to decide about.
    """
    if isinstance(view, RolloutView):
        digest = view.status.approval.digest if view.status.approval is not None else ""
    else:
        digest = view.status.plan.digest if view.status.plan is not None else ""
    if not digest:
        state_now = view.status.reason or "not looked at yet"
        raise Problem(f"{view.kind.kind} {view.name} asks for no decision: it is {state_now}", Exit.REFUSED)
    return digest


def check(view: AnyView, choice: Choice) -> None:
    """Refuse what the operator would not heed.

    Raises:
        Problem: with what to say instead.
    """
    if isinstance(view, EnvironmentView):
        _check_environment(view, choice)
    else:
        _check_rollout(view, choice)


def shown(view: AnyView, choice: Choice, now: datetime) -> tuple[Section, ...]:
    """What is decided about, as far as anybody can know."""
    rows = (
        state(view, now),
        message(view),
        Row("Decision", f"{choice.decision}{f' of gate {choice.gate}' if choice.gate else ''}"),
        Row("Digest", digest_of(view)),
    )
    about = Section(f"{view.kind.kind} {view.namespace}/{view.name}", rows)
    if isinstance(view, RolloutView):
        return (about, to_come(view), gates(view, now))
    return (about, environment_sections.plan(view, most=100))


def to_come(view: RolloutView) -> Section:
    """The phases that are still to come, with what the last plan has found of each."""
    plan = view.status.plan
    if plan is None or not plan.phases:
        return Section("To come", (Row("", unknown("no plan has been made yet"), Tone.WAIT),))
    image = view.status.worker_image or unknown("none is pinned yet")
    done = {phase.name for phase in view.status.phases if phase.state == "Done"}
    left = [phase for phase in plan.phases if phase.name not in done]
    return Section("To come", (*map(estimate, left), Row("worker image", image)))


def estimate(phase: PhaseEstimate) -> Row:
    """What a phase will move and cost."""
    text = (
        f"{phase.documents:,} documents, {phase.reads:,} reads, {phase.writes:,} writes, {phase.money or 'no price'},"
        f" {phase.minutes:,} min of work and {phase.waiting_minutes:,} min of waiting"
    )
    return Row(phase.name, text)


def manifest(view: AnyView, choice: Choice, approver: str, now: datetime) -> Json:
    """The MigrationApproval."""
    spec: Json = {
        "target": {"kind": view.kind.kind, "name": view.name},
        "digest": digest_of(view),
        "decision": choice.decision.value,
        "approver": approver,
    }
    optional = {
        "comment": choice.comment,
        "gate": choice.gate,
        "loses": list(choice.loses),
        "restores": choice.restores,
    }
    spec.update({name: value for name, value in optional.items() if value})
    if choice.lasts is not None:
        spec["expiresTime"] = f"{now + choice.lasts:%Y-%m-%dT%H:%M:%SZ}"
    if choice.during_rollouts:
        spec["duringRollouts"] = True
    metadata = {"generateName": f"{view.name[:200]}-", "namespace": view.namespace}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def _check_rollout(view: RolloutView, choice: Choice) -> None:
    if choice.loses or choice.during_rollouts:
        raise Problem("--loses and --during-rollouts are of environments", Exit.USAGE)
    export = export_of(view) if choice.decision is ApprovalDecision.APPROVE else ""
    if export and choice.restores != export:
        raise Problem(
            f"step {view.status.step} brings an export back over what is there now, and it must be named: add "
            f"--restores '{export}'",
            Exit.USAGE,
        )
    if choice.restores and not export:
        raise Problem("--restores is for the approval of a restore step, and the rollout is at none", Exit.USAGE)


def export_of(view: RolloutView) -> str:
    """What the step that the rollout is at brings back; empty when it is no restore step."""
    phases = [phase for phase in view.spec.phases if phase.name == view.status.phase] if view.spec is not None else []
    steps = [step for phase in phases for step in phase.steps if step.key == view.status.step]
    return next((step.restore.export for step in steps if step.restore is not None), "")


def _check_environment(view: EnvironmentView, choice: Choice) -> None:
    if choice.restores:
        raise Problem("--restores is of rollouts", Exit.USAGE)
    if choice.decision not in {ApprovalDecision.APPROVE, ApprovalDecision.REJECT}:
        raise Problem(f"an environment's plan is approved or rejected, not {choice.decision}", Exit.USAGE)
    if choice.decision is ApprovalDecision.REJECT or view.status.plan is None:
        return
    losing = [change.address for change in view.status.plan.changes if change.can_lose_data]
    _each_named(losing, choice.loses)


def _each_named(losing: Sequence[str], named: Sequence[str]) -> None:
    if strangers := [address for address in named if address not in losing]:
        raise Problem(f"nothing of this plan loses data at {', '.join(strangers)}; see `env plan`", Exit.USAGE)
    if missing := [address for address in losing if address not in named]:
        words = " ".join(f"--loses '{address}'" for address in missing)
        raise Problem(f"this plan can lose data, and each address must be named: add {words}", Exit.USAGE)
