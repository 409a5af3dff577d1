"""How a run is cut into indexes: as many as level the load, and none that costs more than it moves."""

from __future__ import annotations

import pytest

from firelift.api import shares


@pytest.mark.parametrize(
    ("workers", "records", "levels", "indexes"),
    [
        (2, None, 1, 2),
        (2, 0, 1, 1),
        (2, 999, 1, 1),
        (2, 1_000, 1, 2),
        (2, 20_000, 1, 2),
        (2, 30_000, 1, 3),
        (2, 1_000_000, 1, 8),
        (8, 1_000_000, 1, 32),
        (8, 2_000, 1, 4),
        (2, 300, 3, 3),
        (2, 5_000, 2, 4),
        (2, 5_000, 40, 8),
    ],
)
def test_a_small_run_has_few_indexes_and_a_large_one_more_than_pods(
    workers: int, records: int | None, levels: int, indexes: int
) -> None:
    assert shares.indexes(workers, records, levels) == indexes


@pytest.mark.parametrize(("indexes", "records", "lanes"), [(1, 0, 1), (2, 1_999, 3), (2, 100_000, 8)])
def test_an_index_has_several_lanes_that_are_not_too_small(indexes: int, records: int, lanes: int) -> None:
    assert shares.lanes(indexes, records) == lanes
