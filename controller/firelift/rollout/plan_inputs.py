"""What a plan speaks of: the phases to come, and digests that tell when it has to be made again."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.digest import digest
from firelift.api.gates import GateSpec
from firelift.api.migration import MigrationSpec
from firelift.api.plan import PlanRequest
from firelift.api.rollout import PhaseSpec
from firelift.rollout.approvals import migrations_of, worker_image
from firelift.rollout.plan_state import PlanRecord
from firelift.rollout.turn import Turn


@dataclass(frozen=True, slots=True)
class Coming:
    """A phase that has steps ahead, with the gates and migrations that it would have."""

    phase: PhaseSpec
    gates: tuple[GateSpec, ...]
    migrations: tuple[MigrationSpec, ...]


def coming(turn: Turn) -> tuple[Coming, ...]:
    """The phase that is under way as it was frozen, then those of the spec that have not started."""
    state, spec = turn.state, turn.spec
    frozen = (Coming(phase.spec, phase.gates, phase.migrations) for phase in state.phases[state.phase_index :])
    later = (
        Coming(
            phase, spec.gates_of(phase), tuple(each for each in spec.migrations if each.name in migrations_of(phase))
        )
        for phase in spec.phases[len(state.phases) :]
    )
    return (*frozen, *later)


def inputs(turn: Turn) -> tuple[str, ...]:
    """Digests of what all phases share, then of each phase to come. A change of pace alone makes no new plan."""
    spec, worker = turn.spec, turn.spec.worker
    shared = [turn.state.attempt, spec.mode, spec.database, worker.service_account_name, list(worker.env), image(turn)]
    phases = ([each.phase, list(each.gates), list(each.migrations)] for each in coming(turn))
    return (digest(shared), *(digest(parts) for parts in phases))


def fresh(turn: Turn, record: PlanRecord) -> bool:
    """Whether a plan speaks of all that is to come."""
    return set(inputs(turn)) <= set(record.inputs)


def image(turn: Turn) -> str:
    """The image that a plan is made with: before the first phase an edit or a new default changes it."""
    if turn.state.phases:
        return worker_image(turn)
    return turn.seen.worker_image or turn.spec.worker.image


def request(turn: Turn) -> PlanRequest:
    """What a plan run is asked."""
    state, spec, ahead = turn.state, turn.spec, coming(turn)
    known = {migration.name: migration for each in ahead for migration in each.migrations}
    return PlanRequest(
        mode=spec.mode,
        database_uid=turn.seen.ledger.actual_database_uid,
        emulator=turn.seen.emulator,
        migrations=tuple(known.values()) or spec.migrations[:1],
        started=tuple(phase.spec for phase in state.phases[: state.phase_index]),
        phases=tuple(each.phase for each in ahead),
        pace=spec.pace,
        workers=spec.worker.parallelism,
        prices=spec.prices,
        retention_seconds=spec.ledger_retention_seconds,
    )
