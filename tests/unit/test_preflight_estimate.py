"""What each phase will read, write, cost and take."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import MIGRATION, VERIFY, flags, migrate, phase, soak, spec

from firelift.api.plan import PhaseEstimate, PlanRequest
from firelift.api.rollout import PaceSpec, Prices, RolloutMode
from firelift.migration.preflight.estimate import estimate, money, seconds_of_writing, total

PACE = PaceSpec(max_writes_per_second=1_000, batch_size=200)


def estimated(
    *phases: dict[str, Any], documents: int = 1_000_000, started: int = 0, **changes: Any
) -> tuple[PhaseEstimate, ...]:
    made = spec(*phases, **changes)
    request = PlanRequest(
        mode=RolloutMode.MIGRATE,
        migrations=made.migrations,
        started=made.phases[:started],
        phases=made.phases[started:],
        pace=PACE,
        workers=2,
    )
    return estimate(request, {"logs": documents})


def test_a_phase_moves_the_difference_reads_its_source_and_writes_a_journal() -> None:
    one, ten = estimated(phase("one", migrate(1)), phase("ten", migrate(10)))
    assert (one.documents, one.reads, one.writes) == (10_000, 1_000_000, 10_050)
    # The second phase also sweeps what the first one owns.
    assert (ten.documents, ten.reads, ten.writes) == (90_000, 2_000_000, 90_450)


def test_phases_that_have_started_are_what_the_others_build_on() -> None:
    phases = [phase("one", migrate(1)), phase("ten", migrate(10)), phase("all", migrate(100))]
    assert estimated(*phases, started=2) == estimated(*phases)[2:]


def test_a_verify_reads_both_sides_of_its_sample() -> None:
    moved, verified = estimated(phase("one", migrate(10))), estimated(phase("one", migrate(10), VERIFY))
    assert verified[0].reads - moved[0].reads == 1_000_000 + 100_000
    half = estimated(phase("one", migrate(10), {"verify": {"sample": "50%"}}))
    assert half[0].reads - moved[0].reads == 1_000_000 + 50_000
    assert verified[0].documents == moved[0].documents


def test_named_entities_count_as_one_document_each() -> None:
    named = {"migrate": {"migrations": ["logs"], "cohort": {"ids": ["ada", "grace"]}}}
    found = estimated(phase("few", named), phase("all", migrate(100)))
    assert [each.documents for each in found] == [2, 1_000_000]


def test_a_listed_cohort_is_read_for_what_it_covers() -> None:
    listed = {**MIGRATION, "entityCollection": "users"}
    phases = [phase("one", migrate(1), VERIFY), phase("ten", migrate(10)), phase("all", migrate(100))]
    found = estimated(*phases, migrations=[listed])
    assert [each.reads for each in found] == [10_000 + 2 * 10_000, 90_000 + 10_000, 900_000 + 100_000 + 1_000_000]


def test_conditions_may_hold_for_everything() -> None:
    chosen = {"migrate": {"migrations": ["logs"], "cohort": {"where": [{"field": "plan", "equals": "free"}]}}}
    (found,) = estimated(phase("free", chosen, VERIFY))
    assert (found.documents, found.reads) == (1_000_000, 3_000_000)


def test_soaks_and_flags_are_waited_for() -> None:
    (found,) = estimated(phase("one", flags(), soak(3_600, evidence="None")))
    assert (found.minutes, found.waiting_minutes) == (0, 61)


def test_ten_million_documents_cost_what_the_price_list_says() -> None:
    (found,) = estimated(phase("all", migrate(100), VERIFY), documents=10_000_000)
    assert (found.reads, found.writes) == (30_000_000, 10_100_000)
    assert found.money == "36.18 USD"
    assert total([found, found], Prices()).money == "72.36 USD"


@pytest.mark.parametrize(
    ("reads", "writes", "prices", "says"),
    [
        (0, 0, {}, "0.00 USD"),
        (1, 0, {}, "<0.01 USD"),
        (100_000, 100_000, {}, "0.24 USD"),
        (10**10, 0, {"readsPer100k": "0.5", "currency": "EUR"}, "50,000.00 EUR"),
        (0, 10**5, {"writesPer100k": "0.108"}, "0.11 USD"),
    ],
)
def test_money_is_exact_to_the_cent(reads: int, writes: int, prices: dict[str, str], says: str) -> None:
    assert money(reads, writes, Prices.model_validate(prices)) == says


@pytest.mark.parametrize(
    ("writes", "pace", "seconds"),
    [
        (500, {}, 1),
        (150_000, {}, 300),
        (150_000 + 750, {"maxWritesPerSecond": 750}, 301),
        (10_000, {"maxWritesPerSecond": 100}, 100),
        (250, {"batchSize": 25, "pauseBetweenBatchesSeconds": 2}, 20),
    ],
)
def test_writing_takes_what_ramp_pace_and_pauses_allow(writes: int, pace: dict[str, int], seconds: float) -> None:
    assert seconds_of_writing(writes, PaceSpec.model_validate(pace)) == pytest.approx(seconds)
