"""What on-call asks of an object: a change of `suspend`, `intent`, `revertTo` and `attempt`, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firelift.api.conditions import ConditionType, Reason
from firelift.api.rollout import Intent, RevertTo
from firelift.cli.exits import Exit, Problem
from firelift.cli.views import AnyView, RolloutView

_REVERTED = {Reason.REVERTED, Reason.REVERTED_WITH_CONFLICTS}
_OVER = {Reason.COMPLETED, *_REVERTED}


@dataclass(frozen=True, slots=True)
class Wish:
    """Fields of the spec to set and to take away, and a word for what that does."""

    done: str
    put: Mapping[str, Any] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()


def pause(view: AnyView) -> Wish:
    """Hold everything.

    Raises:
        Problem: there is nothing to hold.
    """
    if isinstance(view, RolloutView) and view.status.reason in _OVER:
        raise _refused(view, "pause")
    return Wish("paused", put={"suspend": True})


def resume(view: AnyView) -> Wish:
    """Let it go on.

    Raises:
        Problem: it is not held.
    """
    if view.spec is not None and not view.spec.suspend:
        raise Problem(f"{_called(view)} is not paused, but {view.status.reason}", Exit.REFUSED)
    return Wish("resumed", drop=frozenset({"suspend"}))


def revert(view: AnyView, goal: RevertTo | None = None) -> Wish:
    """Take it back; what holds it is taken away, because it would hold the revert too.

    Raises:
        Problem: nothing stands, or only phases in front of what was taken back, and the goal is not theirs.
    """
    if not isinstance(view, RolloutView) or _nothing_stands(view):
        raise _refused(view, "revert")
    if view.status.reason in _REVERTED and _goal(view, goal) is not RevertTo.ROLLOUT_START:
        stands = ", ".join(view.status.started_phases)
        raise Problem(
            f"{_called(view)} is {view.status.reason}, and {stands} stands: add --to {RevertTo.ROLLOUT_START.value} to"
            " take that back too",
            Exit.REFUSED,
        )
    put: dict[str, Any] = {"intent": Intent.REVERT.value}
    if goal is not None:
        put["revertTo"] = goal.value
    return Wish("asked to revert", put=put, drop=frozenset({"suspend"} if _suspended(view) else set()))


def abort(view: AnyView) -> Wish:
    """Stop the workers, and leave data and flags as they are.

    Raises:
        Problem: there is nothing to stop, or a revert was asked for, which nothing but a higher attempt leaves.
    """
    if not isinstance(view, RolloutView) or view.status.reason in _OVER:
        raise _refused(view, "abort")
    if view.spec is not None and view.spec.intent is Intent.REVERT:
        raise Problem(
            f"{_called(view)} was asked to revert, and that stays until it is over; pause it to hold it", Exit.REFUSED
        )
    return Wish("asked to abort", put={"intent": Intent.ABORT.value})


def retry(view: AnyView) -> Wish:
    """Raise the attempt, and take the intent away in the same edit.

    Raises:
        Problem: nothing has failed, been reverted or aborted, so that a higher attempt would be refused.
    """
    if view.observed and not view.is_true(ConditionType.STALLED):
        raise Problem(
            f"{_called(view)} is {view.status.reason}: there is nothing to retry; an attempt is raised when it has"
            " failed, was reverted or aborted",
            Exit.REFUSED,
        )
    spec = view.spec
    attempt = max(spec.attempt if spec is not None else 1, view.status.attempt) + 1
    drop = {"intent", "revertTo"} if isinstance(view, RolloutView) and view.spec and view.spec.intent else set()
    held = ", still paused" if _suspended(view) else ""
    return Wish(f"attempt {attempt}{held}", put={"attempt": attempt}, drop=frozenset(drop))


def _goal(view: RolloutView, asked: RevertTo | None) -> RevertTo | None:
    if asked is not None or view.spec is None:
        return asked
    return view.spec.revert_to or view.spec.on_failure.to


def _nothing_stands(view: RolloutView) -> bool:
    return view.observed and not view.status.started_phases


def _suspended(view: AnyView) -> bool:
    return view.spec is not None and view.spec.suspend


def _called(view: AnyView) -> str:
    return f"{view.kind.kind} {view.namespace}/{view.name}"


def _refused(view: AnyView, verb: str) -> Problem:
    return Problem(f"{_called(view)} is {view.status.reason}: there is nothing to {verb}", Exit.REFUSED)
