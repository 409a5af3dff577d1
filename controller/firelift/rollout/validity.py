"""What no schema can refuse: a spec that cannot be followed all the same, as a sentence."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from firelift.api.rollout import PhaseSpec, RolloutSpec
from firelift.api.steps import StepSpec
from firelift.api.steps.soak import Evidence
from firelift.rollout.cohorts import covered
from firelift.rollout.condition import check
from firelift.rollout.ledger_gates import speaks
from firelift.rollout.turn import Turn


def problem(turn: Turn) -> str:
    """The first thing that keeps the next phase from starting; empty when there is none."""
    spec, state = turn.spec, turn.state
    phase = spec.phases[state.phase_index]
    if any(started.name == phase.name for started in state.phases):
        return f"phase {phase.name} has been started under that name before"
    if turn.seen.unusable:
        return turn.seen.unusable
    moved = {name for record in state.phases for step in record.spec.steps for name in _moves(step)}
    return _in_phase(spec, phase, moved)


def declared(spec: RolloutSpec) -> tuple[str, ...]:
    """What would keep each of its phases from starting, one after the other, as far as the spec alone tells."""
    moved: set[str] = set()
    found = []
    for phase in spec.phases:
        found.append(_in_phase(spec, phase, moved))
        moved.update(name for step in phase.steps for name in _moves(step))
    return tuple(filter(None, found))


def _in_phase(spec: RolloutSpec, phase: PhaseSpec, before: AbstractSet[str]) -> str:
    """`before`: the migrations that earlier phases move."""
    return _condition(spec, phase) or _unjudged(spec, phase) or _unmoved(phase, before)


def _condition(spec: RolloutSpec, phase: PhaseSpec) -> str:
    conditions = ((gate.name, gate.limit.condition) for gate in spec.gates_of(phase) if gate.limit.condition)
    found = ((name, check(condition)) for name, condition in conditions)
    return next((f"gate {name} of phase {phase.name}: {sentence}" for name, sentence in found if sentence), "")


def _unjudged(spec: RolloutSpec, phase: PhaseSpec) -> str:
    gates = spec.gates_of(phase)
    for index, step in enumerate(phase.steps):
        needed = step.soak is not None and step.soak.evidence is Evidence.GATES
        if needed and not any(speaks(gate, phase, index) for gate in gates):
            names = ", ".join(gate.name for gate in gates)
            return (
                f"step {step.key} of phase {phase.name}: none of its gates ({names}) has anything to say there, as "
                "a gate on the ledger judges what its own phase has migrated or verified before; add a gate on a "
                "metric of the app, or say evidence: None"
            )
    return ""


def _unmoved(phase: PhaseSpec, before: AbstractSet[str]) -> str:
    moved = set(before)
    for index, step in enumerate(phase.steps):
        names = covered(phase, index) if step.verify or step.sweep or step.delete else ()
        if absent := [name for name in names if name not in moved]:
            what = "compares" if step.verify else "sweeps" if step.sweep else "deletes the sources of"
            return (
                f"step {step.key} of phase {phase.name} {what} {', '.join(absent)}, which no step in front of it "
                "migrates; put it behind its migrate step"
            )
        moved.update(_moves(step))
    return ""


def _moves(step: StepSpec) -> tuple[str, ...]:
    return step.migrate.migrations if step.migrate else ()
