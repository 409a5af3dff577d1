"""Operations of an aggregate, value by value."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firelift.migration.aggregate.operations import OPERATIONS

VALUES: list[tuple[str, list[object], object]] = [
    ("sum", [], 0),
    ("sum", [1, 2], 3),
    ("sum", [0.1] * 10, 1.0),
    ("sum", [1, 0.5], 1.5),
    ("avg", [], None),
    ("avg", [1, 2], 1.5),
    ("min", [2, 1.5], 1.5),
    ("max", ["b", "a"], "b"),
    ("max", [], None),
    ("count", [True, False, True], 2),
]


def folded(name: str, values: list[object]) -> object:
    fold = OPERATIONS[name]()
    for value in values:
        fold.add(value)
    return fold.result()


@pytest.mark.parametrize(("name", "values", "expected"), VALUES)
def test_an_operation_answers_one_value_for_many(name: str, values: list[object], expected: object) -> None:
    found = folded(name, values)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "values"), [("sum", ["1"]), ("sum", [True]), ("max", [1, "a"]), ("min", [[1]]), ("count", [1])]
)
def test_an_operation_refuses_what_it_has_no_meaning_for(name: str, values: list[object]) -> None:
    with pytest.raises(TypeError):
        folded(name, values)


@given(
    st.lists(
        st.one_of(st.floats(-1e300, 1e300), st.sampled_from([math.inf, -math.inf]), st.integers(-(2**53), 2**53)),
        max_size=30,
    )
)
@example([3.6028797018963976e16, -1.0, 5, 2**53])
def test_a_sum_is_exact_in_whatever_order_its_numbers_come(values: list[object]) -> None:
    try:
        expected = math.fsum(values)  # type: ignore[arg-type] # numbers
    except (ValueError, OverflowError) as error:
        with pytest.raises((type(error), OverflowError)):
            float(folded("sum", values))  # type: ignore[arg-type] # a number
        return
    found = [folded("sum", each) for each in (values, values[::-1])]
    assert all(float(each) == expected for each in found)  # type: ignore[arg-type] # numbers
