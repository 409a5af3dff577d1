"""Migrate and sweep, by a real worker on a database in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection, bucket
from firelift.api.run import RunKind, RunPlan
from firelift.migration.errors import InvalidData
from firelift.migration.ledger import paths
from firelift.migration.store import Create, Delete, Source, Update, Write
from firelift.stores.memory import MemoryStore

LOGS = {f"fitness_logs/{number}": {"userId": f"u{number % 3}", "n": number} for number in range(9)}
TASKS = {f"tasks/{number}": {"name": f"task {number}", "n": number} for number in range(9)}


def once(store: MemoryStore, path: str, live: Callable[[], Sequence[Write]]) -> None:
    """The app writes just before the first commit that touches `path`."""
    done = False

    async def interfere(writes: Sequence[Write]) -> None:
        nonlocal done
        if not done and any(write.path == path for write in writes):
            done = True
            store.apply(live())

    store.faults.before_commit = interfere


@in_virtual_time
async def test_copies_are_made_and_sources_left() -> None:
    store = await seeded(LOGS)
    sources = everything(store)
    assert counts(await ran(store, plan(RunKind.MIGRATE, migration()))) == {"read": 9, "created": 9}
    assert everything(store) == sources | {
        path.replace("fitness_logs/", f"users/u{int(path[-1]) % 3}/fitness_logs/"): fields
        for path, fields in sources.items()
    }


@in_virtual_time
async def test_a_second_run_writes_nothing() -> None:
    store = await seeded(LOGS)
    await ran(store, plan(RunKind.MIGRATE, migration()))
    after = everything(store)
    assert counts(await ran(store, plan(RunKind.SWEEP, migration()))) == {"read": 9, "unchanged": 9}
    again = counts(await ran(store, plan(RunKind.MIGRATE, migration(), 1)))
    assert (again["read"], again["unchanged"]) == (9, 9)
    assert everything(store) == after


@in_virtual_time
async def test_in_place_only_touched_fields_are_written_and_never_twice() -> None:
    store = await seeded(TASKS)
    assert counts(await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE)))) == {"read": 9, "updated": 9}
    assert await seen(store, "tasks/3") == {"title": "task 3", "n": 3}
    assert counts(await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE), 1))) == {"read": 9, "skipped": 9}


@in_virtual_time
async def test_the_records_of_other_cohorts_are_left_and_cohorts_add_up() -> None:
    store = await seeded(LOGS)
    edge = sorted(bucket("seed", user) for user in ("u0", "u1", "u2"))[1]
    low, high = Selection(to_bucket=edge), Selection(from_bucket=edge, to_bucket=10_000)
    first = counts(await ran(store, plan(RunKind.MIGRATE, migration(), 1, selection=low)))
    second = counts(await ran(store, plan(RunKind.MIGRATE, migration(), 2, selection=high)))
    assert (first, second) == ({"read": 3, "created": 3}, {"read": 6, "created": 6})


@in_virtual_time
async def test_a_source_that_changes_between_read_and_commit_is_read_again() -> None:
    store = await seeded(LOGS)
    once(store, "fitness_logs/0", lambda: [Update("fitness_logs/0", stored({"n": 99}), [("n",)], None)])
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration())))
    assert (progress["created"], progress["conflicts"]) == (9, 1)
    assert await seen(store, "users/u0/fitness_logs/0") == {"userId": "u0", "n": 99}


@in_virtual_time
async def test_a_source_that_is_deleted_between_read_and_commit_is_not_brought_back() -> None:
    store = await seeded(LOGS)
    once(store, "fitness_logs/0", lambda: [Delete("fitness_logs/0")])
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration())))
    assert (progress["created"], progress["skipped"]) == (8, 1)
    assert await seen(store, "users/u0/fitness_logs/0") is None


@in_virtual_time
async def test_a_record_that_leaves_the_cohort_between_read_and_commit_is_not_moved() -> None:
    store = await seeded(LOGS)
    owners = Selection(ids=("u0", "u1", "u2"))
    once(store, "fitness_logs/0", lambda: [Update("fitness_logs/0", stored({"userId": "x"}), [("userId",)], None)])
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration(), selection=owners)))
    assert (progress["created"], progress["skipped"]) == (8, 1)


@in_virtual_time
async def test_a_target_that_the_app_makes_first_is_kept_and_completed() -> None:
    store = await seeded(LOGS)
    target = "users/u0/fitness_logs/0"
    once(store, target, lambda: [Create(target, stored({"n": "the app's"}))])
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration())))
    assert (progress["created"], progress["updated"]) == (8, 1)
    assert await seen(store, target) == {"n": "the app's", "userId": "u0"}


@in_virtual_time
async def test_a_live_write_in_place_survives() -> None:
    store = await seeded(TASKS)
    once(store, "tasks/0", lambda: [Update("tasks/0", stored({"n": 99, "name": "edited"}), [("n",), ("name",)], None)])
    await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE)))
    assert await seen(store, "tasks/0") == {"title": "edited", "n": 99}


@in_virtual_time
async def test_records_that_cannot_move_are_dead_letters_with_their_rule() -> None:
    store = await seeded(LOGS | {"fitness_logs/odd": {"userId": "a/b"}, "fitness_logs/nobody": {"n": 1}})
    rule = {"rule": "!has(out.n) || out.n < 8", "message": "n is too large"}
    made = plan(RunKind.MIGRATE, migration(validate=[rule]))
    progress = await ran(store, made)
    assert counts(progress) == {"read": 11, "created": 8, "dead_letters": 3}
    letters = {end: await letter(store, made, end) for end in ("8", "odd", "nobody")}
    assert letters["8"] == {"path": "fitness_logs/8", "rule": rule["rule"], "reason": "n is too large"}
    assert "has a slash in it" in letters["odd"]["reason"]
    assert "has no value for {doc.userId}" in letters["nobody"]["reason"]


async def letter(store: MemoryStore, made: RunPlan, document_id: str) -> dict[str, Any]:
    found = await seen(store, paths.dead_letter(made.ledger, made.id, f"fitness_logs/{document_id}"))
    assert found
    return {name: found[name] for name in ("path", "rule", "reason")}


@in_virtual_time
async def test_a_target_that_was_simply_there_is_no_conflict() -> None:
    store = await seeded(LOGS | {"users/u0/fitness_logs/0": {"userId": "u0", "n": 0}})
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration())))
    assert progress == {"read": 9, "created": 8, "unchanged": 1}


@pytest.mark.parametrize(("kind", "there"), [(RunKind.SWEEP, ()), (RunKind.MIGRATE, ("users/u1/fitness_logs/1",))])
def test_a_target_that_is_made_after_it_was_looked_for_is_one(kind: RunKind, there: tuple[str, ...]) -> None:
    made = Create("users/u0/fitness_logs/0", stored({"userId": "u0", "n": 0}))

    @in_virtual_time
    async def check() -> None:
        store = await seeded(LOGS | {path: {} for path in there})
        # The migrate looks once it has met the target that is there, so that the second commit is not a blind one.
        commits = 1 + len(there)

        async def live(writes: Sequence[Write]) -> None:
            nonlocal commits
            commits -= any(write.path == made.path for write in writes)
            if not commits:
                commits = -1
                store.apply([made])

        store.faults.before_commit = live
        progress = counts(await ran(store, plan(kind, migration())))
        assert (progress["unchanged"], progress["conflicts"]) == (1, 1)

    check()


@in_virtual_time
async def test_fail_ends_the_worker_before_the_record() -> None:
    store = await seeded(LOGS)
    rule = migration(validate=[{"rule": "out.n < 8"}], onInvalid="Fail")
    with pytest.raises(InvalidData, match="fitness_logs/8"):
        await ran(store, plan(RunKind.MIGRATE, rule))
    assert await seen(store, "users/u2/fitness_logs/8") is None


@in_virtual_time
async def test_two_sources_for_one_target_are_one_copy_and_a_dead_letter_that_names_the_other() -> None:
    store = await seeded(LOGS)
    spec = migration(target={"document": "profiles/{doc.userId}"})
    progress = await ran(store, plan(RunKind.MIGRATE, spec))
    # Those of the first commit are told apart in memory, those behind it meet a target that is there.
    assert counts(progress) == {"read": 9, "created": 3, "dead_letters": 6}
    assert "fitness_logs/3: two sources for one target: profiles/u0 is the copy of fitness_logs/0" in progress.examples


@in_virtual_time
async def test_keep_newer_leaves_what_the_app_wrote_later() -> None:
    store = await seeded({"fitness_logs/1": {"userId": "u", "n": 1}, "users/u/fitness_logs/1": {"n": 2}})
    store.apply([Create("fitness_logs/2", stored({"userId": "u", "n": 1}))])
    store.apply([Create("users/u/fitness_logs/2", stored({"n": 2}))])
    store.apply([Update("fitness_logs/1", stored({"n": 3}), [("n",)], None)])
    progress = counts(await ran(store, plan(RunKind.MIGRATE, migration(onExisting="KeepNewer"))))
    assert (progress["updated"], progress["skipped"]) == (1, 1)
    assert await seen(store, "users/u/fitness_logs/1") == {"userId": "u", "n": 3}
    assert await seen(store, "users/u/fitness_logs/2") == {"n": 2}


@in_virtual_time
async def test_a_collection_group_is_found_below_parents_that_do_not_exist() -> None:
    store = await seeded({f"nobody/{owner}/logs/{n}": {"n": n} for owner in "ab" for n in range(3)})
    spec = migration(COPY, source={"collectionGroup": "logs"}, target={"document": "flat/{id}-{doc.n}"}, entityKey=None)
    progress = counts(await ran(store, plan(RunKind.MIGRATE, spec)))
    assert progress == {"read": 6, "created": 3, "dead_letters": 3}
    assert len((await store.page(Source("flat"), limit=10)).documents) == 3


@in_virtual_time
async def test_a_function_in_python_changes_what_it_answers_otherwise() -> None:
    store = await seeded({"tasks/1": {"name": "a", "n": 1}, "tasks/2": {"name": "b", "quiet": True}, "tasks/3": {}})
    python = {"python": {"entrypoint": "tests.moving:shouting"}}
    spec = migration(IN_PLACE, appliesWhen="!has(doc.whose)", transform=python)
    progress = await ran(store, plan(RunKind.MIGRATE, spec))
    assert counts(progress) == {"read": 3, "updated": 1, "skipped": 1, "dead_letters": 1}
    assert await seen(store, "tasks/1") == {"name": "A", "n": 1, "whose": "1"}
    assert progress.examples == ("tasks/3: KeyError",)
