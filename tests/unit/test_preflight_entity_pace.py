"""How long a pace per entity takes: what the plan says, and what a run then takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.moving import COPY, counts, migration, plan, ran
from tests.rollout_specs import APPROVE, SWEEP, migrate, phase
from tests.unit.test_aggregate_pace import filled as with_days
from tests.unit.test_aggregates import DAILY
from tests.unit.test_entity_pace import filled as with_logs
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.plan import PhaseEstimate, PlanReport, PlanRequest, SourceSample
from firelift.api.rollout import PaceSpec, PhaseSpec, RolloutMode
from firelift.api.run import RunKind
from firelift.migration.preflight.estimate import estimate
from firelift.migration.preflight.report import preflight
from firelift.migration.store import Create, Store
from firelift.stores.memory import MemoryStore

FIVE = PaceSpec(max_writes_per_second=500, batch_size=200, per_entity_writes_per_minute=5)
ANY = FIVE.model_copy(update={"per_entity_writes_per_minute": None})
BASES: dict[str, dict[str, Any]] = {
    "copies": {**COPY, "entityCollection": "users"},
    "statistics": {**DAILY, "entityCollection": "users"},
}


def request(base: dict[str, Any], pace: PaceSpec = FIVE, *phases: dict[str, Any], workers: int = 1) -> PlanRequest:
    wanted = phases or (phase("all", migrate(100, base["name"])),)
    return PlanRequest(
        mode=RolloutMode.MIGRATE,
        migrations=(migration(base),),
        phases=tuple(PhaseSpec.model_validate(each) for each in wanted),
        pace=pace,
        workers=workers,
    )


async def planned(store: Store, asked: PlanRequest) -> tuple[PlanReport, dict[str, str]]:
    report = await preflight(store, plan(RunKind.PLAN, asked.migrations[0], request=asked), VirtualClock())
    return report, {check.check: f"{check.verdict}: {check.message}" for check in report.checks}


async def filled(kind: str, users: dict[str, int]) -> MemoryStore:
    if kind == "copies":
        return await with_logs(users)
    store = with_days(users)
    store.apply([Create(f"users/{user}", {}) for user in users])
    return store


@pytest.mark.parametrize("kind", BASES)
@pytest.mark.parametrize(
    "users",
    [
        {"ada": 40},
        {"ada": 4},
        {f"u{number:03d}": 3 for number in range(300)},
        {f"u{number:03d}": 3 + number % 11 for number in range(100)},
        {f"u{number:03d}": 8 for number in range(90)},
        {f"u{number:03d}": 2 + 60 * (number % 50 == 0) for number in range(150)},
    ],
)
@in_virtual_time
async def test_the_plan_says_how_long_a_run_then_takes(kind: str, users: dict[str, int]) -> None:
    base = BASES[kind]
    store = await filled(kind, users)
    report, _ = await planned(store, request(base))
    (found,) = report.phases
    began = asyncio.get_running_loop().time()
    moved = await ran(store, plan(RunKind.MIGRATE, migration(base), pace=FIVE, closing=True))
    took = (asyncio.get_running_loop().time() - began) / 60
    assert counts(moved)["created"] == found.documents == sum(users.values())
    assert took - 1 <= found.minutes <= took + 1.1


@in_virtual_time
async def test_what_the_minutes_rest_on_is_said() -> None:
    users = {f"u{number:02d}": 3 for number in range(30)} | {"big": 47}
    _, said = await planned(await with_logs(users), request(BASES["copies"]))
    assert said["pace fitness-logs"] == (
        "Pass: at 5 documents a minute for each entity the largest of 10 that were met in the sample, with 47 "
        "documents, takes 10 minutes; the estimate rests on it, and a larger one takes longer"
    )
    report, said = await planned(await with_logs(users), request(BASES["copies"], ANY))
    assert ("pace fitness-logs" in said, report.phases[0].minutes, report.samples[0].entities) == (False, 1, 0)


@in_virtual_time
async def test_an_entity_with_more_records_than_a_sample_takes_is_counted() -> None:
    store = await filled("statistics", {"ada": 150})
    report, said = await planned(store, request(BASES["statistics"]))
    assert 150 <= report.samples[0].most_of_entity <= 152, "200 of 450 records, of 67 days"
    assert "the largest of 1 that were met" in said["pace daily"]
    logs = await with_logs({"ada": 450})
    report, _ = await planned(logs, request(BASES["copies"]))
    assert report.samples[0].most_of_entity == 450


@in_virtual_time
async def test_a_sample_that_meets_no_entity_says_that_the_minutes_are_too_few() -> None:
    store = MemoryStore()
    store.apply([Create(f"fitness_logs/{number}", {}) for number in range(5)])
    _, said = await planned(store, request(BASES["copies"]))
    assert said["pace fitness-logs"].startswith("Warn: at 5 documents a minute for each entity the estimate is too sh")


def sampled(base: dict[str, Any], largest: int, **changes: Any) -> SourceSample:
    return SourceSample(migration=base["name"], entities=10, most_of_entity=largest, **{"sampled": 100, **changes})


def minutes(found: tuple[PhaseEstimate, ...]) -> list[int]:
    return [each.minutes for each in found]


def test_phases_that_sweep_earlier_cohorts_wait_a_blind_minute_for_each() -> None:
    name = BASES["copies"]["name"]
    phases = [phase("one", migrate(10, name)), phase("two", migrate(100, name), SWEEP)]
    asked = request(BASES["copies"], FIVE, *phases, workers=4)
    found = estimate(asked, {name: 10_000}, [sampled(BASES["copies"], 20, produced=100)])
    assert minutes(found) == [5, 5 + 1 + 2]
    assert minutes(estimate(request(BASES["copies"], ANY, *phases), {name: 10_000})) == [1, 1]


def test_sources_that_become_several_documents_and_are_deleted_again_keep_the_pace_too() -> None:
    target = {"document": "users/{doc.userId}/items/{id}-{index}", "forEach": "doc.items"}
    base = {**BASES["copies"], "target": target}
    name = base["name"]
    tidy = phase("tidy", APPROVE, {"delete": {"migrations": [name]}})
    asked = request(base, FIVE, phase("all", migrate(100, name)), tidy)
    found = estimate(asked, {name: 100}, [sampled(base, 60, produced=300)])
    assert [(each.documents, each.minutes) for each in found] == [(300, 13), (0, 5)]
    none = estimate(asked, {name: 100}, [sampled(base, 20, produced=0)])
    assert [(each.documents, each.minutes) for each in none] == [(0, 1), (0, 5)]


def test_records_of_statistics_that_wait_are_read_again_each_minute() -> None:
    name = DAILY["name"]
    sample = sampled(BASES["statistics"], 12, produced=50)
    slow, fast = (estimate(request(BASES["statistics"], pace), {name: 1_000}, [sample]) for pace in (FIVE, ANY))
    assert [each.reads for each in (*slow, *fast)] == [3 * 1_000 + 1_000, 1_000 + 1_000]
