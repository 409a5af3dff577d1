"""Cohorts: nested, disjoint where they should be, and together everybody."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firelift.api.cohort import BUCKETS, Selection, bucket

ENTITIES = st.text(max_size=20)
PERCENTS = st.lists(st.integers(0, 100), max_size=4).map(sorted)


@given(ENTITIES, ENTITIES, st.integers(0, 100), st.integers(0, 100))
def test_a_larger_cohort_holds_each_smaller_one(seed: str, entity: str, one: int, other: int) -> None:
    small, large = (Selection(to_bucket=percent * 100) for percent in sorted((one, other)))
    assert large.covers(seed, entity) or not small.covers(seed, entity)


@given(ENTITIES, st.none() | ENTITIES, PERCENTS)
def test_the_differences_of_rising_cohorts_own_everybody_exactly_once(
    seed: str, entity: str | None, percents: list[int]
) -> None:
    steps = pairwise([0, *percents, 100])
    owners = [Selection(from_bucket=low * 100, to_bucket=high * 100) for low, high in steps if low < high]
    assert sum(owner.covers(seed, entity) for owner in owners) == 1


@given(ENTITIES, ENTITIES, st.integers(0, BUCKETS))
def test_named_entities_belong_to_whoever_names_them_and_to_nobody_else(seed: str, entity: str, edge: int) -> None:
    naming = Selection(ids=(entity,))
    others = [
        Selection(to_bucket=edge, except_ids=(entity,)),
        Selection(from_bucket=edge, to_bucket=BUCKETS, except_ids=(entity,)),
    ]
    assert naming.covers(seed, entity)
    assert not any(other.covers(seed, entity) for other in others)


@given(ENTITIES, ENTITIES)
def test_a_bucket_is_one_of_ten_thousand_and_always_the_same(seed: str, entity: str) -> None:
    assert bucket(seed, entity) == bucket(seed, entity)
    assert 0 <= bucket(seed, entity) < BUCKETS
