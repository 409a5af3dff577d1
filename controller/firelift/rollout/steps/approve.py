"""The verb `approve`: people decide, each once, on this very plan."""

from __future__ import annotations

from firelift.rollout.approvals import awaited
from firelift.rollout.place import Place
from firelift.rollout.twin import Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    step = place.spec.approve
    return awaited(place, step.count if step else 1, step.message if step else "") or Finished(place.record)


APPROVE = Twin(forward=_forward)
