"""Taking back what migrate steps have written: stop, revert, check; and once more after flags have been restored."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.run import RunKind, RunPlan, kind_of, migration_of
from firelift.rollout.conduct import conduct, examples, locked, tally
from firelift.rollout.memory import changed
from firelift.rollout.place import Place, places
from firelift.rollout.runs import revert_plans, revert_verify_plans
from firelift.rollout.state import StepState
from firelift.rollout.twin import Failed, Finished, StepOutcome

MAX_PASSES = 3
"""How often data is swept after a flag has been restored, until a pass writes nothing."""


def taken_back(place: Place, undone: list[Place], pass_number: int) -> StepOutcome | None:
    """Revert the runs of these steps, under their locks; None when all is written."""
    groups = _groups(place, undone)
    return locked(place, groups) or conduct(place, revert_plans(place, undone, pass_number), Reason.REVERTING)


def checked(place: Place, undone: list[Place], pass_number: int) -> StepOutcome:
    """Verify that nothing of these steps is left."""
    plans = revert_verify_plans(place, undone, pass_number)
    working = conduct(place, plans, Reason.REVERTING)
    if working is not None:
        return working
    found = tally(place.turn, plans)
    if found.mismatches:
        return Failed(
            f"after the revert of {place.title} {found.mismatches:,} of {found.read:,} documents are not as before "
            f"({found.missing:,} missing, {found.extra:,} extra, {found.different:,} different)"
            f"{examples(place.turn, plans)}"
        )
    kept = tally(place.turn, revert_plans(place, undone, pass_number)).kept
    return Finished(changed(place.record, conflicts_kept=kept))


def passes(place: Place) -> StepOutcome:
    """After flags were restored: revert what the app still wrote meanwhile, until a pass writes nothing."""
    undone = swept(place)
    if not undone:
        return Finished(place.record)
    number = max(1, place.record.undo_pass)
    working = taken_back(place, undone, number)
    if working is not None:
        return working
    written = tally(place.turn, revert_plans(place, undone, number)).written
    if not written:
        return checked(place, undone, number)
    if number < MAX_PASSES:
        return place.save(undo_pass=number + 1)
    return Failed(
        f"pass {number} after restoring the flags of {place.title} still wrote {written:,} documents: the app has not "
        "heard of the flags; make it follow them, then raise spec.attempt to sweep again"
    )


def pass_plans(place: Place) -> tuple[RunPlan, ...]:
    """The runs of the pass that is under way."""
    undone, number = swept(place), max(1, place.record.undo_pass)
    return (*revert_plans(place, undone, number), *revert_verify_plans(place, undone, number))


def swept(place: Place) -> list[Place]:
    """The steps of the same phase behind this one whose data has been taken back."""
    return [
        other
        for other in places(place.turn)
        if other.phase_index == place.phase_index
        and other.step_index > place.step_index
        and other.record.state is StepState.UNDONE
        and other.spec.migrate is not None
        and other.record.journals
    ]


def _groups(place: Place, undone: list[Place]) -> list[str]:
    runs = [run for step in undone for run in step.record.journals]
    written = {(migration_of(run), kind_of(run) is RunKind.DELETE) for run in runs}
    known = {migration.name: migration for migration in place.phase.migrations}
    groups = {
        group
        for name, deleted in written
        if name in known
        for group in ({known[name].source_group} if deleted else known[name].lock_groups)
    }
    # What the app wrote in the new shape goes back into the old one.
    groups |= {known[name].source_group for name, _ in written if name in known and known[name].reverse}
    return sorted(groups)
