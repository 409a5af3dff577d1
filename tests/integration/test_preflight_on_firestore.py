"""A plan run and a dry run against the emulator: what they ask is answered, and nothing of the app is touched."""

from __future__ import annotations

import secrets
import time

import pytest
from tests.moving import COPY, LEDGER, counts, migration, plan, ran, stored
from tests.rollout_specs import phase

from firelift.api.plan import CheckVerdict, PlanReport, PlanRequest
from firelift.api.rollout import PhaseSpec, RolloutMode
from firelift.api.run import RunControl, RunKind, RunState
from firelift.migration.clock import SystemClock
from firelift.migration.ledger.root import RootOwner, create_root
from firelift.migration.ledger.runs import RunStore
from firelift.migration.preflight.report import read_report
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Source
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import FirestoreStore, open_firestore

DOCUMENTS = 30


async def planned(store: FirestoreStore, emulator: str) -> PlanReport:
    move = {"migrate": {"migrations": ["fitness-logs"], "cohort": {"percent": 10}}}
    request = PlanRequest(
        mode=RolloutMode.MIGRATE,
        emulator=emulator,
        migrations=(migration(COPY),),
        phases=(PhaseSpec.model_validate(phase("ten", move)),),
    )
    made = plan(RunKind.PLAN, migration(COPY), request=request)
    await create_root(store, LEDGER, RootOwner("c", "u", "n", 1), "")
    await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000))
    await work(store, Share(LEDGER, made.id, 0, 1), build, clock=SystemClock())
    report = await read_report(store, LEDGER, made.id)
    assert report is not None
    return report


async def filled(store: FirestoreStore) -> None:
    fields = stored({"userId": "ada", "calories": 1})
    await store.commit([Create(f"fitness_logs/{n:03d}", fields) for n in range(DOCUMENTS)])


async def test_a_plan_run_asks_everything_of_a_real_server_and_changes_nothing(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    store = open_firestore(f"preflight-{secrets.token_hex(6)}", emulator_host=emulator)
    await filled(store)
    before = (await store.get(["fitness_logs/000"]))[0]
    began = time.monotonic()
    report = await planned(store, emulator)
    took = time.monotonic() - began
    verdicts = {check.check: check.verdict for check in report.checks}
    assert verdicts.pop("database") is CheckVerdict.WARN  # it is an emulator
    assert set(verdicts.values()) == {CheckVerdict.PASS}, report.checks
    assert [each.documents for each in report.counts] == [DOCUMENTS]
    after = (await store.get(["fitness_logs/000"]))[0]
    assert (before.path, getattr(before, "update_time", 0)) == (after.path, getattr(after, "update_time", 1))
    assert took < 5
    await store.close()


async def test_an_apps_data_on_either_side_of_the_ledgers_is_found(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    for path in ("App/1/firelift_runs/x", "zoo/1/firelift_journal/x"):
        store = open_firestore(f"preflight-{secrets.token_hex(6)}", emulator_host=emulator)
        await store.commit([Create(path, stored({"mine": 1}))])
        report = await planned(store, emulator)
        (found,) = [check for check in report.checks if check.check == "ledger"]
        assert found.verdict is CheckVerdict.FAIL
        assert path in found.message
        await store.close()


async def test_a_dry_run_says_what_a_migrate_then_does(emulator: str) -> None:
    store = open_firestore(f"preflight-{secrets.token_hex(6)}", emulator_host=emulator)
    await filled(store)
    await store.commit([Create("users/ada/fitness_logs/001", stored({"calories": 1}))])
    dry = await ran(store, plan(RunKind.DRY_RUN, migration(COPY)), SystemClock())
    copies = Source("users/ada/fitness_logs")
    assert await store.count(copies) == 1
    real = await ran(store, plan(RunKind.MIGRATE, migration(COPY)), SystemClock())
    assert counts(dry) == counts(real) == {"read": DOCUMENTS, "created": DOCUMENTS - 1, "updated": 1}
    assert await store.count(copies) == DOCUMENTS
    await store.close()
