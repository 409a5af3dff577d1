"""Gates over time: intervals judged in order, what they add up to, and what a soak still needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from firelift.api.conditions import Reason
from firelift.api.gates import AbsenceAction, GateAction, GateSpec
from firelift.api.steps import FailureAction
from firelift.rollout.approvals import silenced
from firelift.rollout.gates import intervals, judge, next_due, windows_due
from firelift.rollout.ledger_gates import speaks
from firelift.rollout.memory import changed, with_event
from firelift.rollout.observation import MeasurementWanted
from firelift.rollout.place import Place
from firelift.rollout.state import VERDICTS, GateRecord, GateVerdict, Judged, RolloutState
from firelift.rollout.turn import Outcome, Turn

SHARE = 0.95
"""Of a soak's intervals, those that need a verdict."""

_COUNTED = {GateVerdict.PASS, GateVerdict.FAIL}


@dataclass(frozen=True, slots=True)
class Objection:
    """A gate that does not let the rollout go on."""

    gate: str
    reason: Reason
    message: str
    action: FailureAction


def opened(gates: tuple[GateSpec, ...], now: datetime) -> tuple[GateRecord, ...]:
    """The gates' memory at the start of a step."""
    return tuple(GateRecord(name=gate.name, since=now, cursor=now) for gate in gates)


def reopened(records: tuple[GateRecord, ...], now: datetime) -> tuple[GateRecord, ...]:
    """The gates' memory after a standstill: what was judged stands, what lay in between is not asked for.

    Nor does it lengthen an absence: nobody has measured in it.
    """
    return tuple(
        changed(record, since=now, cursor=max(now, record.cursor), absent_since=_absent_since(record, now))
        for record in records
    )


def remembered(place: Place) -> Iterator[tuple[GateSpec, GateRecord]]:
    """All gates of the running step with their memories."""
    specs = {gate.name: gate for gate in place.phase.gates}
    return ((specs[record.name], record) for record in place.state.gates if record.name in specs)


def watched(place: Place) -> Iterator[tuple[GateSpec, GateRecord]]:
    """The gates that have anything to say of the running step: the others are neither judged nor required."""
    return ((gate, record) for gate, record in remembered(place) if speaks(gate, place.phase.spec, place.step_index))


def due_measurements(place: Place) -> tuple[MeasurementWanted, ...]:
    """What can be measured now."""
    now = place.turn.now
    return tuple(
        MeasurementWanted(gate.name, window)
        for gate, record in watched(place)
        for window in windows_due(gate, record, now)
    )


def earliest_due(place: Place) -> datetime | None:
    """When the next measurement can be asked for."""
    return min((next_due(gate, record) for gate, record in watched(place)), default=None)


def judged(place: Place) -> Outcome | None:
    """Take in the measurements of this turn; None when there are none that come next."""
    for gate, record in watched(place):
        for verdict in _verdicts(place.turn, gate, record):
            return _taken_in(place, gate, record, verdict)
    return None


def objection(place: Place) -> Objection | None:
    """The gate that stops the rollout, if one does; one that asks for a revert comes first."""
    found = [objected for gate, record in watched(place) for objected in _objections(place, gate, record)]
    found.sort(key=lambda objected: objected.action is not FailureAction.REVERT)
    return found[0] if found else None


def missing(place: Place, seconds: int) -> str:
    """What a soak of this length still needs, as a sentence; empty when it has all."""
    judging = list(watched(place))
    if not judging:
        return "the soak has no gates to judge it; say evidence: None if that is meant"
    for gate, record in judging:
        if not silenced(place.turn, gate.name) and (sentence := _missing(gate, record, seconds)):
            return sentence
    return ""


def failing(gate: GateSpec, record: GateRecord) -> bool:
    """Whether enough of the last counted intervals failed."""
    return record.recent[-gate.fail_after.of :].count(False) >= gate.fail_after.failures


def last(record: GateRecord) -> Judged | None:
    """The latest verdict."""
    return record.last[-1] if record.last else None


def _verdicts(turn: Turn, gate: GateSpec, record: GateRecord) -> Iterator[Judged]:
    answers = {seen.window: seen.measurement for seen in turn.seen.measurements if seen.gate == gate.name}
    for window in windows_due(gate, record, turn.now)[:1]:
        if window in answers:
            yield judge(gate, window, answers[window])


def counted_in(record: GateRecord, verdict: Judged, *, quiet: bool = False) -> GateRecord:
    """The gate's memory with one more verdict; that of a silenced gate is remembered, and stops nothing."""
    counted = verdict.verdict in _COUNTED
    passed = verdict.verdict is GateVerdict.PASS
    return changed(
        record,
        cursor=verdict.window_end,
        judged=record.judged + counted,
        recent=(*record.recent, passed)[-VERDICTS:] if counted and not quiet else record.recent,
        last=(*record.last, verdict)[-VERDICTS:],
        absent_since=None if counted or quiet else record.absent_since or verdict.window_end,
    )


def _taken_in(place: Place, gate: GateSpec, record: GateRecord, verdict: Judged) -> RolloutState:
    after = counted_in(record, verdict, quiet=silenced(place.turn, gate.name))
    gates = tuple(after if other.name == gate.name else other for other in place.state.gates)
    state = changed(place.state, gates=gates)
    if gate.on_failure is GateAction.NOTIFY and failing(gate, after) and not failing(gate, record):
        return with_event(state, place.turn.now, "GateFailing", f"{_failed(gate, after)}; it only notifies")
    return state


def _objections(place: Place, gate: GateSpec, record: GateRecord) -> Iterator[Objection]:
    if not silenced(place.turn, gate.name):
        yield from objections(gate, record, place.turn.spec.on_failure.action)


def objections(gate: GateSpec, record: GateRecord, default: FailureAction) -> Iterator[Objection]:
    """Why the gate does not let a rollout go on; `default` is what a failure leads to where the gate says nothing."""
    if failing(gate, record) and gate.on_failure is not GateAction.NOTIFY:
        action = FailureAction(gate.on_failure or default)
        yield Objection(gate.name, Reason.GATE_FAILED, _failed(gate, record), action)
    action_when_absent = _absence(gate, record)
    if action_when_absent is not AbsenceAction.WAIT:
        message = f"gate {gate.name}: {_absent(record)}"
        yield Objection(gate.name, Reason.GATE_WITHOUT_VERDICT, message, FailureAction(action_when_absent))


def _absence(gate: GateSpec, record: GateRecord) -> AbsenceAction:
    latest = last(record)
    if latest is None or record.absent_since is None:
        return AbsenceAction.WAIT
    policy = gate.on_error if latest.verdict is GateVerdict.ERROR else gate.on_no_data
    long_enough = (latest.window_end - record.absent_since).total_seconds() >= policy.after_seconds
    return policy.action if long_enough else AbsenceAction.WAIT


def _absent_since(record: GateRecord, now: datetime) -> datetime | None:
    """Since when there would be no verdict if the clock had stood still from the last interval until now."""
    latest = last(record)
    if latest is None or record.absent_since is None:
        return None
    return now - max(timedelta(), latest.window_end - record.absent_since)


def _failed(gate: GateSpec, record: GateRecord) -> str:
    recent = record.recent[-gate.fail_after.of :]
    worst = next((seen.message for seen in reversed(record.last) if seen.verdict is GateVerdict.FAIL), "")
    return f"gate {gate.name}: {worst} ({recent.count(False)} of {len(recent)} samples)"


def _absent(record: GateRecord) -> str:
    latest = last(record)
    if latest is None or record.absent_since is None:
        return "no interval has been judged yet"
    seconds = (latest.window_end - record.absent_since).total_seconds()
    return f"{latest.verdict} for {seconds:,.0f}s ({latest.message})"


def _missing(gate: GateSpec, record: GateRecord, seconds: int) -> str:
    needed = math.ceil(SHARE * intervals(gate, seconds))
    if record.judged < needed:
        why = f"; {_absent(record)}" if record.absent_since else ""
        return f"gate {gate.name} has {record.judged:,} of the {needed:,} verdicts that the soak needs{why}"
    latest = last(record)
    if latest is not None and latest.verdict is GateVerdict.FAIL and gate.on_failure is not GateAction.NOTIFY:
        return f"gate {gate.name} fails at the moment: {latest.message}"
    return ""
