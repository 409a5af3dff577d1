"""Which runs a step needs: pure arithmetic over frozen phases, so that a plan never changes from turn to turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from firelift.api.cohort import BUCKETS, BUCKETS_PER_PERCENT, Selection, bucket
from firelift.api.migration import MigrationSpec
from firelift.api.quantity import parse
from firelift.api.rollout import PhaseSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan, run_id
from firelift.api.steps.verify import VerifyStep
from firelift.api.where import WhereCondition
from firelift.rollout.place import EXECUTED, Place
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
        for number, chosen in enumerate(_moved(owners(place, name), place.turn.rollout.seed, name))
    ]
    return tuple(plan.model_copy(update={"follows": _earlier_attempt(plan.id, place.record.runs)}) for plan in plans)


def covered(phase: PhaseSpec, step_index: int) -> tuple[str, ...]:
    """The migrations that a step speaks of: those it names, else those that the phase moves in front of it."""
    spec = phase.steps[step_index]
    step = spec.verify or spec.sweep or spec.delete
    before = [other.migrate.migrations for other in phase.steps[:step_index] if other.migrate]
    named = step.migrations if step else ()
    return named or tuple(dict.fromkeys(name for names in before for name in names))


def unmoved(place: Place) -> tuple[str, ...]:
    """The migrations that a step speaks of, and that no executed step in front of it has moved."""
    return tuple(name for name in covered(place.phase.spec, place.step_index) if not owners(place, name))


def revert_plans(place: Place, undone: Sequence[Place], pass_number: int) -> tuple[RunPlan, ...]:
    """What takes back the runs of these steps, as part of the inverse of the step at `place`: last migration first."""
    return _walks(place, undone, RunKind.REVERT, pass_number)


def revert_verify_plans(place: Place, undone: Sequence[Place], pass_number: int) -> tuple[RunPlan, ...]:
    """What checks that the runs of these steps have been taken back."""
    return _walks(place, undone, RunKind.REVERT_VERIFY, pass_number)


def owners(place: Place, migration: str) -> list[Place]:
    """The executed steps in front of this one that own a cohort of the migration."""
    return [
        earlier
        for earlier in place.before()
        if earlier.spec.migrate is not None
        and migration in earlier.spec.migrate.migrations
        and earlier.record.state in EXECUTED
    ]


def selection(place: Place, migration: str) -> Selection | None:
    """The cohort of a migrate step less what its predecessors own; None when nothing is left."""
    step = place.spec.migrate
    if step is None:
        return None
    covered = _covered(owners(place, migration), place.turn.rollout.seed)
    if step.cohort.ids is not None:
        ids = tuple(name for name in dict.fromkeys(step.cohort.ids) if not covered.holds(name))
        return Selection(ids=ids) if ids else None
    if step.cohort.where is not None:
        left = covered.buckets < BUCKETS
        return _where(step.cohort.where, covered.buckets, covered.ids) if left else None
    end = (step.cohort.percent or 0) * BUCKETS_PER_PERCENT
    start = min(covered.buckets, end)
    return Selection(from_bucket=start, to_bucket=end, except_ids=covered.ids) if start < end else None


def _where(where: tuple[WhereCondition, ...], start: int, except_ids: tuple[str, ...]) -> Selection:
    return Selection(from_bucket=start, to_bucket=BUCKETS, except_ids=except_ids, where=where)


def kind_of(run: str) -> RunKind:
    """What a run does, by its name."""
    return RunKind(run.split(".")[4])


def migration_of(run: str) -> str:
    """The migration that a run's name speaks of."""
    return run.split(".")[3]


@dataclass(frozen=True, slots=True)
class _Covered:
    """What predecessors own."""

    seed: str
    buckets: int
    ids: tuple[str, ...]

    def holds(self, entity: str) -> bool:
        return entity in self.ids or bucket(self.seed, entity) < self.buckets


def _covered(predecessors: list[Place], seed: str) -> _Covered:
    cohorts = [place.spec.migrate.cohort for place in predecessors if place.spec.migrate is not None]
    percent = max((cohort.percent or 0 for cohort in cohorts), default=0)
    ids = tuple(dict.fromkeys(name for cohort in cohorts for name in cohort.ids or ()))
    return _Covered(seed, percent * BUCKETS_PER_PERCENT, ids)


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


def _closing(place: Place, migration: str) -> bool:
    """Whether this step, or one in front of it, moves the last entity."""
    moving = [*owners(place, migration), place]
    return _covered(moving, place.turn.rollout.seed).buckets == BUCKETS


def _verify_plan(place: Place, step: VerifyStep, name: str) -> Iterator[RunPlan]:
    predecessors = owners(place, name)
    if not predecessors:
        return
    subjects = tuple(run for owner in predecessors for run in owner.record.runs if migration_of(run) == name)
    compares = VerifyPlan(
        sample_buckets=_buckets(step.sample), authority=step.authority, recheck_seconds=step.recheck_seconds
    )
    migration = place.migration(name)
    for number, chosen in enumerate(_moved(predecessors, place.turn.rollout.seed, name)):
        walked = () if number else subjects
        kind, apart = RunKind.VERIFY, number + ROUNDS * place.record.round
        yield _plan(place, place, migration, kind, apart, selection=chosen, subjects=walked, verify=compares)


def _moved(predecessors: list[Place], seed: str, name: str) -> Iterator[Selection]:
    """Everything that was moved so far: what buckets and names say, then each cohort that conditions say."""
    covered = _covered(predecessors, seed)
    if covered.buckets or covered.ids:
        yield Selection(to_bucket=covered.buckets, ids=covered.ids)
    chosen = (selection(owner, name) for owner in predecessors)
    yield from (each for each in chosen if each is not None and each.where)


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
                selection=_returning(undone, migration),
                subjects=subjects,
                written=written,
            )
            follows = _earlier_attempt(plan.id, place.record.undo_runs) if kind is RunKind.REVERT else None
            plans.append(plan.model_copy(update={"follows": follows}))
    return tuple(plans)


def _returning(undone: Sequence[Place], migration: MigrationSpec) -> Selection:
    """The cohort whose documents of the new shape go back with these steps; nobody where they have no way back."""
    if migration.reverse is None:
        return Selection()
    owned = (selection(step, migration.name) for step in undone if step.spec.migrate is not None)
    chosen = [each for each in owned if each is not None and not each.where]
    ids = tuple(dict.fromkeys(name for each in chosen for name in each.ids))
    others = dict.fromkeys(name for each in chosen for name in each.except_ids if name not in ids)
    return Selection(
        from_bucket=min((each.from_bucket for each in chosen if each.to_bucket), default=0),
        to_bucket=max((each.to_bucket for each in chosen), default=0),
        ids=ids,
        except_ids=tuple(others),
    )


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
        closing=not selection.where and _closing(place, migration.name),
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
