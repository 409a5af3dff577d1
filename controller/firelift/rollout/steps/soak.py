"""The verb `soak`: time and evidence."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.steps.soak import Evidence
from firelift.rollout.evidence import missing
from firelift.rollout.place import Place
from firelift.rollout.turn import Settled
from firelift.rollout.twin import Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    step = place.spec.soak
    seconds = step.seconds if step else 0
    left = seconds - place.elapsed()
    if left > 0:
        end = place.turn.after(None, left)
        return Settled(Reason.SOAKING, f"soaking for {seconds:,}s until {end:%Y-%m-%dT%H:%M:%SZ}", due=end)
    if step is not None and step.evidence is Evidence.GATES and (sentence := missing(place, seconds)):
        return Settled(Reason.WAITING_FOR_EVIDENCE, sentence)
    return Finished(place.record)


SOAK = Twin(forward=_forward)
