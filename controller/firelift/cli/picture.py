"""A rollout as a tree of its phases, with bars and gates: what `status --watch` draws in a terminal."""

from __future__ import annotations

import re
from datetime import datetime

import click

from firelift.api.status import GateStatus, PhaseStatus, StepStatus
from firelift.cli.common_sections import message, state
from firelift.cli.sections import Tone
from firelift.cli.sparks import bar, sparkline
from firelift.cli.times import between
from firelift.cli.views import AnyView, RolloutView
from firelift.cli.watching import line

_WIDTH = 20
_PERCENT = re.compile(r"([0-9]{1,3})%")
_MARKS = {"Done": "✔", "Skipped": "»", "Running": "●", "Failed": "✘", "Undoing": "↶", "Undone": "↺", "Kept": "="}
_TONES = {"Done": Tone.GOOD, "Failed": Tone.BAD, "Running": Tone.WAIT, "Undoing": Tone.WAIT}
_OVER = {"Done", "Skipped", "Undone", "Kept"}
_PENDING = "·"


def picture(view: AnyView, now: datetime) -> str:
    """Everything at one look; of an environment, which has no phases, its line."""
    if not isinstance(view, RolloutView):
        return line(view)
    stands = state(view, now)
    head = f"{view.namespace}/{view.name}  {_painted(stands.text, stands.tone)}  {view.status.progress}".rstrip()
    phases = view.status.phases
    drawn = [row for at, phase in enumerate(phases) for row in _phase(view, phase, now, last=at == len(phases) - 1)]
    gates = [f"  {row}" for row in _gates(view.status.gates)]
    return "\n".join([head, *drawn, *gates, message(view).text])


def share(phase: PhaseStatus, steps: int, at_work: float) -> float:
    """How much of a phase is done: its steps that are over, and the part of the one at work."""
    over = sum(step.state in _OVER for step in phase.steps)
    return min(1.0, (over + at_work) / steps) if steps else 0.0


def _phase(view: RolloutView, phase: PhaseStatus, now: datetime, *, last: bool) -> list[str]:
    here = phase.name == view.status.phase
    found = _PERCENT.match(view.status.progress) if here else None
    part = int(found.group(1)) / 100 if found else 0.0
    done = 1.0 if phase.state == "Done" else share(phase, _steps(view, phase), part)
    width = max(len(each.name) for each in view.status.phases)
    moved = f"  {phase.documents:,} documents" if phase.documents else ""
    letters = f", {phase.dead_letters:,} dead letters" if phase.dead_letters else ""
    label = _painted(
        f"{phase.name.ljust(width)}  {bar(done, _WIDTH)}  {phase.state}", _TONES.get(phase.state, Tone.DIM)
    )
    rows = [f"{'└─' if last else '├─'} {label}{moved}{letters}"]
    if here:
        stem = "   " if last else "│  "
        rows += [f"{stem}{'└─' if step is phase.steps[-1] else '├─'} {_step(step, view, now)}" for step in phase.steps]
    return rows


def _steps(view: RolloutView, phase: PhaseStatus) -> int:
    declared = next((each for each in view.spec.phases if each.name == phase.name), None) if view.spec else None
    return len(declared.steps) if declared else len(phase.steps)


def _step(step: StepStatus, view: RolloutView, now: datetime) -> str:
    mark = _MARKS.get(step.state, _PENDING)
    since = f" for {between(step.start_time, now)}" if step.start_time and not step.finish_time else ""
    progress = f"  {view.status.progress}" if step.name == view.status.step and view.status.progress else ""
    return _painted(f"{mark} {step.name}  {step.state}{since}", _TONES.get(step.state, Tone.DIM)) + progress


def _gates(gates: tuple[GateStatus, ...]) -> list[str]:
    width = max((len(gate.name) for gate in gates), default=0)
    return [_gate(gate, width) for gate in gates]


def _gate(gate: GateStatus, width: int) -> str:
    tone = {"Pass": Tone.GOOD, "Fail": Tone.BAD}.get(gate.verdict, Tone.WAIT)
    history = sparkline([each.value for each in gate.last], gate.limit)
    value = gate.value or "no value"
    return _painted(f"{gate.name.ljust(width)}  {gate.verdict:<7}  {history:<5}  {value}, limit {gate.limit}", tone)


def _painted(text: str, tone: Tone) -> str:
    return click.style(text, fg=tone.value) if tone else text
