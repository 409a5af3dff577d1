"""Many entities in little room: about the bytes of their ids, so that a million of them fit beside all else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from firelift.api.cohort import BUCKETS, bucket

BETWEEN = b"\xff"
"""Stands before and behind each id. UTF-8 has no such byte."""


@dataclass(slots=True)
class PackedEntities:
    """A set of entities in the order of `order.place`. `seed` is of the cohort hash."""

    seed: str
    total: int = 0
    _buckets: dict[int, bytearray] = field(default_factory=dict)

    def add(self, entities: Iterable[str]) -> None:
        """Put entities in; those that are there stay."""
        for entity in entities:
            packed = self._buckets.setdefault(bucket(self.seed, entity), bytearray(BETWEEN))
            name = entity.encode() + BETWEEN
            if BETWEEN + name not in packed:
                packed += name
                self.total += 1

    def __contains__(self, entity: str) -> bool:
        packed = self._buckets.get(bucket(self.seed, entity))
        return packed is not None and BETWEEN + entity.encode() + BETWEEN in packed

    def __iter__(self) -> Iterator[str]:
        return (entity for each in sorted(self._buckets) for entity in self._of(each))

    def cuts(self, parts: int) -> list[int]:
        """At most `parts` - 1 buckets that cut the entities in order into lanes of similar size."""
        if not self.total:
            return []
        ends = [self.total * part // parts for part in range(1, parts)]
        found: dict[int, None] = {}
        behind = 0
        for each in range(BUCKETS):
            behind += self._count(each)
            while ends and ends[0] < behind:
                found[each] = None
                ends.pop(0)
        first = min(self._buckets)
        return [each for each in found if each > first]

    def _count(self, number: int) -> int:
        packed = self._buckets.get(number)
        return packed.count(BETWEEN) - 1 if packed else 0

    def _of(self, number: int) -> list[str]:
        return [name.decode() for name in sorted(bytes(self._buckets[number][1:-1]).split(BETWEEN))]
