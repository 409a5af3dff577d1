"""Which runs a step needs: pure arithmetic over frozen phases, so that a plan never changes from turn to turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import takewhile

from firelift.api.cohort import BUCKETS, Selection
from firelift.api.migration import MigrationSpec
from firelift.api.quantity import parse
from firelift.api.run import RunKind, RunPlan, VerifyPlan, migration_of, run_id
from firelift.api.steps.verify import VerifyStep
from firelift.rollout.cohorts import closing, covered, moved, owners, returning, selection
from firelift.rollout.place import Place
from firelift.rollout.sizes import sized

REVERTS = 10
"""The numbers of the reverts of a step that was rehearsed are so far apart; there are three passes at most."""

ROUNDS = 500
"""The numbers of its sweeps are."""

SWEEPS = 1000
"""The numbers of a sweep's passes are so far apart: each is unlike those of all sweeps of the rollout, of which every
step has at most one before its first pass, counted by the step's place."""


def migrate_plans(place: Place) -> tuple[RunPlan, ...]:
    """Per migration, in the order of the spec: sweeps of what earlier steps own, then the difference."""
    step = place.spec.migrate
    if step is None or place.record.started is None:
        return ()
    named = [migration for migration in place.phase.migrations if migration.name in step.migrations]
    return tuple(plan for migration in named for plan in _migrate_plans(place, migration))


def verify_plans(place: Place) -> tuple[RunPlan, ...]:
    """One run per migration over everything that was moved so far, and one for each cohort that conditions choose."""
    step = place.spec.verify
    if step is None or place.record.started is None:
        return ()
    return tuple(
        plan for name in covered(place.phase.spec, place.step_index) for plan in _verify_plan(place, step, name)
    )


def sweep_plans(place: Place) -> tuple[RunPlan, ...]:
    """The runs of the pass that is due: per migration, one sweep of the cohort of each step that has moved it."""
    if place.spec.sweep is None or place.record.started is None:
        return ()
    number = _sweep_number(place) + SWEEPS * place.record.passes
    plans = [
        (owner, _plan(place, owner, place.migration(name), RunKind.SWEEP, number, selection=owned))
        for name in covered(place.phase.spec, place.step_index)
        for owner in owners(place, name)
        if (owned := selection(owner, name)) is not None
    ]
    return tuple(plan.model_copy(update={"letters": _letters(plan, owner)}) for owner, plan in plans)


def delete_plans(place: Place) -> tuple[RunPlan, ...]:
    """Per migration, one run over the sources of everything that was moved so far."""
    if place.spec.delete is None or place.record.started is None:
        return ()
    plans = [
        _plan(place, place, place.migration(name), RunKind.DELETE, number, selection=chosen)
        for name in covered(place.phase.spec, place.step_index)
        for number, chosen in enumerate(moved(owners(place, name), place.turn.rollout.seed, name))
    ]
    return tuple(plan.model_copy(update={"follows": _earlier_attempt(plan.id, place.record.runs)}) for plan in plans)


def revert_plans(place: Place, undone: Sequence[Place], pass_number: int) -> tuple[RunPlan, ...]:
    """What takes back the runs of these steps, as part of the inverse of the step at `place`: last migration first."""
    return _walks(place, undone, RunKind.REVERT, pass_number)


def revert_verify_plans(place: Place, undone: Sequence[Place], pass_number: int) -> tuple[RunPlan, ...]:
    """What checks that the runs of these steps have been taken back."""
    return _walks(place, undone, RunKind.REVERT_VERIFY, pass_number)


def _migrate_plans(place: Place, migration: MigrationSpec) -> Iterator[RunPlan]:
    for owner in owners(place, migration.name):
        owned = selection(owner, migration.name)
        if owned is not None:
            yield _forward(place, owner, migration, RunKind.SWEEP, owned)
    own = selection(place, migration.name)
    if own is not None:
        yield _forward(place, place, migration, RunKind.MIGRATE, own)


def _forward(place: Place, owner: Place, migration: MigrationSpec, kind: RunKind, chosen: Selection) -> RunPlan:
    pass_number = _sweep_number(place) if kind is RunKind.SWEEP else place.record.round
    plan = _plan(place, owner, migration, kind, pass_number, selection=chosen)
    follows = _earlier_attempt(plan.id, owner.record.runs)
    return plan.model_copy(update={"follows": follows, "letters": _letters(plan, owner)})


def _letters(plan: RunPlan, owner: Place) -> tuple[str, ...]:
    """The runs whose dead letters a run takes up: those that its cohort has had before it."""
    before = takewhile(lambda run: run != plan.id, owner.record.journals)
    return tuple(run for run in before if migration_of(run) == plan.migration.name)


def _verify_plan(place: Place, step: VerifyStep, name: str) -> Iterator[RunPlan]:
    predecessors = owners(place, name)
    if not predecessors:
        return
    subjects = tuple(run for owner in predecessors for run in owner.record.runs if migration_of(run) == name)
    compares = VerifyPlan(
        sample_buckets=_buckets(step.sample), authority=step.authority, recheck_seconds=step.recheck_seconds
    )
    migration = place.migration(name)
    for number, chosen in enumerate(moved(predecessors, place.turn.rollout.seed, name)):
        walked = () if number else subjects
        kind, apart = RunKind.VERIFY, number + ROUNDS * place.record.round
        yield _plan(place, place, migration, kind, apart, selection=chosen, subjects=walked, verify=compares)


def _buckets(sample: str) -> int:
    return max(1, int(min(Fraction(1), parse(sample).base) * BUCKETS))


def _sweep_number(place: Place) -> int:
    return place.ordinal + ROUNDS * place.record.round


def _walks(place: Place, undone: Sequence[Place], kind: RunKind, pass_number: int) -> tuple[RunPlan, ...]:
    plans = []
    runs = [run for step in undone for run in step.record.journals]
    written = sum(step.record.totals.written for step in undone)
    pass_number += REVERTS * place.record.round
    for migration in reversed(place.phase.migrations):
        subjects = tuple(run for run in runs if migration_of(run) == migration.name)
        if subjects:
            plan = _plan(
                place,
                place,
                migration,
                kind,
                pass_number,
                selection=returning(undone, migration),
                subjects=subjects,
                written=written,
            )
            follows = _earlier_attempt(plan.id, place.record.undo_runs) if kind is RunKind.REVERT else None
            plans.append(plan.model_copy(update={"follows": follows}))
    return tuple(plans)


def _plan(  # noqa: PLR0913 - what differs between the kinds of run, each said once
    place: Place,
    owner: Place,
    migration: MigrationSpec,
    kind: RunKind,
    pass_number: int,
    *,
    selection: Selection,
    subjects: tuple[str, ...] = (),
    verify: VerifyPlan | None = None,
    written: int = 0,
) -> RunPlan:
    rollout, state = place.turn.rollout, place.state
    plan = RunPlan(
        id=run_id(state.attempt, owner.phase.name, owner.key, migration.name, kind, pass_number),
        ledger=rollout.ledger_id,
        database=rollout.spec.database,
        seed=rollout.seed,
        attempt=state.attempt,
        phase=owner.phase.name,
        step=owner.key,
        kind=kind,
        pass_number=pass_number,
        migration=migration,
        selection=selection,
        closing=not selection.where and closing(place, migration.name),
        overlaps=any(each.spec.migrate and each.spec.migrate.cohort.where for each in owners(place, migration.name)),
        now=state.started or state.phases[0].started,
        pace=place.phase.pace,
        workers=place.phase.workers,
        verify=verify,
        subjects=subjects,
        image=state.worker_image,
    )
    return sized(place, plan, written)


def _earlier_attempt(run: str, known: tuple[str, ...]) -> str | None:
    """The same run of an earlier attempt, the latest of them."""
    name = run.split(".", 1)[1]
    return next((other for other in reversed(known) if other != run and other.split(".", 1)[1] == name), None)
