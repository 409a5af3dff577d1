"""The verb `verify`: compare, and fail on more differences than allowed."""

from __future__ import annotations

from fractions import Fraction

from firelift.api.conditions import Reason
from firelift.api.quantity import number_text, parse
from firelift.api.run import Totals
from firelift.rollout.conduct import conduct, examples, stopped, tally
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.runs import unmoved, verify_plans
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    names, plans = unmoved(place), verify_plans(place)
    if names or not plans:
        what = ", ".join(names) or "anything"
        return Failed(f"verify: no step in front of {place.title} has moved {what}: there is nothing to compare")
    working = conduct(place, plans, Reason.VERIFYING)
    if working is not None:
        return working
    found = tally(place.turn, plans)
    allowed = place.spec.verify.max_mismatch if place.spec.verify else "0%"
    if found.mismatches > parse(allowed).base * found.read:
        return Failed(_sentence(found, allowed) + examples(place.turn, plans))
    return Finished(changed(place.record, totals=found, message=f"{found.read:,} documents compared"))


def _sentence(found: Totals, allowed: str) -> str:
    percent = number_text(float(100 * Fraction(found.mismatches, found.read or found.mismatches)))
    return (
        f"verify: {percent}% > {allowed} mismatch ({found.mismatches:,} of {found.read:,} documents: "
        f"{found.missing:,} missing, {found.extra:,} extra, {found.different:,} different)"
    )


def _inverse(place: Place) -> StepOutcome:
    runs = [*(plan.id for plan in verify_plans(place)), *place.record.runs]
    return stopped(place, runs, Reason.REVERTING) or Finished(place.record)


VERIFY = Twin(forward=_forward, inverse=_inverse, plans=verify_plans)
