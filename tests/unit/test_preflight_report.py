"""A plan run on a store in memory: it looks at everything and writes one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, LEDGER, NOW, migration, plan, stored
from tests.rollout_specs import phase
from tests.virtual_time import VirtualClock

from firelift.api.plan import CheckVerdict, PlanReport, PlanRequest
from firelift.api.rollout import DatabaseRef, PhaseSpec, RolloutMode
from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.functions import Context
from firelift.migration.errors import Denied, StoreError
from firelift.migration.ledger.failures import write_failure
from firelift.migration.ledger.root import RootOwner, create_root
from firelift.migration.ledger.runs import RunStore
from firelift.migration.preflight.report import forget_report, read_report
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Put, Write
from firelift.migration.worker import Share, work
from firelift.stores.memory import Faults, MemoryStore

MOVE = {"migrate": {"migrations": ["fitness-logs"], "cohort": {"percent": 50}}}


def asked(**changes: Any) -> RunPlan:
    request = PlanRequest(
        mode=RolloutMode.MIGRATE,
        database_uid="uid-of-db",
        migrations=(migration(COPY),),
        phases=(PhaseSpec.model_validate(phase("half", MOVE)),),
    )
    return plan(RunKind.PLAN, migration(COPY), request=request.model_copy(update=changes))


async def planned(
    store: MemoryStore, made: RunPlan | None = None, made_in: str = "uid-of-db"
) -> tuple[PlanReport, dict[str, CheckVerdict]]:
    made = made or asked()
    await create_root(store, LEDGER, RootOwner("c", "u", "n", 1), made_in)
    control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000)
    await RunStore(store, LEDGER).ensure(made, control)
    before = store.snapshot()
    await work(store, Share(LEDGER, made.id, 0, 1), build, clock=VirtualClock())
    written = set(store.snapshot()) - set(before)
    assert written == {f"_firelift/{LEDGER}/firelift_runs/{made.id}.report"}
    assert all(store.snapshot()[path] == fields for path, fields in before.items())
    report = await read_report(store, LEDGER, made.id)
    assert report is not None
    return report, {check.check: check.verdict for check in report.checks}


async def with_logs(count: int = 10, **faults: Any) -> MemoryStore:
    store = MemoryStore()
    await store.commit([Create(f"fitness_logs/{n}", stored({"userId": "ada"})) for n in range(count)])
    store.faults = Faults(**faults)
    return store


async def test_a_plan_run_that_is_forgotten_leaves_nothing_however_often_it_is() -> None:
    store = await with_logs()
    await planned(store)
    await write_failure(store, LEDGER, "plan.0", 0, "it was killed")
    for _ in range(2):
        await forget_report(store, LEDGER, "plan.0")
        assert [path for path in store.snapshot() if "firelift_runs" in path] == []


async def test_a_sound_rollout_passes_every_check_and_writes_only_its_report() -> None:
    report, verdicts = await planned(await with_logs())
    assert set(verdicts.values()) == {CheckVerdict.PASS}
    assert [(each.migration, each.documents) for each in report.counts] == [("fitness-logs", 10)]
    assert [(each.name, each.documents, each.reads) for each in report.phases] == [("half", 5, 10)]


MANY = {**COPY, "target": {"document": "meals/{id}-{index}", "forEach": "doc.meals"}}
DAILY: dict[str, Any] = {
    "name": "fitness-logs",
    "source": {"collection": "fitness_logs"},
    "entityKey": "userId",
    "target": {
        "aggregate": {
            "document": "users/{entity}/days/{day}",
            "keys": {"day": "string(doc.day)"},
            "set": {"total": {"sum": "doc.n"}},
        }
    },
}


@pytest.mark.parametrize(("base", "documents"), [(COPY, 20), (MANY, 60), (DAILY, 4)])
async def test_what_a_source_becomes_is_taken_from_a_sample(base: dict[str, Any], documents: int) -> None:
    store = MemoryStore()
    meals = [{"n": n} for n in range(3)]
    logs = [{"userId": f"u{n % 4}", "day": n // 20, "n": n, "meals": meals} for n in range(40)]
    await store.commit([Create(f"fitness_logs/{n}", stored(log)) for n, log in enumerate(logs)])
    report, verdicts = await planned(store, asked(migrations=(migration(base),)))
    assert verdicts["sample fitness-logs"] is CheckVerdict.PASS
    assert [each.documents for each in report.phases] == [documents]
    assert (report.samples[0].sampled, report.samples[0].refused) == (40, 0)


@pytest.mark.parametrize(
    ("mode", "below", "verdict", "says"),
    [
        ("Migrate", 30, CheckVerdict.WARN, "10 of 40 documents that were tried cannot move, such as fitness_logs/"),
        ("Migrate", 0, CheckVerdict.FAIL, "40 of 40 documents that were tried cannot move, such as fitness_logs/"),
        ("DryRun", 0, CheckVerdict.WARN, "n is too large; onInvalid is DeadLetter"),
    ],
)
async def test_what_cannot_move_is_said_before_anything_is_written(
    mode: str, below: int, verdict: CheckVerdict, says: str
) -> None:
    store = MemoryStore()
    await store.commit([Create(f"fitness_logs/{n}", stored({"userId": "ada", "n": n})) for n in range(40)])
    ruled = migration(COPY, validate=[{"rule": f"doc.n < {below}", "message": "n is too large"}])
    report, verdicts = await planned(store, asked(migrations=(ruled,), mode=RolloutMode(mode)))
    assert verdicts["sample fitness-logs"] is verdict
    assert says in next(check.message for check in report.checks if check.check.startswith("sample"))


PRICED = {"name": "write", "price": 3, "at": {"where": "x", "when": 1}, "state": {"is": "new"}}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"transform": {"set": {"price": "doc.price * 100"}}}, "price"),
        ({"transform": {"set": {"cents": "doc.price * 100"}}}, ""),
        ({"transform": {"set": {"price": "doc.price"}}}, ""),
        ({"transform": {"set": {"price": "doc.price * 100"}, "rename": {"price": "euros"}}}, ""),
        ({"transform": {"set": {"at": "{'where': 'y'}"}, "rename": {"at.where": "there", "at.when": "then"}}}, ""),
        ({"transform": {"set": {"at": "{'where': 'y'}"}, "rename": {"at.where": "there"}}}, "at"),
        ({"transform": {"set": {"at.when": "2", "price": "4"}, "remove": ["name"]}}, "at.when, price"),
        ({"transform": {"rename": {"name": "title"}}, "marker": {"field": "price", "value": "done"}}, "price"),
        (
            {"transform": {"rename": {"name": "title"}}, "marker": {"field": "state.is.now", "value": "1"}},
            "state.is.now",
        ),
        ({"transform": {"rename": {"name": "title"}}, "marker": {"field": "at.moved", "value": "1"}}, ""),
    ],
)
async def test_fields_that_are_overwritten_in_place_are_told_by_a_sample(changes: dict[str, Any], named: str) -> None:
    store = await with_logs()
    await store.commit([Create(f"tasks/{n}", stored({"name": "old"} if n % 2 else PRICED)) for n in range(10)])
    base = {name: value for name, value in IN_PLACE.items() if name != "appliesWhen"}
    spec = migration({**base, "marker": {"field": "done", "value": "yes"}}, **changes)
    report, _ = await planned(store, asked(migrations=(spec,)))
    assert report.samples[0].produced >= 5
    told = "".join(check.message for check in report.checks if check.check.startswith("lossy"))
    found = [what for what in told.split("; ") if what.startswith("fields are overwritten in place: ")]
    assert found == ([f"fields are overwritten in place: {named}"] if named else [])


def counted(documents: list[dict[str, Any]], _: Context) -> dict[str, Any]:
    """A reducer."""
    return {"n": len(documents)}


@pytest.mark.parametrize("by", ["python", "set"])
async def test_an_entity_that_a_reducer_could_not_hold_is_told_before_anything_is_written(by: str) -> None:
    store = MemoryStore()
    for start in range(0, 220, 55):
        logs = [{"userId": "ada", "day": 1, "n": n, "note": "x" * 100_000} for n in range(start, start + 55)]
        await store.commit([Create(f"fitness_logs/{log['n']:03d}", stored(log)) for log in logs])
    await store.commit([Create(f"fitness_logs/b{n}", stored({"userId": "bob", "day": 1, "n": n})) for n in range(5)])
    target = DAILY["target"]["aggregate"]
    reducing = {name: value for name, value in target.items() if name != "set"}
    reducing["python"] = {"entrypoint": f"{__name__}:counted"}
    chosen = {"aggregate": reducing if by == "python" else target}
    report, verdicts = await planned(store, asked(migrations=(migration(DAILY, target=chosen),)))
    (told,) = (check.message for check in report.checks if check.check.startswith("sample"))
    outgrown = "entity ada has 220 documents, which need about 21 MiB, and a lane may hold 16: nothing of it would be"
    assert (outgrown in told) is (by == "python"), told
    assert verdicts["sample fitness-logs"] is (CheckVerdict.WARN if by == "python" else CheckVerdict.PASS)


@pytest.mark.parametrize(
    ("cohort", "documents"),
    [({"ids": ["u1", "u2"]}, 20), ({"where": [{"field": "plan", "equals": "free"}]}, 4), ({"percent": 25}, 10)],
)
async def test_a_cohort_by_name_or_condition_is_counted(cohort: dict[str, Any], documents: int) -> None:
    store = MemoryStore()
    logs = [{"userId": f"u{n % 4}", "plan": "free" if n < 4 else "paid"} for n in range(40)]
    await store.commit([Create(f"fitness_logs/{n}", stored(log)) for n, log in enumerate(logs)])
    move = {"migrate": {"migrations": ["fitness-logs"], "cohort": cohort}}
    report, _ = await planned(store, asked(phases=(PhaseSpec.model_validate(phase("some", move)),)))
    assert [each.documents for each in report.phases] == [documents]


async def test_an_index_that_is_not_ready_is_named_with_what_to_do() -> None:
    async def indexing(method: str) -> None:
        if method == "page":
            raise StoreError("FAILED_PRECONDITION", "The query requires an index. That index is currently building.")

    move = {"migrate": {"migrations": ["fitness-logs"], "cohort": {"where": [{"field": "plan", "equals": "free"}]}}}
    grouped = migration(COPY, source={"collectionGroup": "fitness_logs"}, target={"document": "logs/{id}"})
    made = asked(migrations=(grouped,), phases=(PhaseSpec.model_validate(phase("free", move)),))
    report, verdicts = await planned(await with_logs(before_read=indexing), made)
    assert verdicts["index fitness-logs"] is CheckVerdict.FAIL
    message = next(check.message for check in report.checks if check.check.startswith("index"))
    assert "collection group fitness_logs by plan cannot be asked" in message
    assert "index of plan ascending with scope COLLECTION_GROUP on fitness_logs" in message
    assert "currently building" in message


async def test_an_empty_source_is_a_warning() -> None:
    _, verdicts = await planned(MemoryStore())
    assert verdicts["source fitness-logs"] is CheckVerdict.WARN


@pytest.mark.parametrize(
    ("changes", "verdict", "says"),
    [
        ({"database_uid": "uid-of-another"}, CheckVerdict.FAIL, "its ledger was made in one with uid uid-of-db"),
        ({"emulator": "localhost:1"}, CheckVerdict.FAIL, "the worker speaks to the real service, the operator to the"),
        ({"database_uid": ""}, CheckVerdict.WARN, "its uid is unknown: grant the operator roles/datastore.viewer"),
    ],
)
async def test_the_database_must_be_the_declared_one(changes: dict[str, str], verdict: CheckVerdict, says: str) -> None:
    report, verdicts = await planned(await with_logs(), asked(**changes))
    assert verdicts["database"] is verdict
    assert says in report.checks[0].message


DECLARED = "3b9d5a0e-5d0c-4c43-9a0b-1f2d6c8e7a90"


@pytest.mark.parametrize(
    ("emulator", "actual", "verdict", "says"),
    [
        ("", DECLARED, CheckVerdict.PASS, f"uid {DECLARED}, as declared"),
        ("", "another", CheckVerdict.FAIL, f"declares the database with uid {DECLARED}, and demo/(default) has uid"),
        ("", "", CheckVerdict.FAIL, "does not say its uid (an emulator has none): grant the operator's service"),
        ("localhost:1", "", CheckVerdict.FAIL, "grant the operator's service account roles/datastore.viewer"),
    ],
    ids=["it is", "it is another", "it does not say", "it is an emulator"],
)
async def test_a_declared_uid_must_be_the_one_that_is_answered(
    emulator: str, actual: str, verdict: CheckVerdict, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    made = asked(emulator=emulator, database_uid=actual)
    made = made.model_copy(update={"database": DatabaseRef(project="demo", uid=DECLARED)})
    report, verdicts = await planned(await with_logs(), made, made_in=actual)
    assert verdicts["database"] is verdict
    assert says in report.checks[0].message


async def test_an_emulator_is_named_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "localhost:1")
    report, verdicts = await planned(await with_logs(), asked(emulator="localhost:1"))
    assert verdicts["database"] is CheckVerdict.WARN
    assert "nothing real is moved" in report.checks[0].message


async def test_a_worker_that_may_not_write_is_told_before_it_has_to() -> None:
    async def denied(writes: Sequence[Write]) -> None:
        if any(write.path.endswith(".probe") for write in writes):
            raise Denied("PERMISSION_DENIED", "missing datastore.entities.create")

    report, verdicts = await planned(await with_logs(before_commit=denied))
    assert verdicts["write"] is CheckVerdict.FAIL
    assert "roles/datastore.user" in next(check.message for check in report.checks if check.check == "write")


@pytest.mark.parametrize(
    "path", ["_firelift/mine", "firelift_locks/mine", "app/1/firelift_runs/2", "App/1/firelift_journal/2"]
)
async def test_an_apps_own_data_in_the_ledgers_collections_is_found(path: str) -> None:
    store = await with_logs()
    await store.commit([Put(path, stored({"mine": True}))])
    report, verdicts = await planned(store)
    assert verdicts["ledger"] is CheckVerdict.FAIL
    assert path in next(check.message for check in report.checks if check.check == "ledger")


def test_a_report_survives_its_way_through_the_ledger() -> None:
    assert PlanReport.model_validate_json(PlanReport(checks=(), time=NOW).model_dump_json(by_alias=True)).time == NOW
