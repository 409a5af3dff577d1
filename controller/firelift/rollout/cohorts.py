"""Whose records a step speaks of: its own cohort is the difference to what the steps in front of it own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firelift.api.cohort import BUCKETS, BUCKETS_PER_PERCENT, Selection, bucket
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PhaseSpec
from firelift.api.where import WhereCondition
from firelift.rollout.place import EXECUTED, Place


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


def moved(predecessors: list[Place], seed: str, name: str) -> Iterator[Selection]:
    """Everything that was moved so far: what buckets and names say, then each cohort that conditions say."""
    covered = _covered(predecessors, seed)
    if covered.buckets or covered.ids:
        yield Selection(to_bucket=covered.buckets, ids=covered.ids)
    chosen = (selection(owner, name) for owner in predecessors)
    yield from (each for each in chosen if each is not None and each.where)


def closing(place: Place, migration: str) -> bool:
    """Whether this step, or one in front of it, moves the last entity."""
    moving = [*owners(place, migration), place]
    return _covered(moving, place.turn.rollout.seed).buckets == BUCKETS


def returning(undone: Sequence[Place], migration: MigrationSpec) -> Selection:
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


def _where(where: tuple[WhereCondition, ...], start: int, except_ids: tuple[str, ...]) -> Selection:
    return Selection(from_bucket=start, to_bucket=BUCKETS, except_ids=except_ids, where=where)


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
