"""What no schema can refuse: a spec that cannot be followed all the same, as a sentence."""

from __future__ import annotations

from firelift.rollout.condition import check
from firelift.rollout.turn import Turn


def problem(turn: Turn) -> str:
    """The first thing that keeps the next phase from starting; empty when there is none."""
    spec, state = turn.spec, turn.state
    phase = spec.phases[state.phase_index]
    if any(started.name == phase.name for started in state.phases):
        return f"phase {phase.name} has been started under that name before"
    if turn.seen.unusable:
        return turn.seen.unusable
    conditions = ((gate.name, gate.limit.condition) for gate in spec.gates_of(phase) if gate.limit.condition)
    found = ((name, check(condition)) for name, condition in conditions)
    return next((f"gate {name} of phase {phase.name}: {sentence}" for name, sentence in found if sentence), "")
