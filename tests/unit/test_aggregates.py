"""Many-to-one: groups computed as a whole, late records, live writes, empty groups, verify and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.moving import KIT, LEDGER, counts, everything, migration, plain, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.functions import Context
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.errors import StoreError, TransformUnusable
from firelift.migration.ledger.letters import Letters
from firelift.migration.store import Delete, Put, Update, Write
from firelift.migration.transform.transform import compile_transform
from firelift.stores.memory import MemoryStore

DAILY: dict[str, Any] = {
    "name": "daily",
    "source": {"collection": "logs"},
    "entityKey": "userId",
    "target": {
        "aggregate": {
            "document": "users/{entity}/daily_stats/{day}",
            "keys": {"day": "string(doc.at).substring(0, 10)"},
            "orderBy": "doc.at",
            "set": {
                "meals": {"count": "doc.type == 'meal'"},
                "calories.total": {"sum": "doc.calories"},
                "calories.most": {"max": "doc.calories"},
                "calories.least": {"min": "doc.calories"},
                "calories.mean": {"avg": "doc.calories"},
                "firstType": {"first": "doc.type"},
                "lastType": {"last": "doc.type"},
                "weight": {"last": "has(doc.weight) ? doc.weight : null"},
            },
            "fingerprintField": "made.of",
        }
    },
}
CHECKED = VerifyPlan(recheck_seconds=0)
FAST = PaceSpec(max_writes_per_second=100_000, batch_size=50, max_retries=5)
MORNING = datetime(2024, 3, 1, 7, tzinfo=UTC)


def log(user: object, hour: int, calories: int, kind: str = "meal", **more: object) -> dict[str, object]:
    return {"userId": user, "at": MORNING + timedelta(hours=hour), "calories": calories, "type": kind, **more}


LOGS = {
    "logs/1": log("ada", 1, 500, "snack"),
    "logs/2": log("ada", 0, 300),
    "logs/3": log("ada", 30, 800, weight=61.5),
    "logs/4": log("bob", 2, 100),
    "logs/5": log(42, 2, 250),
}
FIRST, SECOND, BOB = (
    "users/ada/daily_stats/2024-03-01",
    "users/ada/daily_stats/2024-03-02",
    "users/bob/daily_stats/2024-03-01",
)


def run(kind: RunKind, number: int = 0, base: dict[str, Any] = DAILY, **changes: Any) -> RunPlan:
    spec = migration(base, **changes.pop("spec", {}))
    return plan(kind, spec, number, **{"pace": FAST, "closing": True, "verify": CHECKED, **changes})


def copies(store: MemoryStore) -> dict[str, dict[str, bytes]]:
    return {path: fields for path, fields in everything(store).items() if "daily_stats" in path}


@in_virtual_time
async def test_a_group_becomes_one_document_that_a_verify_computes_again() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    moved = run(RunKind.MIGRATE)
    assert counts(await ran(store, moved)) == {"read": 4, "created": 4}
    made = await seen(store, FIRST) or {}
    assert len(made.pop("made")["of"]) == 24
    assert made == {
        "meals": 1,
        "calories": {"total": 800, "most": 500, "least": 300, "mean": 400.0},
        "firstType": "meal",
        "lastType": "snack",
    }
    assert (await seen(store, SECOND) or {})["weight"] == 61.5
    assert (await seen(store, "users/42/daily_stats/2024-03-01") or {})["calories"]["total"] == 250
    assert counts(await ran(store, run(RunKind.VERIFY, subjects=(moved.id,)))) == {"read": 4, "unchanged": 4}
    assert counts(await ran(store, run(RunKind.SWEEP))) == {"read": 4, "unchanged": 4}
    await ran(store, run(RunKind.REVERT, subjects=(moved.id,)))
    assert everything(store) == before


@in_virtual_time
async def test_a_late_record_opens_its_group_again_and_the_way_back_leads_through_both() -> None:
    store = await seeded(LOGS)
    moved, swept = run(RunKind.MIGRATE), run(RunKind.SWEEP)
    await ran(store, moved)
    once = copies(store)
    await store.commit([Put("logs/late", stored(log("ada", 3, 50))), Put("logs/new", stored(log("eve", 0, 9)))])
    stale = counts(await ran(store, run(RunKind.VERIFY, subjects=(moved.id,))))
    assert stale == {"read": 5, "unchanged": 3, "different": 1, "missing": 1}
    assert counts(await ran(store, swept)) == {"read": 5, "created": 1, "updated": 1, "unchanged": 3}
    again = await seen(store, FIRST) or {}
    assert (again["calories"]["total"], again["lastType"], again["meals"]) == (850, "meal", 2)
    verified = await ran(store, run(RunKind.VERIFY, 1, subjects=(moved.id, swept.id)))
    assert counts(verified) == {"read": 5, "unchanged": 5}
    await ran(store, run(RunKind.REVERT, subjects=(swept.id,)))
    assert copies(store) == once
    await ran(store, run(RunKind.REVERT, 1, subjects=(moved.id, swept.id)))
    assert copies(store) == {}


@in_virtual_time
async def test_a_group_whose_records_are_gone_goes_when_it_is_ours_and_untouched() -> None:
    store = await seeded(LOGS)
    moved, swept = run(RunKind.MIGRATE), run(RunKind.SWEEP)
    await ran(store, moved)
    once = copies(store)
    gone: list[Write] = [Delete("logs/3"), Delete("logs/4"), Delete("logs/5")]
    gone.append(Update("users/42/daily_stats/2024-03-01", stored({"mine": 1}), [("mine",)], None))
    await store.commit(gone)
    found = counts(await ran(store, run(RunKind.VERIFY, subjects=(moved.id,))))
    assert found == {"read": 3, "unchanged": 1, "extra": 2}
    assert counts(await ran(store, swept)) == {"read": 4, "deleted": 2, "unchanged": 1, "skipped": 1}
    assert set(copies(store)) == {FIRST, "users/42/daily_stats/2024-03-01"}
    await ran(store, run(RunKind.REVERT, subjects=(swept.id,)))
    assert {path: fields for path, fields in copies(store).items() if "/42/" not in path} == {
        path: fields for path, fields in once.items() if "/42/" not in path
    }


@in_virtual_time
async def test_a_group_that_emptied_and_was_filled_again_goes_back_with_the_run_that_made_it_first() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    for number in range(3):
        await ran(store, run(RunKind.SWEEP if number else RunKind.MIGRATE, number))
        await store.commit([Put("logs/4", stored(log("bob", 2, 7))) if number else Delete("logs/4")])
    await ran(store, run(RunKind.SWEEP, 3))
    assert (await seen(store, BOB) or {})["calories"]["total"] == 7
    await store.commit([Delete("logs/3")])
    await ran(store, run(RunKind.SWEEP, 4))
    assert await seen(store, SECOND) is None
    subjects = ("migrate.0", "sweep.1", "sweep.2", "sweep.3", "sweep.4")
    assert "kept" not in counts(await ran(store, run(RunKind.REVERT, subjects=subjects)))
    assert copies(store) == {}
    assert counts(await ran(store, run(RunKind.REVERT_VERIFY, subjects=subjects))).keys() == {"read", "unchanged"}
    left = {path: fields for path, fields in before.items() if path not in {"logs/3", "logs/4"}}
    assert {path: fields for path, fields in everything(store).items() if path != "logs/4"} == left


@in_virtual_time
async def test_what_the_app_has_changed_or_deleted_is_the_apps() -> None:
    store = await seeded(LOGS)
    await ran(store, run(RunKind.MIGRATE))
    own = Update(FIRST, stored({"meals": 7, "note": "x"}), [("meals",), ("note",)], None)
    await store.commit([own, Delete(BOB)])
    await store.commit([Put("logs/late", stored(log("ada", 3, 50))), Put("logs/b", stored(log("bob", 3, 50)))])
    assert counts(await ran(store, run(RunKind.SWEEP))) == {"read": 4, "skipped": 1, "unchanged": 3}
    assert (await seen(store, FIRST) or {})["meals"] == 7
    assert await seen(store, BOB) is None
    target = VerifyPlan(recheck_seconds=0, authority=Authority.TARGET)
    verified = await ran(store, run(RunKind.VERIFY, verify=target, subjects=("migrate.0",)))
    assert counts(verified) == {"read": 4, "skipped": 1, "unchanged": 3}
    overwrite = run(RunKind.SWEEP, 1, spec={"onExisting": "Overwrite"})
    assert counts(await ran(store, overwrite))["updated"] == 1
    assert ((await seen(store, FIRST) or {})["meals"], (await seen(store, FIRST) or {})["note"]) == (2, "x")


@in_virtual_time
async def test_an_apps_own_field_beside_ours_is_no_conflict() -> None:
    store = await seeded(LOGS)
    await ran(store, run(RunKind.MIGRATE))
    await store.commit([Update(FIRST, stored({"note": "x"}), [("note",)], None)])
    await store.commit([Put("logs/late", stored(log("ada", 3, 50)))])
    assert counts(await ran(store, run(RunKind.SWEEP))) == {"read": 4, "updated": 1, "unchanged": 3}
    assert {"note", "meals"} <= (await seen(store, FIRST) or {}).keys()


@in_virtual_time
async def test_a_record_that_changes_while_its_group_is_written_is_counted_as_it_is_then() -> None:
    store = await seeded(LOGS)
    done = False

    async def live(_: object) -> None:
        nonlocal done
        if not done and any(path.endswith("lanes") for path in store.snapshot()):
            done = True
            store.apply([Put("logs/2", stored(log("ada", 0, 1_000)))])

    store.faults.before_commit = live
    await ran(store, run(RunKind.MIGRATE))
    assert (await seen(store, FIRST) or {})["calories"]["total"] == 1_500


@pytest.mark.parametrize("collection", [None, "users"])
@in_virtual_time
async def test_phases_move_each_group_once_whoever_lists_the_entities(collection: str | None) -> None:
    logs = {f"logs/{n}": log(f"u{n % 70}", n % 60, n) for n in range(900)}
    listed: dict[str, dict[str, object]] = {f"users/u{n}": {} for n in range(60)} if collection else {}
    store = await seeded(logs | listed)
    base = {**DAILY, "entityCollection": collection} if collection else DAILY
    edges = [(0, 100), (100, 5_000), (5_000, 10_000)]
    runs = []
    for number, (start, end) in enumerate(edges):
        chosen = Selection(from_bucket=start, to_bucket=end)
        runs.append(run(RunKind.MIGRATE, number, base, selection=chosen, closing=end == 10_000))
        await ran(store, runs[-1])
    await ran(store, run(RunKind.SWEEP, 9, base))
    days = {(f"u{n % 70}", str((MORNING + timedelta(hours=n % 60)).date())) for n in range(900)}
    assert set(copies(store)) == {f"users/{user}/daily_stats/{day}" for user, day in days}
    total = sum(KIT.decode(KIT.loads(fields["calories"]))["total"] for fields in copies(store).values())
    assert total == sum(range(900))
    subjects = (*(each.id for each in runs), "sweep.9")
    verified = counts(await ran(store, run(RunKind.VERIFY, 0, base, subjects=subjects)))
    assert verified == {"read": len(days), "unchanged": len(days)}
    await ran(store, run(RunKind.REVERT, 0, base, subjects=subjects))
    assert copies(store) == {}


@in_virtual_time
async def test_a_worker_that_dies_writes_each_group_once() -> None:
    store = await seeded({f"logs/{n}": log(f"u{n % 20}", n % 72, 1) for n in range(300)})
    made = run(RunKind.MIGRATE, pace=FAST.model_copy(update={"batch_size": 3}))
    died = 0

    async def dies(_: object) -> None:
        nonlocal died
        died += 1
        if died % 4 == 0:
            raise StoreError("INTERNAL", "the worker dies here")

    store.faults.before_commit = dies
    for _ in range(100):
        try:
            await ran(store, made)
            break
        except StoreError:
            continue
    store.faults.before_commit = None
    progress = await ran(store, made)
    assert progress.totals.created == len(copies(store))
    assert all(len(store.history(path)) == 1 for path in copies(store))
    assert sum(KIT.decode(KIT.loads(each["calories"]))["total"] for each in copies(store).values()) == 300


def streaks(documents: list[dict[str, Any]], context: Context) -> dict[str, Any] | None:
    days = sorted({document["at"].date() for document in documents})
    best = run_of = 1
    for before, day in pairwise(days):
        run_of = run_of + 1 if (day - before).days == 1 else 1
        best = max(best, run_of)
    return {"best": best, "of": context.entity, "days": [str(day) for day in days]} if context.entity != "bob" else None


@in_virtual_time
async def test_a_function_sees_the_whole_group_in_order() -> None:
    aggregate = {"document": "users/{entity}/stats/streaks", "python": {"entrypoint": f"{__name__}:streaks"}}
    base = {**DAILY, "target": {"aggregate": aggregate}}
    store = await seeded(LOGS | {"logs/9": log("ada", 100, 1)})
    assert counts(await ran(store, run(RunKind.MIGRATE, 0, base))) == {"read": 3, "skipped": 1, "created": 2}
    assert await seen(store, "users/ada/stats/streaks") == {
        "best": 2,
        "of": "ada",
        "days": ["2024-03-01", "2024-03-02", "2024-03-05"],
    }


@in_virtual_time
async def test_a_record_without_a_group_and_a_group_without_a_result_are_dead_letters() -> None:
    many: dict[str, object] = log("bob", 2, 1) | {"calories": "many"}
    bad: dict[str, dict[str, object]] = {"logs/8": {"userId": "ada"}, "logs/9": many}
    store = await seeded(LOGS | bad)
    assert counts(await ran(store, run(RunKind.MIGRATE))) == {"read": 5, "created": 3, "dead_letters": 2}
    letters = [fields for path, fields in store.snapshot().items() if "/firelift_deadletters/" in path]
    named = {KIT.decode(fields["path"]): KIT.decode(fields["rule"]) for fields in letters}
    assert named == {"logs/8": "target.aggregate.keys.day", BOB: "target.aggregate.set.calories.total.sum"}


@in_virtual_time
async def test_letters_of_groups_are_closed_by_the_sweep_that_computes_them_again() -> None:
    bad: dict[str, dict[str, object]] = {"logs/8": {"userId": "ada"}, "logs/9": log("bob", 2, 1) | {"calories": "many"}}
    store = await seeded(LOGS | bad | {"logs/stray": {"x": 1}})
    first = run(RunKind.MIGRATE)
    assert counts(await ran(store, first))["dead_letters"] == 3
    await store.commit([Put("logs/9", stored(log("bob", 2, 1)))])
    swept = run(RunKind.SWEEP, letters=(first.id,))
    found = counts(await ran(store, swept))
    assert found == {"read": 6, "created": 1, "unchanged": 3, "dead_letters": 2, "closed_letters": 3}
    assert (await seen(store, BOB) or {})["calories"]["total"] == 101
    assert await Letters(store, LEDGER, (first.id,)).records() == frozenset()
    assert await Letters(store, LEDGER, (first.id, swept.id)).records() == {"logs/8", "logs/stray"}
    await store.commit([Delete("logs/8"), Delete("logs/stray")])
    again = counts(await ran(store, run(RunKind.SWEEP, 1, letters=(first.id, swept.id))))
    assert again == {"read": 4, "unchanged": 4, "closed_letters": 2}


@in_virtual_time
async def test_an_attempt_that_goes_on_leaves_the_letters_of_groups_to_the_next_sweep() -> None:
    store = await seeded(LOGS | {"logs/8": {"userId": "ada"}})
    first = run(RunKind.MIGRATE)
    await ran(store, first)
    await store.commit([Delete("logs/8")])
    later = run(RunKind.MIGRATE, 1, follows=first.id, letters=(first.id,))
    assert counts(await ran(store, later)) == {}
    assert await Letters(store, LEDGER, (first.id,)).records() == {"logs/8"}
    assert counts(await ran(store, run(RunKind.SWEEP, letters=(first.id,))))["closed_letters"] == 1


@in_virtual_time
async def test_a_record_without_an_entity_is_named_when_all_others_have_moved() -> None:
    strays = {f"logs/s{n}": log(user, 0, 1) for n, user in enumerate((None, 4.5, {"a": 1}))} | {"logs/none": {"x": 1}}
    store = await seeded(LOGS | strays)
    half = run(RunKind.MIGRATE, selection=Selection(to_bucket=10_000), closing=False)
    assert counts(await ran(store, half)) == {"read": 4, "created": 4}
    swept = run(RunKind.SWEEP)
    assert counts(await ran(store, swept)) == {"read": 8, "unchanged": 4, "dead_letters": 4}
    verified = await ran(store, run(RunKind.VERIFY, subjects=(half.id, swept.id)))
    assert counts(verified) == {"read": 8, "unchanged": 4, "dead_letters": 4}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"document": "users/{entity}/daily/{month}", "keys": {}}, "names month, and keys do not"),
        ({"document": "logs/{entity}", "keys": {}}, "lies in the source"),
        ({"set": {"a.b": {"sum": "1 +"}}}, "is not valid CEL"),
        ({"set": {"a..b": {"sum": "1"}}}, "no field name at position"),
    ],
)
def test_an_aggregate_that_cannot_be_made_is_said_before_the_first_write(changes: dict[str, Any], why: str) -> None:
    aggregate = {**DAILY["target"]["aggregate"], **changes}
    spec = migration({**DAILY, "target": {"aggregate": aggregate}})
    with pytest.raises(TransformUnusable, match=why):
        compile_aggregation(spec, compile_transform(spec, KIT, MORNING))


@in_virtual_time
async def test_a_group_too_large_to_guard_is_written_and_says_so() -> None:
    store = await seeded({f"logs/{n}": log("ada", 0, 1) for n in range(401)})
    progress = await ran(store, run(RunKind.MIGRATE))
    assert counts(progress) == {"read": 1, "created": 1}
    assert progress.examples == (f"{FIRST}: 401 documents are too many for one Commit to guard; a sweep must follow",)


@in_virtual_time
async def test_a_dry_run_decides_everything_and_writes_nothing() -> None:
    store = await seeded(LOGS)
    before = everything(store)
    assert counts(await ran(store, run(RunKind.DRY_RUN))) == {"read": 4, "created": 4}
    assert everything(store) == before
    examples = [plain(fields) for path, fields in store.snapshot().items() if ".example." in path]
    assert {each["target"]: each["after"]["meals"] for each in examples}[FIRST] == 1
    assert len(examples) == 4


@in_virtual_time
async def test_a_validation_computes_each_group_and_looks_at_no_target() -> None:
    store = await seeded({**LOGS, FIRST: {"meals": 9}})
    await store.commit([Put("logs/6", stored(log("eve", 0, 1) | {"calories": "many"}))])
    progress = await ran(store, run(RunKind.VALIDATE))
    assert counts(progress) == {"read": 5, "unchanged": 4, "dead_letters": 1}


@in_virtual_time
async def test_a_group_that_waited_for_its_turn_is_computed_of_what_is_there_then() -> None:
    store = await seeded({f"logs/{n:02d}": log(f"u{n:02d}", 0, 1) for n in range(60)})
    late = [Put("logs/late", stored(log("u59", 1, 10)))]
    written: list[str] = []

    async def app(writes: Sequence[Write]) -> None:
        written.extend(write.path for write in writes if "daily_stats" in write.path)
        if len(written) > 10 and late:
            store.apply([late.pop()])

    store.faults.before_commit = app
    slow = PaceSpec(max_writes_per_second=2, max_retries=5)
    moved = counts(await ran(store, run(RunKind.MIGRATE, pace=slow)))
    assert (moved["created"], moved.get("conflicts", 0)) == (60, 0)
    assert ((await seen(store, "users/u59/daily_stats/2024-03-01")) or {})["meals"] == 2
