"""Dead letters that one step's runs have closed and another step's had made: each is counted off where it was counted.

A sweep serves the cohorts of other steps, so what it closes falls from their counts, of earlier phases too.
"""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.run import RunPlan, Totals
from firelift.rollout.conduct import tally
from firelift.rollout.memory import changed
from firelift.rollout.place import Place, places


def credited(place: Place, plans: Sequence[RunPlan]) -> Place:
    """The step after the dead letters that its runs have closed were taken off those of the steps that had them."""
    for plan in plans:
        closed = place.turn.run(plan.id).totals.closed_letters
        owner = next(each for each in places(place.turn) if (each.phase.name, each.key) == (plan.phase, plan.step))
        if closed and owner.ordinal != place.ordinal:
            place = place.having(owner.save(totals=owner.record.totals.plus(Totals(closed_letters=closed))))
    return place


def own(place: Place, plans: Sequence[RunPlan]) -> Totals:
    """The totals of these runs, less what `credited` takes off the counts of other steps."""
    mine = [plan for plan in plans if (plan.phase, plan.step) == (place.phase.name, place.key)]
    return changed(tally(place.turn, plans), closed_letters=tally(place.turn, mine).closed_letters)
