"""Histograms as Cloud Monitoring keeps them: added, subtracted, and read at a percentile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Distribution:
    """Count, mean, sum of squared deviations, and counts per bucket.

    `bounds` are the finite edges: bucket 0 lies below `bounds[0]`, the last one at or above `bounds[-1]`,
    so there is one bucket more than there are bounds. `options` is the serialized `BucketOptions` the writer
    sent, kept so that a reader gets back the same kind of buckets.
    """

    count: int
    mean: float
    deviation: float
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    options: bytes = b""

    @property
    def variance(self) -> float:
        """The population variance; 0 for an empty distribution."""
        return self.deviation / self.count if self.count else 0.0


def linear_bounds(number: int, width: float, offset: float) -> tuple[float, ...]:
    """Return the edges of `number` finite buckets of one width, as google.api.Distribution defines them."""
    return tuple(offset + width * edge for edge in range(number + 1))


def exponential_bounds(number: int, growth: float, scale: float) -> tuple[float, ...]:
    """Return the edges of `number` finite buckets, each `growth` times as wide as the one before."""
    return tuple(scale * growth**edge for edge in range(number + 1))


def total(parts: Sequence[Distribution]) -> Distribution:
    """Add distributions over the same buckets. Raises ValueError when their buckets differ."""
    first = parts[0]
    if any(part.bounds != first.bounds for part in parts):
        raise ValueError("distributions with different buckets cannot be added")
    count = sum(part.count for part in parts)
    mean = sum(part.mean * part.count for part in parts) / count if count else 0.0
    deviation = sum(part.deviation + part.count * (part.mean - mean) ** 2 for part in parts)
    counts = tuple(sum(column) for column in zip(*(part.counts for part in parts), strict=True))
    return Distribution(count, mean, deviation, first.bounds, counts, first.options)


def difference(later: Distribution, earlier: Distribution) -> Distribution:
    """Return what a cumulative distribution gained between two of its points."""
    if later.bounds != earlier.bounds:
        raise ValueError("distributions with different buckets cannot be subtracted")
    count = max(later.count - earlier.count, 0)
    mean = (later.mean * later.count - earlier.mean * earlier.count) / count if count else 0.0
    spread = earlier.deviation + earlier.count * (earlier.mean - later.mean) ** 2 + count * (mean - later.mean) ** 2
    counts = tuple(max(new - old, 0) for new, old in zip(later.counts, earlier.counts, strict=True))
    return Distribution(count, mean, max(later.deviation - spread, 0.0), later.bounds, counts, later.options)


def percentile(distribution: Distribution, rank: float) -> float:
    """Return the value below which `rank` (0..100) percent lie, interpolated within its bucket.

    The two outermost buckets have no second edge: below the first edge the answer lies between it and the smaller
    of 0 and itself; above the last edge the answer is that edge, the most that is known. NaN when it is empty.
    """
    if not distribution.count or not any(distribution.counts):
        return math.nan
    wanted = sum(distribution.counts) * rank / 100
    below = 0
    for bucket, count in enumerate(distribution.counts):
        if count and below + count >= wanted:
            low, high = _edges(distribution, bucket)
            return low + (high - low) * (wanted - below) / count
        below += count
    return _edges(distribution, len(distribution.counts) - 1)[1]


def _edges(distribution: Distribution, bucket: int) -> tuple[float, float]:
    bounds = distribution.bounds
    if not bounds:
        return distribution.mean, distribution.mean
    low = bounds[bucket - 1] if bucket else min(0.0, bounds[0])
    return low, bounds[bucket] if bucket < len(bounds) else bounds[-1]
