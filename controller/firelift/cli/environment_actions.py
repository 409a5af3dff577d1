"""What can be done about an environment, reason by reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from firelift.api.environment.conditions import EnvironmentConditionType, EnvironmentReason
from firelift.cli.actions import Action, Commands
from firelift.cli.common_sections import held
from firelift.cli.views import NOT_OBSERVED, EnvironmentView


def of_environment(view: EnvironmentView, flags: Sequence[str] = ()) -> tuple[Action, ...]:
    """What can be done about an environment, the most likely first."""
    commands = Commands(view.ref.argument, view.namespace, tuple(flags))
    offers = _GROUND.get(view.status.reason, _GROUND_UNDER_WAY)
    asked = (
        (_see_plan, _approve_plan, _reject_plan)
        if view.is_true(EnvironmentConditionType.AWAITING_APPROVAL) and offers is not _GROUND_ASKING
        else ()
    )
    offers = (*asked, *offers)
    if held(view):
        offers = (_resume_ground, *(offer for offer in offers if offer not in {_pause_ground, _resume_ground}))
    return tuple(action for offer in offers if (action := offer(view, commands)) is not None)


Ground = Callable[[EnvironmentView, Commands], Action | None]


def _see_plan(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("env plan"), "every change that waits, what can lose data first")


def _see_drift(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("env drift"), "what is no longer as it was applied")


def _approve_plan(view: EnvironmentView, commands: Commands) -> Action:
    changes = view.status.plan.changes if view.status.plan is not None else ()
    losing = [word for change in changes if change.can_lose_data for word in ("--loses", change.address)]
    return Action(commands("approve", *losing), "shows the plan, asks, and approves just that")


def _reject_plan(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("approve", "--reject"), "says no to this plan")


def _retry_ground(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("retry"), "raises the attempt, which tries at once")


def _pause_ground(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("pause"), "nothing more is planned, applied or repaired")


def _resume_ground(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("resume"), "lets it go on")


def _watch_ground(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands("status", "--watch"), "follows it until it is Ready")


def _edit_ground(view: EnvironmentView, commands: Commands) -> Action:
    return Action(commands.edit(view.kind.plural, view.name), "corrects it; better in Git, where it comes from")


def _allow_ground(_: EnvironmentView, commands: Commands) -> Action:
    return Action(commands.edit_namespace(), "adds it to the annotation, for who may say what the namespace may touch")


_GROUND_UNDER_WAY: tuple[Ground, ...] = (_watch_ground, _pause_ground)
_GROUND_ASKING: tuple[Ground, ...] = (_see_plan, _approve_plan, _reject_plan, _pause_ground)
_GROUND: dict[str, tuple[Ground, ...]] = {
    NOT_OBSERVED: (_watch_ground,),
    EnvironmentReason.DATABASE_NOT_ALLOWED: (_allow_ground,),
    EnvironmentReason.BUCKET_NOT_ALLOWED: (_allow_ground,),
    EnvironmentReason.INVALID_SPEC: (_edit_ground,),
    EnvironmentReason.UNSAFE_TTL: (_edit_ground,),
    EnvironmentReason.PLAN_FAILED: (_retry_ground, _edit_ground, _pause_ground),
    EnvironmentReason.APPLY_FAILED: (_retry_ground, _edit_ground, _pause_ground),
    EnvironmentReason.STATE_UNSAVED: (_retry_ground, _pause_ground),
    EnvironmentReason.INDEX_NEEDS_REPAIR: (_edit_ground, _retry_ground),
    EnvironmentReason.REJECTED: (_see_plan, _retry_ground, _edit_ground),
    EnvironmentReason.SUSPENDED: (_resume_ground,),
    EnvironmentReason.AWAITING_APPROVAL: _GROUND_ASKING,
    EnvironmentReason.READY: (_see_drift, _pause_ground),
}
