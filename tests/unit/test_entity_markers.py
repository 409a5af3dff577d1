"""Entity markers: written behind an entity's last record, taken away before the first one goes back."""

from __future__ import annotations

import pytest
from tests.crashing import ran_while_dying
from tests.moving import COPY, KIT, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.entities.order import place
from firelift.migration.entities.reader import ByKey, EntityDone, EntityReader
from firelift.migration.errors import TransformUnusable
from firelift.migration.processors.build import build
from firelift.migration.store import Delete, Put, Source, Update, Write
from firelift.migration.work import Lane, Record
from firelift.stores.memory import MemoryStore

MARKER = {"document": "users/{entity}/meta/migration", "set": {"state": "'done'", "of.whom": "entity", "at": "now"}}
MARKED = {**COPY, "entityCollection": "users", "entityMarker": MARKER}
NAMES = [f"u{number}" for number in range(70)]
NAMES_IN_ORDER = sorted(NAMES, key=lambda name: place("seed", name))
RECORDS = sum(at % 5 for at in range(len(NAMES)))
SPEC = migration(MARKED)
CHECKED = VerifyPlan(recheck_seconds=0)


async def filled() -> MemoryStore:
    logs = {
        f"fitness_logs/{name}{number}": {"userId": name} for at, name in enumerate(NAMES) for number in range(at % 5)
    }
    return await seeded(logs | {f"users/{name}": {"plan": "pro"} for name in NAMES})


def mark(name: str) -> str:
    return f"users/{name}/meta/migration"


def changed(store: MemoryStore, path: str, *, gone: bool = False) -> list[int]:
    """When a document was written, or deleted."""
    return [version.update_time for version in store.history(path) if (version.fields is None) is gone]


def order_is_right(store: MemoryStore, *, back: bool = False) -> bool:
    """Whether each entity's marker came last, and went first."""
    for at, name in enumerate(NAMES):
        copies = [f"users/{name}/fitness_logs/{name}{number}" for number in range(at % 5)]
        came = [changed(store, path)[0] for path in copies]
        went = [time for path in copies for time in changed(store, path, gone=True)]
        if not all(time < changed(store, mark(name))[0] for time in came):
            return False
        if back and not all(time > changed(store, mark(name), gone=True)[-1] for time in went):
            return False
    return True


@pytest.mark.parametrize("limit", [1, 7, 40, 1000])
@pytest.mark.parametrize("marks", [True, False])
async def test_reading_goes_on_behind_every_cursor(limit: int, marks: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    store = await filled()

    async def entities() -> list[str]:
        return NAMES_IN_ORDER

    made = plan(RunKind.MIGRATE, SPEC)
    whose = build(made, store, None, Lane(0, buckets=(0, 10_000)))[0].whose  # type: ignore[arg-type, attr-defined] # no journal is read
    reader = EntityReader(
        ByKey(store, Source("fitness_logs"), ("userId",)), entities, "seed", lambda: limit, bool, whose, marks
    )

    async def read(after: str | None) -> tuple[list[Record], list[str]]:
        records: list[Record] = []
        ends: list[str] = []
        while True:
            batch = await reader.read(after)
            records += batch.records
            ends.append(batch.end)
            if batch.exhausted:
                return records, ends
            after = batch.end

    whole, ends = await read(None)
    named = [
        record.payload.entity if isinstance(record.payload, EntityDone) else record.payload.path for record in whole
    ]
    assert len(set(named)) == len(named) == len(NAMES) * marks + RECORDS
    for name in NAMES_IN_ORDER if marks else []:
        mine = [at for at, record in enumerate(whole) if record.entity == name]
        assert isinstance(whole[mine[-1]].payload, EntityDone)
    for at, record in enumerate(whole):
        rest, _ = await read(record.cursor)
        assert [each.entity for each in rest] == [each.entity for each in whole[at + 1 :]]
    assert {len((await read(end))[0]) for end in ends[-1:]} == {0}


@in_virtual_time
async def test_a_marker_comes_last_and_goes_first_over_lanes_and_sweeps() -> None:
    store = await filled()
    before = everything(store)
    moved = plan(RunKind.MIGRATE, SPEC, workers=2)
    assert counts(await ran(store, moved)) == {"read": RECORDS + 70, "created": RECORDS + 70}
    assert order_is_right(store)
    assert (await seen(store, mark("u7")) or {})["of"] == {"whom": "u7"}
    late = {"fitness_logs/late": {"userId": "u8"}, "fitness_logs/new": {"userId": "newcomer"}, "users/newcomer": {}}
    await store.commit([Put(path, stored(fields)) for path, fields in late.items()])
    swept = plan(RunKind.SWEEP, SPEC)
    assert counts(await ran(store, swept)) == {"read": RECORDS + 73, "created": 3, "unchanged": RECORDS + 70}
    subjects = (moved.id, swept.id)
    verify = plan(RunKind.VERIFY, SPEC, subjects=subjects, verify=CHECKED)
    assert counts(await ran(store, verify)) == {"read": RECORDS + 2, "unchanged": RECORDS + 2}
    await ran(store, plan(RunKind.REVERT, SPEC, subjects=subjects, workers=2))
    assert order_is_right(store, back=True)
    late_copy = "users/u8/fitness_logs/late"
    assert changed(store, mark("u8"), gone=True)[0] < changed(store, late_copy, gone=True)[0]
    undone = plan(RunKind.REVERT_VERIFY, SPEC, subjects=subjects)
    assert (await ran(store, undone)).totals.mismatches == 0
    expected = before | {path: {n: KIT.dumps(v) for n, v in stored(f).items()} for path, f in late.items()}
    assert everything(store) == expected


@pytest.mark.parametrize("every", [None, 4])
@in_virtual_time
async def test_a_revert_that_is_taken_back_brings_the_markers_behind_the_documents(every: int | None) -> None:
    store = await filled()
    moved, swept = plan(RunKind.MIGRATE, SPEC, workers=2), plan(RunKind.SWEEP, SPEC)
    await ran(store, moved)
    late = {"fitness_logs/late": {"userId": "u8"}, "fitness_logs/new": {"userId": "newcomer"}, "users/newcomer": {}}
    await store.commit([Put(path, stored(fields)) for path, fields in late.items()])
    await ran(store, swept)
    after = everything(store)
    reverted = plan(RunKind.REVERT, SPEC, subjects=(moved.id, swept.id), workers=2)
    await ran(store, reverted)
    began = store.now
    again = plan(RunKind.REVERT, SPEC, 1, subjects=(reverted.id,), workers=2)
    await (ran_while_dying(store, again, every=every) if every else ran(store, again))
    assert everything(store) == after
    for at, name in enumerate(NAMES):
        copies = [f"users/{name}/fitness_logs/{name}{number}" for number in range(at % 5)]
        assert all(began < changed(store, path)[-1] < changed(store, mark(name))[-1] for path in copies), name
    for path, name in (("users/u8/fitness_logs/late", "u8"), ("users/newcomer/fitness_logs/new", "newcomer")):
        assert changed(store, path)[-1] < changed(store, mark(name))[-1]


@in_virtual_time
async def test_a_worker_that_dies_marks_nobody_too_early_and_everybody_once() -> None:
    store = await filled()
    made = plan(RunKind.MIGRATE, SPEC)
    progress = await ran_while_dying(store, made, every=3)
    assert progress.totals.created == RECORDS + 70
    assert order_is_right(store)
    assert all(len(changed(store, mark(name))) == 1 for name in NAMES)


@in_virtual_time
async def test_a_marker_that_is_there_keeps_what_is_not_ours_and_gets_it_back() -> None:
    store = await seeded({"users/ada": {}, mark("ada"): {"state": "running", "lastItem": 7}, "users/bob": {}})
    before = everything(store)
    moved = plan(RunKind.MIGRATE, SPEC)
    assert counts(await ran(store, moved)) == {"read": 2, "created": 1, "updated": 1}
    found = await seen(store, mark("ada")) or {}
    assert (found["state"], found["lastItem"]) == ("done", 7)
    await ran(store, plan(RunKind.REVERT, SPEC, subjects=(moved.id,)))
    assert everything(store) == before


@in_virtual_time
async def test_a_verify_misses_a_marker_that_is_gone_or_changed() -> None:
    store = await seeded({"users/ada": {}, "users/bob": {}})
    moved = plan(RunKind.MIGRATE, SPEC)
    await ran(store, moved)
    writes: list[Write] = [Delete(mark("ada")), Update(mark("bob"), stored({"mine": 1}), [("mine",)], None)]
    await store.commit(writes)
    progress = await ran(store, plan(RunKind.VERIFY, SPEC, subjects=(moved.id,), verify=CHECKED))
    assert (counts(progress), progress.examples) == ({"read": 1, "missing": 1}, (f"the marker {mark('ada')} is gone",))


OWN = {"source": {"collection": "users"}, "entityMarker": {**MARKER, "document": "users/{entity}"}}
COPIED = {"target": {"document": "profiles/{id}"}}
CHANGED = {"target": {"inPlace": {}}, "appliesWhen": "!has(doc.title)", "transform": {"rename": {"name": "title"}}}


@pytest.mark.parametrize("fields", [["state", "of", "at"], []])
@pytest.mark.parametrize("way", [COPIED, CHANGED])
@in_virtual_time
async def test_a_marker_on_the_entitys_own_record_goes_back_and_disturbs_only_copies_that_should_have_it(
    way: dict[str, object], fields: list[str]
) -> None:
    store = await seeded({f"users/{name}": {"userId": name, "name": "x"} for name in NAMES})
    before, spec = everything(store), migration(MARKED, **OWN, **way, ignoreFields=fields)
    moved, swept = plan(RunKind.MIGRATE, spec), plan(RunKind.SWEEP, spec)
    await ran(store, moved)
    assert (await seen(store, "users/u8") or {})["state"] == "done"
    verify = plan(RunKind.VERIFY, spec, subjects=(moved.id,), verify=CHECKED)
    disturbed = len(NAMES) if way is COPIED and not fields else 0
    assert (await ran(store, verify)).totals.different == disturbed
    assert (await ran(store, swept)).totals.written == disturbed
    subjects = (moved.id, swept.id)
    verify = plan(RunKind.VERIFY, spec, 1, subjects=subjects, verify=CHECKED)
    assert counts(await ran(store, verify)) == {"read": len(NAMES), "unchanged": len(NAMES)}
    await ran(store, plan(RunKind.REVERT, spec, subjects=subjects))
    assert everything(store) == before
    undone = await ran(store, plan(RunKind.REVERT_VERIFY, spec, subjects=subjects))
    assert undone.totals.unchanged == undone.totals.read


@in_virtual_time
async def test_an_entity_that_makes_no_path_is_a_dead_letter() -> None:
    store = await seeded({"users/ada": {}})
    made = plan(RunKind.MIGRATE, SPEC, selection=Selection(ids=("a/b", "..")))
    assert counts(await ran(store, made))["dead_letters"] == 2


@pytest.mark.parametrize(("text", "why"), [("doc.x", "names `doc`"), ("1 +", "is not valid CEL")])
async def test_a_marker_that_cannot_be_made_is_said_before_the_first_write(text: str, why: str) -> None:
    spec = migration(MARKED, entityMarker={**MARKER, "set": {"x": text}})
    made: RunPlan = plan(RunKind.MIGRATE, spec)
    with pytest.raises(TransformUnusable, match=why):
        build(made, MemoryStore(), None, Lane(0, buckets=(0, 10_000)))  # type: ignore[arg-type] # no journal is read
