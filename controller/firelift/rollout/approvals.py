"""Decisions by people. Each is bound to a digest of what they saw, so that a stale one decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import Reason
from firelift.api.digest import digest
from firelift.api.gates import GateSpec
from firelift.api.rollout import PhaseSpec
from firelift.rollout.memory import changed, with_event
from firelift.rollout.observation import ApprovalSeen
from firelift.rollout.place import Place, current, last_executed
from firelift.rollout.state import Mode, Override, RolloutState
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.twin import Failed, StepOutcome


def approval_digest(turn: Turn) -> str:
    """What an approval of the rollout as it stands must name.

    It covers ledger, attempt, direction, phase, step, the failure that is decided about, the remaining phases, the
    migrations they use, their gates, the worker image and the plan; and of a ledger that is not this object's, whose it
    is, of which database, and how often it was adopted.
    """
    phases = _remaining(turn)
    named = {name for phase in phases for name in migrations_of(phase)}
    phase, step = position(turn)
    return digest(
        {
            "ledger": turn.rollout.ledger_id,
            "attempt": turn.state.attempt,
            "mode": turn.state.mode,
            "failure": turn.state.failure.time.isoformat() if turn.state.failure else None,
            "phase": phase,
            "step": step,
            "phases": list(phases),
            "migrations": [migration for migration in turn.spec.migrations if migration.name in named],
            "gates": [list(_gates(turn, phase)) for phase in phases],
            "image": worker_image(turn),
            "plan": turn.state.plan.digest if turn.state.plan else "",
            "adopted": _adopted(turn),
        }
    )


def migrations_of(phase: PhaseSpec) -> frozenset[str]:
    """The migrations that a phase uses: those that its steps name."""
    verbs = (
        verb
        for step in phase.steps
        for verb in (step.migrate, step.verify, step.sweep, step.delete)
        if verb is not None
    )
    return frozenset(name for verb in verbs for name in verb.migrations)


def worker_image(turn: Turn) -> str:
    """The image that workers run: the one that was pinned, else the one that would be pinned now."""
    return turn.state.worker_image or turn.seen.worker_image or turn.spec.worker.image


def pinned(turn: Turn) -> RolloutState | None:
    """Pin the image of this attempt's workers; None when it is, or nothing is known of it."""
    image = worker_image(turn)
    return changed(turn.state, worker_image=image) if image and not turn.state.worker_image else None


def position(turn: Turn) -> tuple[str, str]:
    """Names of the phase and step that the rollout is at: forward, or on its way back. Empty at the end."""
    state = turn.state
    back = state.mode in {Mode.REVERTING, Mode.REVERT_FAILED}
    place = last_executed(turn) if back else current(turn)
    if place is not None:
        return place.phase.name, place.key
    if state.phase_index < len(turn.spec.phases) and state.mode is not Mode.SUCCEEDED:
        return turn.spec.phases[state.phase_index].name, ""
    return "", ""


def valid(turn: Turn, decision: ApprovalDecision) -> list[ApprovalSeen]:
    """The approvals of one kind that are bound to the present digest and have not expired."""
    given = [seen for seen in turn.seen.approvals if seen.decision is decision and _fresh(turn, seen)]
    if not given:
        return []
    wanted = approval_digest(turn)
    return [seen for seen in given if seen.digest == wanted]


def approvers(turn: Turn) -> tuple[str, ...]:
    """The different people who have approved; of a restore those who named its export."""
    place = current(turn)
    named = place.spec.restore.export if place is not None and place.spec.restore else ""
    given = valid(turn, ApprovalDecision.APPROVE)
    return tuple(dict.fromkeys(seen.approver for seen in given if not named or seen.restores == named))


def awaited(place: Place, count: int, message: str) -> StepOutcome | None:
    """Ask for so many approvals by different people; None when they are given, and what they saw is what will run."""
    turn = place.turn
    if rejections := valid(turn, ApprovalDecision.REJECT):
        return Failed(f"{rejections[0].approver} rejected {place.title}", Reason.REJECTED)
    given = approvers(turn)
    if len(given) >= count:
        return pinned(turn)
    if place.record.requested is None:
        return place.save(requested=turn.now)
    why = f": {message.rstrip('.')}" if message else ""
    named = f" that has restores: {place.spec.restore.export}" if place.spec.restore else ""
    sentence = (
        f"{place.title} waits for {count - len(given)} of {count} approvals{why}; approve with a MigrationApproval of "
        f"the digest in status.approval{named}"
    )
    return Settled(Reason.AWAITING_APPROVAL, sentence)


def silenced(turn: Turn, gate: str) -> bool:
    """Whether an approval has silenced the gate, and has not expired."""
    return any(
        override.gate == gate and (override.expires is None or override.expires > turn.now)
        for override in turn.state.overrides
    )


def overrides(turn: Turn) -> Outcome | None:
    """Take note of approvals that silence a gate; what it has counted so far counts no more."""
    for seen in valid(turn, ApprovalDecision.OVERRIDE) if turn.seen.ledger.mine else ():
        override = Override(gate=seen.gate, expires=seen.expires)
        if override not in turn.state.overrides:
            return _silence(turn, override, seen.approver)
    return None


def _silence(turn: Turn, override: Override, approver: str) -> RolloutState:
    until = f"until {override.expires:%Y-%m-%dT%H:%M:%SZ}" if override.expires else "for this attempt"
    state = with_event(turn.state, turn.now, "Overridden", f"{approver} silenced gate {override.gate} {until}")
    gates = tuple(
        changed(gate, recent=(), absent_since=None) if gate.name == override.gate else gate for gate in state.gates
    )
    return changed(state, gates=gates, overrides=(*state.overrides, override))


def _adopted(turn: Turn) -> list[str | int]:
    ledger = turn.seen.ledger
    if not ledger.foreign:
        return []
    owner = [ledger.owner.cluster, ledger.owner.uid] if ledger.owner else []
    return [*owner, ledger.database_uid, ledger.actual_database_uid, turn.state.adoptions]


def _fresh(turn: Turn, seen: ApprovalSeen) -> bool:
    return seen.expires is None or seen.expires > turn.now


def _remaining(turn: Turn) -> tuple[PhaseSpec, ...]:
    started = tuple(phase.spec for phase in turn.state.phases[turn.state.phase_index :])
    return started + turn.spec.phases[turn.state.phase_index + len(started) :]


def _gates(turn: Turn, phase: PhaseSpec) -> Iterable[GateSpec]:
    frozen = next((record.gates for record in turn.state.phases if record.spec is phase), None)
    return turn.spec.gates_of(phase) if frozen is None else frozen
