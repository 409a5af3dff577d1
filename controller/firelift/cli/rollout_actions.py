"""What can be done about a rollout, reason by reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from firelift.api.conditions import ConditionType, Reason
from firelift.api.gates import LedgerMetric
from firelift.api.rollout import KIND, RevertTo, RolloutMode
from firelift.cli.actions import Action, Commands
from firelift.cli.approvals import export_of
from firelift.cli.common_sections import held
from firelift.cli.views import NOT_OBSERVED, RolloutView
from firelift.rollout.way_back import GATE as REVERT_GATE

_OF_DEAD_LETTERS = {LedgerMetric.DEAD_LETTERS, LedgerMetric.FAILURE_RATIO}
_OVERRIDE_FOR = "1h"
_GATE = re.compile(r"\bgate ([a-z0-9-]+)[: ]")


def of_rollout(view: RolloutView, now: datetime, flags: Sequence[str] = ()) -> tuple[Action, ...]:
    """What can be done about a rollout, the most likely first."""
    commands = Commands(view.ref.argument, view.namespace, tuple(flags))
    offers = _OFFERS.get(view.status.reason, _UNDER_WAY)
    if held(view):
        offers = (_resume, *(offer for offer in offers if offer not in {_pause, _resume}))
    return tuple(action for offer in offers if (action := offer(view, commands, now)) is not None)


Offer = Callable[[RolloutView, Commands, datetime], Action | None]


def _watch(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("status", "--watch"), "follows it to its end")


def _pause(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("pause"), "holds everything, a revert too; nothing is lost")


def _resume(view: RolloutView, commands: Commands, __: datetime) -> Action:
    failed = view.is_true(ConditionType.STALLED)
    return Action(commands("resume"), "takes the pause away" if failed else "lets it go on where it stood")


def _revert(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    if not view.status.started_phases:
        return None
    return Action(commands("revert"), "takes it back as far as spec.onFailure.to says, and verifies that")


def _revert_while_open(view: RolloutView, commands: Commands, now: datetime) -> Action | None:
    until = view.status.revertible_until
    return _revert(view, commands, now) if until is not None and until > now else None


def _revert_the_rest(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    if not view.status.started_phases:
        return None
    stands = ", ".join(view.status.started_phases)
    return Action(
        commands("revert", "--to", RevertTo.ROLLOUT_START.value), f"takes back what still stands too: {stands}"
    )


def _dead_letters(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    gates = [gate for phase in view.spec.phases for gate in view.spec.gates_of(phase)] if view.spec is not None else []
    measured = {gate.name for gate in gates if gate.ledger is not None and gate.ledger.metric in _OF_DEAD_LETTERS}
    if stopping_gate(view) not in measured and not any(phase.dead_letters for phase in view.status.phases):
        return None
    return Action(commands("dead-letters"), "which records could not move, and why")


def _abort(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    if view.spec is not None and view.spec.intent is not None:
        return None
    return Action(commands("abort"), "stops the workers; data and flags stay as they are, and it can still be reverted")


def _retry(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("retry"), "raises the attempt, once the cause is gone")


def _retry_judged(_: RolloutView, commands: Commands, __: datetime) -> Action:
    what = "raises the attempt, once the cause is gone: see to it yourself, the gate is not measured meanwhile"
    return Action(commands("retry"), what)


def _approve(view: RolloutView, commands: Commands, _: datetime) -> Action:
    export = export_of(view)
    named = ("--restores", export) if export else ()
    return Action(commands("approve", *named), "shows what comes, asks, and approves just that")


def _reject(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("approve", "--reject"), "says no; the rollout does what its policy says of a failure")


def _adopt(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("approve", "--adopt"), "makes the ledger this object's")


def _skip(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    return Action(commands("approve", "--skip"), f"passes step {view.status.step} over") if view.status.step else None


def _keep(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    what = f"leaves step {view.status.step} as it is and goes on with the way back"
    return Action(commands("approve", "--skip"), what) if view.status.step else None


def _override(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    gate = stopping_gate(view)
    if not gate:
        return None
    return Action(commands("approve", "--override", gate, "--for", _OVERRIDE_FOR), f"silences gate {gate} for a while")


def _override_revert_time(_: RolloutView, commands: Commands, __: datetime) -> Action:
    override = commands("approve", "--override", REVERT_GATE, "--for", _OVERRIDE_FOR)
    return Action(override, "opens this phase all the same")


def _edit(view: RolloutView, commands: Commands, _: datetime) -> Action:
    return Action(commands.edit(view.kind.plural, view.name), "corrects it; better in Git, where it comes from")


def _allow(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands.edit_namespace(), "adds it to the annotation, for who may say what the namespace may touch")


def _edit_mode(view: RolloutView, commands: Commands, now: datetime) -> Action | None:
    rehearsed = view.spec is not None and view.spec.mode is not RolloutMode.MIGRATE
    return _edit(view, commands, now) if rehearsed else None


def _logs(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("logs"), "what its workers say")


def _plan(_: RolloutView, commands: Commands, __: datetime) -> Action:
    return Action(commands("plan"), "each check, and what each phase will move and cost")


def _why_not_ready(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    required = view.spec.requires.environment if view.spec is not None else None
    if required is None:
        return None
    ground = Commands(f"env/{required.name}", commands.namespace, commands.flags)
    return Action(ground("explain"), "why the environment is not Ready")


def _ask_the_other(view: RolloutView, commands: Commands, _: datetime) -> Action | None:
    kind, _space, place = view.status.waiting_for.name.partition(" ") if view.status.waiting_for else ("", "", "")
    if kind != KIND:
        return None
    namespace, _slash, name = place.rpartition("/")
    other = Commands(name, namespace or commands.namespace, commands.flags)
    return Action(other("explain"), "how far the rollout is that this one requires")


_UNDER_WAY: tuple[Offer, ...] = (_watch, _pause, _revert, _abort)
_WAITING: tuple[Offer, ...] = (_pause, _revert, _abort)
_FAILED: tuple[Offer, ...] = (_retry, _revert, _skip, _logs, _abort)
_JUDGED: tuple[Offer, ...] = (_dead_letters, _retry_judged, _revert, _override, _skip, _abort)
_OFFERS: dict[str, tuple[Offer, ...]] = {
    NOT_OBSERVED: (_watch,),
    Reason.DATABASE_NOT_ALLOWED: (_allow, _revert, _abort),
    Reason.BUCKET_NOT_ALLOWED: (_allow, _edit, _revert, _abort),
    Reason.DATABASE_DIFFERS: (_watch,),
    Reason.LEDGER_UNREADABLE: (_watch,),
    Reason.LEDGER_LOST: (_watch,),
    Reason.LEDGER_OWNED_BY_ANOTHER: (_adopt,),
    Reason.LEDGER_FROM_ANOTHER_DATABASE: (_adopt,),
    Reason.INVALID_SPEC: (_edit, _revert, _abort),
    Reason.PLAN_DIFFERS: (_edit, _ask_the_other, _revert, _abort),
    Reason.PREFLIGHT_FAILED: (_plan, _edit, _retry),
    Reason.REVERT_FAILED: (_retry, _keep, _logs, _abort),
    Reason.GATE_FAILED: _JUDGED,
    Reason.GATE_WITHOUT_VERDICT: _JUDGED,
    Reason.STEP_FAILED: _FAILED,
    Reason.STEP_TIMED_OUT: _FAILED,
    Reason.NO_PROGRESS: (_logs, *_FAILED),
    Reason.REJECTED: (_retry, _revert, _abort),
    Reason.REVERT_TOO_LONG: (_edit, _override_revert_time, _revert, _abort),
    Reason.ABORTED: (_revert, _retry),
    Reason.REVERTED: (_dead_letters, _retry, _revert_the_rest),
    Reason.REVERTED_WITH_CONFLICTS: (_dead_letters, _retry, _revert_the_rest),
    Reason.COMPLETED: (_revert_while_open, _edit_mode),
    Reason.SUSPENDED: (_resume, _revert, _abort),
    Reason.AWAITING_APPROVAL: (_approve, _reject, _plan, _revert, _abort),
    Reason.WAITING_FOR_ENVIRONMENT: (_why_not_ready, *_WAITING),
    Reason.WAITING_FOR_ROLLOUT: (_ask_the_other, *_WAITING),
    Reason.WAITING_FOR_BACKUP: _WAITING,
    Reason.REVERTING: (_watch, _dead_letters, _pause, _abort),
    Reason.RELEASING: (_watch,),
}


def stopping_gate(view: RolloutView) -> str:
    """The gate that a rollout has stopped at; empty when it is not known."""
    if found := _GATE.search(view.status.message):
        return found.group(1)
    return next((gate.name for gate in view.status.gates if gate.verdict not in {"Pass", "Pending"}), "")
