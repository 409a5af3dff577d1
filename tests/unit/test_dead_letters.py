"""Dead letters of earlier runs: taken up again, closed, and counted once."""

from __future__ import annotations

from typing import Any

from tests.moving import COPY, IN_PLACE, KIT, LEDGER, counts, everything, migration, plan, ran, seeded, seen, stored

from firelift.api.run import RunKind
from firelift.migration.ledger import paths
from firelift.migration.ledger.letters import Letters
from firelift.migration.processors import retry
from firelift.migration.store import Delete, Put, Source
from firelift.stores.memory import MemoryStore

STRICT = migration(COPY, validate=[{"rule": "out.kcal >= 0", "message": "kcal must not be negative"}])
MIGRATE = plan(RunKind.MIGRATE, STRICT)


def sweep(number: int, *letters: str) -> Any:
    return plan(RunKind.SWEEP, STRICT, number, letters=letters)


def log(number: int, kcal: int) -> dict[str, Any]:
    return {f"fitness_logs/{number:04d}": {"userId": "ada", "kcal": kcal}}


async def some(*bad: int, of: int = 6) -> MemoryStore:
    """A source of which some records are bad, after its migrate run."""
    documents: dict[str, Any] = {}
    for number in range(of):
        documents |= log(number, -1 if number in bad else number)
    store = await seeded(documents)
    assert (await ran(store, MIGRATE)).totals.dead_letters == len(bad)
    return store


async def put(store: MemoryStore, documents: dict[str, Any]) -> None:
    await store.commit([Put(path, stored(fields)) for path, fields in documents.items()])


async def letters(store: MemoryStore) -> dict[str, dict[str, Any]]:
    page = await store.page(Source(paths.collection(LEDGER, paths.DEAD_LETTERS)), limit=100)
    return {each.path: {name: KIT.decode(value) for name, value in each.fields.items()} for each in page.documents}


async def still_open(store: MemoryStore, *runs: str) -> set[str]:
    return set(await Letters(store, LEDGER, runs).records())


async def test_a_letter_says_what_could_not_move_why_and_in_which_attempt() -> None:
    store = await some(2)
    (letter,) = (await letters(store)).values()
    expected = {"path": "fitness_logs/0002", "reason": "kcal must not be negative", "attempt": 1, "run": MIGRATE.id}
    assert expected.items() <= letter.items()
    assert letter["rule"] == "out.kcal >= 0"


async def test_a_sweep_takes_up_what_had_a_letter_and_closes_it() -> None:
    store = await some(1, 4)
    await put(store, log(4, 40))
    swept = await ran(store, sweep(0, MIGRATE.id))
    assert counts(swept) == {"read": 6, "unchanged": 4, "created": 1, "dead_letters": 1, "closed_letters": 2}
    assert (await seen(store, "users/ada/fitness_logs/0004") or {})["kcal"] == 40
    assert await still_open(store, MIGRATE.id) == set()
    assert await still_open(store, "sweep.0") == {"fitness_logs/0001"}
    closed = [each for each in (await letters(store)).values() if each["run"] == MIGRATE.id]
    assert {(each["closedByRun"], each["closedInAttempt"]) for each in closed} == {("sweep.0", 1)}
    assert all(each["closedTime"] >= each["time"] for each in closed)


async def test_what_a_wrong_rule_has_left_is_moved_by_another_rollout_that_skips_the_rest() -> None:
    store = await some(2)
    touched = {"users/ada/fitness_logs/0004": {"userId": "ada", "kcal": 4, "note": "the app's"}}
    await put(store, touched)
    before = everything(store)
    corrected = migration(COPY, onExisting="Skip")
    again = plan(RunKind.MIGRATE, corrected, ledger="team.again")
    assert counts(await ran(store, again)) == {"read": 6, "skipped": 5, "created": 1}
    left = "users/ada/fitness_logs/0002"
    assert everything(store) == before | {
        left: {"userId": KIT.dumps(KIT.encode("ada")), "kcal": KIT.dumps(KIT.encode(-1))}
    }

    back = plan(RunKind.REVERT, corrected, ledger="team.again", subjects=(again.id,))
    assert counts(await ran(store, back)) == {"read": 1, "deleted": 1}
    assert everything(store) == before


async def test_a_record_that_stays_bad_has_one_open_letter_however_often_it_is_swept() -> None:
    store = await some(1)
    runs = [MIGRATE.id]
    for number in range(3):
        swept = await ran(store, sweep(number, *runs))
        assert (swept.totals.dead_letters, swept.totals.closed_letters) == (1, 1)
        runs.append(f"sweep.{number}")
        assert await still_open(store, *runs) == {"fitness_logs/0001"}


async def test_a_letter_of_a_record_that_is_gone_is_closed() -> None:
    store = await some(1)
    await store.commit([Delete("fitness_logs/0001")])
    swept = await ran(store, sweep(0, MIGRATE.id))
    assert counts(swept) == {"read": 6, "unchanged": 5, "skipped": 1, "closed_letters": 1}
    assert await still_open(store, MIGRATE.id, "sweep.0") == set()


async def test_a_run_that_follows_retries_the_letters_with_its_own_migration_and_scans_nothing_again() -> None:
    store = await some(0, 5)
    fixed = migration(COPY)
    later = plan(RunKind.MIGRATE, fixed, 1, follows=MIGRATE.id, letters=(MIGRATE.id,), attempt=2)
    assert counts(await ran(store, later)) == {"read": 2, "created": 2, "closed_letters": 2}
    assert {each["closedInAttempt"] for each in (await letters(store)).values()} == {2}


async def test_a_run_that_follows_a_follower_takes_up_only_what_is_still_open() -> None:
    store = await some(0, 3, 5)
    await put(store, log(3, 3))
    second = plan(RunKind.MIGRATE, STRICT, 1, follows=MIGRATE.id, letters=(MIGRATE.id,))
    assert counts(await ran(store, second))["dead_letters"] == 2
    await put(store, log(5, 5))
    third = plan(RunKind.MIGRATE, STRICT, 2, follows=second.id, letters=(MIGRATE.id, second.id))
    assert counts(await ran(store, third)) == {"read": 2, "created": 1, "dead_letters": 1, "closed_letters": 2}


async def test_what_was_retried_is_taken_back_like_everything_else() -> None:
    store = await some(1)
    await put(store, log(1, 10))
    await ran(store, sweep(0, MIGRATE.id))
    taken = await ran(store, plan(RunKind.REVERT, STRICT, subjects=(MIGRATE.id, "sweep.0")))
    assert counts(taken) == {"read": 6, "deleted": 6}
    assert await seen(store, "users/ada/fitness_logs/0001") is None


async def test_a_retried_copy_that_the_app_deletes_stays_deleted() -> None:
    store = await some(1)
    await put(store, log(1, 10))
    await ran(store, sweep(0, MIGRATE.id))
    await store.commit([Delete("users/ada/fitness_logs/0001")])
    swept = await ran(store, sweep(1, MIGRATE.id, "sweep.0"))
    assert counts(swept) == {"read": 6, "unchanged": 5, "skipped": 1}


async def test_a_retry_in_place_changes_a_document_once() -> None:
    spec = migration(IN_PLACE, validate=[{"rule": "out.title != ''", "message": "a title must not be empty"}])
    store = await seeded({"tasks/1": {"name": ""}, "tasks/2": {"name": "walk"}})
    first = plan(RunKind.MIGRATE, spec)
    assert counts(await ran(store, first)) == {"read": 2, "dead_letters": 1, "updated": 1}
    await put(store, {"tasks/1": {"name": "run"}})
    swept = await ran(store, plan(RunKind.SWEEP, spec, letters=(first.id,)))
    assert counts(swept) == {"read": 2, "updated": 1, "skipped": 1, "closed_letters": 1}
    assert await seen(store, "tasks/1") == {"title": "run"}


async def test_letters_come_in_the_order_of_their_records_window_by_window(monkeypatch: Any) -> None:
    monkeypatch.setattr(retry, "WINDOW", 7)
    monkeypatch.setattr(retry, "LIMIT", 3)
    store = await some(*range(40), of=40)
    await put(store, {path: fields for number in range(40) for path, fields in log(number, 1).items()})
    swept = await ran(store, sweep(0, MIGRATE.id))
    assert counts(swept) == {"read": 40, "created": 40, "closed_letters": 40}
    assert await still_open(store, MIGRATE.id, "sweep.0") == set()


async def test_a_late_comer_that_is_bad_has_a_letter_of_its_own() -> None:
    store = await some(1)
    await put(store, log(9, -9))
    swept = await ran(store, sweep(0, MIGRATE.id))
    assert (swept.totals.dead_letters, swept.totals.closed_letters) == (2, 1)
    assert await still_open(store, MIGRATE.id, "sweep.0") == {"fitness_logs/0001", "fitness_logs/0009"}
