"""What rollouts and environments have in common: where they stand, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firelift.api.conditions import ConditionType, Reason
from firelift.cli.actions import Action
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.times import between
from firelift.cli.views import AnyView

UNSEEN = unknown("the operator has not looked at it yet")
NOTHING_TO_DO = "nothing: nobody needs to, and there is no way to undo it"


def state(view: AnyView, now: datetime) -> Row:
    """Its reason, for how long, and whether the operator has seen the spec as it is now."""
    if not view.observed:
        return Row("State", UNSEEN, Tone.WAIT)
    since = f" for {between(view.since, now)}" if view.since is not None and view.since < now else ""
    paused = "; paused, until it is resumed" if held(view) and view.status.reason != Reason.SUSPENDED else ""
    behind = f"; the edit of generation {view.generation:,} has not been looked at yet" if not view.current else ""
    return Row("State", f"{view.status.reason}{since}{paused}{behind}", tone(view))


def held(view: AnyView) -> bool:
    """Whether somebody has paused it, whatever else has happened to it since."""
    return view.spec is not None and view.spec.suspend


def message(view: AnyView) -> Row:
    """The operator's own sentence."""
    return Row(
        "Message", view.status.message or (UNSEEN if not view.observed else unknown("the operator says nothing"))
    )


def tone(view: AnyView) -> Tone:
    """Red where a person is needed, green where all is well."""
    if view.is_true(ConditionType.STALLED):
        return Tone.BAD
    return Tone.GOOD if view.is_true(ConditionType.READY) else Tone.WAIT


def actions(found: Sequence[Action]) -> Section:
    """Commands to paste, each above what it leads to."""
    rows = [row for action in found for row in (Row("", action.line), Row("", f"    {action.leads_to}", Tone.DIM))]
    return Section("What you can do", tuple(rows) or (Row("", NOTHING_TO_DO),))
