"""The verb `verify`: compare, and fail on more differences than allowed."""

from __future__ import annotations

from fractions import Fraction

from firelift.api.cohort import BUCKETS_PER_PERCENT
from firelift.api.conditions import Reason
from firelift.api.quantity import number_text, parse
from firelift.api.run import RunPlan, Totals
from firelift.rollout.cohorts import unmoved
from firelift.rollout.conduct import conduct, examples, stopped, tally
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.runs import verify_plans
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    names, plans = unmoved(place), verify_plans(place)
    if names or not plans:
        what = ", ".join(names) or "anything"
        return Failed(f"verify: no step in front of {place.title} has moved {what}: there is nothing to compare")
    working = conduct(place, plans, Reason.VERIFYING)
    if working is not None:
        return working
    unread = [plan for plan in plans if not place.turn.run(plan.id).totals.read]
    blind = next((plan for plan in unread if place.turn.run(plan.id).estimate), None)
    if blind is not None:
        return Failed(_nothing_seen(blind, place.turn.run(blind.id).estimate))
    found = tally(place.turn, plans)
    allowed = place.spec.verify.max_mismatch if place.spec.verify else "0%"
    if found.mismatches > parse(allowed).base * found.read:
        return Failed(_sentence(found, allowed) + examples(place.turn, plans))
    compared = [
        f"{found.read:,} documents compared",
        *(f"the source of {plan.migration.name} is empty" for plan in unread),
    ]
    return Finished(changed(place.record, totals=found, message="; ".join(compared)))


def _nothing_seen(plan: RunPlan, there: int) -> str:
    sample = plan.verify.sample_buckets / BUCKETS_PER_PERCENT if plan.verify else 100
    return (
        f"verify: 0 of {there:,} documents of {plan.migration.name} were looked at: none is in both the cohort and the "
        f"sample of {number_text(sample)}%; look whether its source and entityKey are those of the data, or take more"
    )


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
