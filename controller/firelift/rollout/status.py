"""The status: a projection of object, memory and observation, in which nothing is decided."""

from __future__ import annotations

from datetime import UTC, datetime

from firelift.api.conditions import Reason, conditions_of
from firelift.api.gates import GateSpec
from firelift.api.plan import Check, CheckVerdict
from firelift.api.status import (
    ApprovalStatus,
    Condition,
    GateStatus,
    HistoryEntry,
    PlanStatus,
    RolloutStatus,
    Verdict,
)
from firelift.rollout import rehearsal
from firelift.rollout.approvals import approval_digest, approvers, position, silenced
from firelift.rollout.clock import MOVING
from firelift.rollout.evidence import last, remembered
from firelift.rollout.extent import Progress
from firelift.rollout.gates import limit_text
from firelift.rollout.ledger_gates import speaks
from firelift.rollout.memory import MESSAGE
from firelift.rollout.pace import text, waiting
from firelift.rollout.phases import phase_statuses, started_phases
from firelift.rollout.place import Place, current, goes_back
from firelift.rollout.plan_text import map_name
from firelift.rollout.progress import measure
from firelift.rollout.promotion import migrations_digest, promotion
from firelift.rollout.required import checks as requirements
from firelift.rollout.required import troubled
from firelift.rollout.running import at_work, plans_at_work
from firelift.rollout.state import GateRecord, GateVerdict, Mode
from firelift.rollout.transfers import progress_of
from firelift.rollout.trial import trials
from firelift.rollout.turn import Settled, Turn

LAST_VERDICTS = 5
MOST_SHOWN = 64
_GATE_MESSAGE = 512
_SCHEMA_DEFAULT = datetime.fromtimestamp(0, UTC)
"""The transition time of the conditions that a new object has before anybody has looked at it."""
_ASKS = {
    Reason.AWAITING_APPROVAL,
    Reason.REVERT_TOO_LONG,
    Reason.LEDGER_OWNED_BY_ANOTHER,
    Reason.LEDGER_FROM_ANOTHER_DATABASE,
}


def project(turn: Turn, settled: Settled) -> RolloutStatus:
    """Everything that on-call reads, of a turn that has settled."""
    state = turn.state
    phase, step = position(turn)
    at = progress(turn)
    gates = _gates(turn)
    told = [] if settled.waiting_for is not None else troubled(turn)
    said = [*_cause(turn), *rehearsal.told(turn), settled.message, *_waits(turn), *told, *turn.seen.problems[:1]]
    message = "; ".join(said)[:MESSAGE]
    return RolloutStatus(
        observed_generation=turn.rollout.generation,
        phase=phase,
        step=step,
        progress=at.text(),
        rate=f"{at.rate:,.0f}/s" if at.rate else "",
        pace=text(turn.seen.pace) if state.mode in MOVING else "",
        gates_summary=_summary(gates),
        reason=settled.reason,
        message=message,
        attempt=state.attempt,
        conditions=_conditions(turn, settled.reason, message),
        started_phases=started_phases(turn),
        phases=phase_statuses(turn),
        gates=gates,
        preflight=_preflight(turn),
        plan=_plan(turn),
        approval=_approval(turn, settled.reason),
        waiting_for=settled.waiting_for,
        history=tuple(HistoryEntry(time=seen.time, reason=seen.reason, message=seen.message) for seen in state.history),
        revertible_until=state.retention_until if state.mode is Mode.SUCCEEDED else None,
        migrations_digest=migrations_digest(turn),
        promotion=promotion(turn),
        worker_image=state.worker_image[:512],
    )


def _preflight(turn: Turn) -> tuple[Check, ...]:
    """What fails stands first, so that what is left out has passed."""
    record = turn.state.plan
    order = [CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.PASS]
    every = [*requirements(turn), *(record.all_checks if record else ())]
    return tuple(sorted(every, key=lambda check: order.index(check.verdict)))[:MOST_SHOWN]


def _plan(turn: Turn) -> PlanStatus | None:
    record = turn.state.plan
    if record is None or not record.digest:
        return None
    shown = map_name(turn.rollout.name) if record.shown else ""
    return PlanStatus(digest=record.digest, config_map=shown, time=record.time, phases=record.phases[:20])


def _cause(turn: Turn) -> list[str]:
    """On the way back the first thing to read is why."""
    revert = turn.state.revert
    return [revert.message] if revert is not None and turn.state.mode is Mode.REVERTING else []


def _waits(turn: Turn) -> list[str]:
    return [waiting(turn.seen.pace)] if turn.seen.pace is not None and turn.seen.pace.waits else []


def _conditions(turn: Turn, reason: Reason, message: str) -> tuple[Condition, ...]:
    before = {condition.type: condition for condition in turn.seen.conditions}
    conditions = []
    for kind, status in conditions_of(reason).items():
        old = before.get(kind)
        kept = old is not None and old.status is status and old.last_transition_time > _SCHEMA_DEFAULT
        since = old.last_transition_time if old is not None and kept else turn.now
        conditions.append(
            Condition(
                type=kind,
                status=status,
                reason=reason,
                message=message,
                observed_generation=turn.rollout.generation,
                last_transition_time=since,
            )
        )
    return tuple(conditions)


def progress(turn: Turn) -> Progress:
    """Of the step at hand."""
    place, trial = at_work(turn), turn.state.trial
    if place is None and trial is not None and not trial.ended:
        return measure(turn, trials(turn), turn.seconds_since(trial.started))
    if place is None:
        return Progress(0, 0, 0.0)
    if (carried := progress_of(place)) is not None:
        seconds = place.elapsed()
        return Progress(carried.documents, carried.estimate, carried.documents / seconds if seconds else 0.0)
    backwards = goes_back(turn)
    seconds = turn.seconds_since(place.record.undo_started) if backwards else place.elapsed()
    plans = [plan for plan in plans_at_work(turn) if (plan.kind.value.startswith("revert")) == backwards]
    return measure(turn, plans, seconds)


def _gates(turn: Turn) -> tuple[GateStatus, ...]:
    place = current(turn)
    if place is None:
        return ()
    return tuple(_gate(place, gate, record) for gate, record in remembered(place))


def _gate(place: Place, gate: GateSpec, record: GateRecord) -> GateStatus:
    turn = place.turn
    latest = last(record)
    quiet = " (silenced by an approval)" if silenced(turn, gate.name) else ""
    if latest is None:
        silent = "" if speaks(gate, place.phase.spec, place.step_index) else "the ledger says nothing of this step"
        return GateStatus(
            name=gate.name, verdict="Pending", limit=limit_text(gate.limit), message=f"{silent}{quiet}".strip()
        )
    return GateStatus(
        name=gate.name,
        verdict=latest.verdict,
        value=latest.value,
        limit=latest.limit,
        samples=latest.samples,
        time=latest.window_end,
        message=f"{latest.message}{quiet}"[:_GATE_MESSAGE],
        last=tuple(
            Verdict(time=seen.window_end, verdict=seen.verdict, value=seen.value)
            for seen in record.last[-LAST_VERDICTS:]
        ),
    )


def _summary(gates: tuple[GateStatus, ...]) -> str:
    """Such as ``2/3 error-rate Fail``: how many pass, and the first that does not."""
    if not gates:
        return ""
    passing = sum(gate.verdict == GateVerdict.PASS for gate in gates)
    order = [GateVerdict.FAIL, GateVerdict.ERROR, GateVerdict.NO_DATA, GateVerdict.STALE]
    worst = next((f" {gate.name} {gate.verdict}" for kind in order for gate in gates if gate.verdict == kind), "")
    return f"{passing}/{len(gates)}{worst}"


def _approval(turn: Turn, reason: Reason) -> ApprovalStatus | None:
    asked = reason in _ASKS
    if turn.state.mode in {Mode.SUCCEEDED, Mode.REVERTED, Mode.ABORTED} and not asked:
        return None
    phase, step = position(turn)
    place = at_work(turn)
    return ApprovalStatus(
        digest=approval_digest(turn),
        phase=phase,
        step=step,
        required=asked,
        given=approvers(turn)[:10],
        requested_time=place.record.requested if place else None,
    )
