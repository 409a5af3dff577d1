"""The largest entity that a sample has met: how long a migration takes that writes each entity only so often."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from firelift.api import shares
from firelift.api.migration import MigrationSpec
from firelift.api.plan import Check, PlanRequest, SourceSample
from firelift.migration.entities.open_entities import OPEN
from firelift.migration.entities.reader import ByKey
from firelift.migration.entities.whose import Whose
from firelift.migration.errors import StoreError
from firelift.migration.preflight.verdicts import passed, warned
from firelift.migration.store import Document

_EACH = Fraction(1)


@dataclass(frozen=True, slots=True)
class EntityMinutes:
    """How many minutes entities take at a pace of their own. `largest` is by migration, in documents written."""

    per_minute: int
    workers: int
    largest: Mapping[str, int]

    def of(self, migration: str, documents: int, records: int, per_write: Fraction = _EACH) -> int:
        """Of so many documents that so many records become; `per_write` of what `largest` counts are one write.

        The first minute of a run is a blind one. A lane writes so many entities side by side; each of them waits in
        its place there, and nobody waits whose documents are fewer than a minute may have.
        """
        if not documents:
            return 0
        turns = self.turns(migration, documents, per_write)
        if turns == 1:
            return 1
        at_once = OPEN * shares.lanes(self.workers, records) * self.per_minute
        return max(turns, 1 + math.ceil(documents / at_once))

    def turns(self, migration: str, documents: int, per_write: Fraction = _EACH) -> int:
        """In how many minutes the largest entity is written; in the last one it is asked whether that was all."""
        largest = math.ceil(self.largest.get(migration, 0) / per_write)
        return min(largest, documents) // self.per_minute + 1


def entity_minutes(request: PlanRequest, samples: Iterable[SourceSample]) -> EntityMinutes | None:
    """None where entities may be written as often as a run gets to them."""
    per_minute = request.pace.per_entity_writes_per_minute
    if per_minute is None:
        return None
    return EntityMinutes(per_minute, request.workers, {each.migration: each.most_of_entity for each in samples})


async def with_largest(
    sample: SourceSample, spec: MigrationSpec, records: ByKey, whose: Whose, documents: Iterable[Document], most: int
) -> SourceSample:
    """The sample with the records counted of those of its entities that it has met most often, `most` of them."""
    met = Counter(entity for each in documents if (entity := whose.entity(each)) is not None)
    try:
        counts = [await records.store.count(records.of([entity])) for entity, _ in met.most_common(most)]
    except StoreError:  # the check of the index tells of it
        return sample
    becomes = Fraction(sample.produced, sample.sampled) if spec.one_to_many and sample.produced else _EACH
    largest = math.ceil(max(counts, default=0) * becomes)
    return sample.model_copy(update={"entities": len(counts), "most_of_entity": largest})


def groups_of_all(groups: int, read: int, count: int) -> int:
    """How many groups an entity has, if those of all its records are as those of the records that were read."""
    return math.ceil(Fraction(groups * count, read)) if read else 0


def told(request: PlanRequest, samples: Sequence[SourceSample]) -> tuple[Check, ...]:
    """What the minutes of the estimate rest on, for each migration; nothing without such a pace."""
    minutes = entity_minutes(request, samples)
    return tuple(_told(each, minutes) for each in samples) if minutes is not None else ()


def _told(sample: SourceSample, minutes: EntityMinutes) -> Check:
    name, pace = f"pace {sample.migration}", f"at {minutes.per_minute:,} documents a minute for each entity"
    if not sample.entities:
        return warned(name, f"{pace} the estimate is too short, because the sample has met none that can be counted")
    turns = minutes.turns(sample.migration, sample.most_of_entity)
    return passed(
        name,
        f"{pace} the largest of {sample.entities:,} that were met in the sample, with {sample.most_of_entity:,} "
        f"documents, takes {turns:,} minutes; the estimate rests on it, and a larger one takes longer",
    )
