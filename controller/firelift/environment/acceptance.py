"""`apply: Auto` approves in advance: the spec, with what the ConfigMaps that it names say then, not later.

Who may change such a spec has the right to approve; who may edit a ConfigMap need not.
"""

from __future__ import annotations

from firelift.api.digest import digest
from firelift.api.environment.terraform import ApplyMode
from firelift.environment import readiness
from firelift.environment.memory import changed
from firelift.environment.state import Accepted, EnvironmentState
from firelift.environment.turn import Turn

_STEERED = {"suspend", "attempt"}
"""What stops it, and what asks again, says nothing of what is to be applied."""


def noted(turn: Turn) -> EnvironmentState | None:
    """Remember what comes with a new spec, and what has turned out to change nothing or was applied as approved."""
    inputs, before = turn.seen.inputs, turn.state.accepted
    if turn.spec.terraform.apply is not ApplyMode.AUTO or inputs.missing or inputs.invalid:
        return None
    now = Accepted(spec=_spec(turn), said=dict(inputs.said))
    if before == now or (before is not None and before.spec == now.spec and not _whole(turn)):
        return None
    return changed(turn.state, accepted=now)


def restated(turn: Turn) -> str:
    """Which ConfigMaps say something else under the same spec, as a sentence; empty when none does."""
    accepted = turn.state.accepted
    if accepted is None or turn.spec.terraform.apply is not ApplyMode.AUTO:
        return ""
    said = turn.seen.inputs.said
    others = sorted(name for name in said if said[name] != accepted.said.get(name))
    if not others:
        return ""
    return (
        f"{', '.join(others)} says something else than when the spec was accepted, and `apply: Auto` approves nothing "
        "of that: approve the plan, or have the spec name a ConfigMap of another name"
    )


def _spec(turn: Turn) -> str:
    # What an operator of another version would fill in is no change.
    return digest(turn.spec.model_dump(mode="json", by_alias=True, exclude=_STEERED, exclude_defaults=True))


def _whole(turn: Turn) -> bool:
    """Whether all that is declared now stands, and nothing of it is yet to go."""
    applied = turn.state.applied
    return applied is not None and readiness.as_applied(turn) and not applied.kept
