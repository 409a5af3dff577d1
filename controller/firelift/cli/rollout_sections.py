"""A rollout as on-call reads it: summary, way back, gates, lanes."""

from __future__ import annotations

from datetime import datetime

from firelift.api.conditions import Reason
from firelift.api.rollout import RevertTo
from firelift.api.status import GateStatus, PhaseStatus
from firelift.cli.common_sections import UNSEEN, message, state
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.sparks import sparkline
from firelift.cli.times import between, moment
from firelift.cli.views import RolloutView

_VERDICT_TONES = {"Pass": Tone.GOOD, "Fail": Tone.BAD, "Pending": Tone.DIM}
_RUNS_AT_WORK = frozenset({Reason.MIGRATING, Reason.SWEEPING, Reason.DELETING, Reason.VERIFYING, Reason.REVERTING})
_BACK = {
    RevertTo.PHASE_START: "a revert goes back to the start of the phase",
    RevertTo.ROLLOUT_START: "a revert goes back to the start of the rollout",
}


def summary(view: RolloutView, now: datetime) -> Section:
    """What it is, how far, and why it stands where it stands."""
    attempt = f", attempt {view.status.attempt:,}" if view.status.attempt else ""
    rows = [
        Row("Rollout", f"{view.namespace}/{view.name}{attempt}{', being deleted' if view.deleting else ''}"),
        Row("Database", _database(view)),
        state(view, now),
        message(view),
        Row("Phase", _phase(view)),
        Row("Progress", view.status.progress or _no_progress(view)),
        *([Row("Pace", view.status.pace)] if view.status.pace else []),
        *_counts(view),
        *_waits(view, now),
    ]
    return Section("Summary", tuple(rows))


def way_back(view: RolloutView, now: datetime) -> Section:
    """Whether and until when it can be taken back, how far that goes, and what would stay."""
    rows = [Row("Open", *_open(view, now)), Row("Goes", _goes(view)), _conflicts(view), *_irreversible(view)]
    return Section("Way back", tuple(rows))


def gates(view: RolloutView, now: datetime) -> Section:
    """What each gate says now, its last values, and for how long."""
    if view.status.gates:
        return Section("Gates", tuple(_gate(gate, now) for gate in view.status.gates))
    return Section("Gates", (Row("", _no_gates(view)),))


def _database(view: RolloutView) -> str:
    if view.spec is None:
        return unknown("this version of the plugin cannot read the spec")
    return f"{view.spec.database.project}/{view.spec.database.name}"


def _phase(view: RolloutView) -> str:
    status = view.status
    names = [phase.name for phase in status.phases]
    if not status.phase:
        done = sum(phase.state == "Done" for phase in status.phases)
        return f"none at work; {done} of {len(names)} done" if names else UNSEEN
    place = f" ({names.index(status.phase) + 1} of {len(names)})" if status.phase in names else ""
    return f"{status.phase}{place}{f', step {status.step}' if status.step else ''}"


def _no_progress(view: RolloutView) -> str:
    if not view.observed:
        return UNSEEN
    if view.status.reason in _RUNS_AT_WORK:
        return unknown("no run of this step has counted a document yet")
    return "no document is being moved at the moment"


def _counts(view: RolloutView) -> list[Row]:
    """What was moved and what could not be; of an object that nobody has counted, that it is unknown."""
    phases = view.status.phases
    if not phases:
        why = UNSEEN if not view.observed else unknown("the operator has counted nothing yet")
        return [Row("Moved", why), Row("Dead letters", why)]
    undone = sum(phase.documents for phase in phases if phase.state == "Undone")
    moved, letters = sum(phase.documents for phase in phases) - undone, sum(phase.dead_letters for phase in phases)
    back = f"; {undone:,} were taken back" if undone else ""
    where = [f"{phase.name} {phase.dead_letters:,}" for phase in phases if phase.dead_letters]
    told = f"{letters:,}: {', '.join(where)}" if letters else "0"
    return [Row("Moved", f"{moved:,} documents{back}"), Row("Dead letters", told, Tone.BAD if letters else Tone.PLAIN)]


def _waits(view: RolloutView, now: datetime) -> list[Row]:
    found = view.status.waiting_for
    if found is None:
        return []
    since = f" for {between(found.since, now)}" if found.since is not None else ""
    return [Row("Waits for", f"{found.name}{f', place {found.position:,}' if found.position else ''}{since}")]


def _open(view: RolloutView, now: datetime) -> tuple[str, Tone]:
    status = view.status
    if status.revertible_until is not None:
        until = moment(status.revertible_until)
        if status.revertible_until <= now:
            return f"no: closed since {until}, when the ledger's retention ended", Tone.BAD
        return f"until {until}, {between(now, status.revertible_until)} from now", Tone.GOOD
    if not view.observed:
        return UNSEEN, Tone.WAIT
    if not status.started_phases:
        return "nothing stands that could be taken back", Tone.PLAIN
    return f"yes, while the rollout is not over: {_standing(view)}", Tone.GOOD


def _standing(view: RolloutView) -> str:
    started = [phase for phase in view.status.phases if phase.name in view.status.started_phases]
    return ", ".join(f"{phase.name} is {_state(phase)}, {phase.documents:,} documents" for phase in started)


def _state(phase: PhaseStatus) -> str:
    return phase.state.lower() or "in an unknown state"


def _goes(view: RolloutView) -> str:
    if view.spec is None:
        return unknown("this version of the plugin cannot read the spec")
    goal = view.spec.revert_to or view.spec.on_failure.to
    limit = view.spec.max_revert_seconds
    return _BACK[goal] + (f", within {limit:,}s or a phase does not start" if limit else "")


def _conflicts(view: RolloutView) -> Row:
    if not view.status.phases:
        return Row("Conflicts", UNSEEN if not view.observed else unknown("the operator has counted nothing yet"))
    found = [f"{phase.name} {phase.conflicts:,}" for phase in view.status.phases if phase.conflicts]
    if found:
        return Row("Conflicts", f"{', '.join(found)}: left as the app wrote them", Tone.BAD)
    undone = any(phase.state in {"Undone", "Undoing"} for phase in view.status.phases)
    text = (
        "0 found on the way back" if undone else unknown("they show when a revert meets what the app has changed since")
    )
    return Row("Conflicts", text)


def _irreversible(view: RolloutView) -> list[Row]:
    if view.spec is None:
        return []
    steps = [f"{phase.name}/{step.key}" for phase in view.spec.phases for step in phase.steps if step.irreversible]
    return [Row("Stops at", f"{', '.join(steps)}: irreversible")] if steps else []


def _gate(gate: GateStatus, now: datetime) -> Row:
    value = gate.value or unknown("no value")
    history = sparkline([each.value for each in gate.last], gate.limit) if gate.last else ""
    age = f"{between(gate.time, now)} ago" if gate.time is not None else "not judged yet"
    counted = f"{gate.samples:,} samples" if gate.samples else ""
    said = gate.message if gate.verdict not in {"Pass", "Fail"} else ""
    facts = [gate.verdict, history, f"{value}, limit {gate.limit}", counted, age, said]
    return Row(gate.name, "  ".join(fact for fact in facts if fact), _VERDICT_TONES.get(gate.verdict, Tone.WAIT))


def _no_gates(view: RolloutView) -> str:
    if view.spec is None or not view.observed:
        return UNSEEN if not view.observed else unknown("this version of the plugin cannot read the spec")
    declared = {gate.name for phase in view.spec.phases for gate in view.spec.gates_of(phase)}
    if not declared:
        return "none are declared: nothing but failing steps stops this rollout"
    return unknown(f"gates are judged while a phase is at work, and none is: {', '.join(sorted(declared))}")
