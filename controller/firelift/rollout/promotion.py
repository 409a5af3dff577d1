"""What of a rollout is proof for another one: the parts of its plan that decide what becomes of the data.

What differs from place to place is no part of it: database, worker's environment and pods, pace, prices, gates, and how
long anything waits. A field that has its default counts as one that is not there, so that a digest outlives fields that
are added later.
"""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.base import Model
from firelift.api.digest import digest
from firelift.api.requires import Same
from firelift.api.rollout import PhaseSpec
from firelift.api.status import PromotedPart, PromotionStatus
from firelift.api.steps import StepSpec
from firelift.rollout.approvals import migrations_of
from firelift.rollout.plan_inputs import image
from firelift.rollout.state import Mode
from firelift.rollout.turn import Turn

IMAGE = "image"

_WAITING = {"approve", "backup", "indexes", "soak"}
"""Verbs that touch neither the app's data nor its flags: who is asked, and for how long, is each place's own."""
_OF_ITS_PLACE: dict[str, set[str]] = {
    "flags": {"propagation_seconds"},
    "verify": {"sample", "max_mismatch", "recheck_seconds"},
    "restore": {"export"},
    "sweep": {"max_passes", "pause_seconds"},
}
"""How long and how strictly the others look, and where from."""
_SHOWN_DIGITS = len("sha256:") + 16


def promotion(turn: Turn) -> PromotionStatus:
    """The plan of the phases that have started, as they were frozen, and of those of the spec behind them."""
    parts = _parts(turn)
    shown = (PromotedPart(name=name, digest=value[:_SHOWN_DIGITS]) for name, value in parts.items())
    completed = turn.state.finished if turn.state.mode is Mode.SUCCEEDED else None
    return PromotionStatus(digest=_whole(parts, Same.PLAN), parts=tuple(shown), completed_time=completed)


def migrations_digest(turn: Turn) -> str:
    """Of the migrations that the phases use, and of the worker's image."""
    return _whole(_parts(turn), Same.MIGRATIONS)


def differing(mine: PromotionStatus, theirs: PromotionStatus, same: Same) -> tuple[str, ...]:
    """The names of the parts that are not the same; of parts that only the order tells apart `order`."""
    here, there = (_compared(each, same) for each in (mine, theirs))
    names = [name for name in dict.fromkeys([*here, *there]) if here.get(name) != there.get(name)]
    return tuple(names) or (() if list(here) == list(there) else ("order",))


def _compared(status: PromotionStatus, same: Same) -> dict[str, str]:
    return {part.name: part.digest for part in status.parts if _counts(part.name, same)}


def _whole(parts: dict[str, str], same: Same) -> str:
    return digest([[name, value] for name, value in parts.items() if _counts(name, same)])


def _counts(part: str, same: Same) -> bool:
    return same is Same.PLAN or not part.startswith("phase ")


def _parts(turn: Turn) -> dict[str, str]:
    """The digest of each part, in the order in which they matter."""
    phases = (*(record.spec for record in turn.state.phases), *turn.spec.phases[len(turn.state.phases) :])
    frozen = {migration.name: migration for record in turn.state.phases for migration in record.migrations}
    used = {name for phase in phases for name in migrations_of(phase)}
    migrations = (frozen.get(each.name, each) for each in turn.spec.migrations if each.name in used)
    return {
        **{f"migration {each.name}": digest(_dumped(each)) for each in migrations},
        IMAGE: digest(_content(image(turn))),
        **{f"phase {phase.name}": digest(list(_steps(phase))) for phase in phases},
    }


def _steps(phase: PhaseSpec) -> Iterable[object]:
    return (
        {
            "verb": step.verb,
            "spec": _dumped(_spec_of(step), _OF_ITS_PLACE.get(step.verb)),
            "onRevert": step.on_revert,
            "irreversible": step.irreversible,
        }
        for step in phase.steps
        if step.verb not in _WAITING
    )


def _spec_of(step: StepSpec) -> Model:
    spec: Model = getattr(step, step.verb)
    return spec


def _dumped(model: Model, exclude: set[str] | None = None) -> object:
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=exclude)


def _content(name: str) -> str:
    """What an image holds: its digest where its name has one, wherever it was pulled from."""
    return name.rpartition("@")[2]
