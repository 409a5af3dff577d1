"""Two sources for one target, in one batch, lane, run or phase, or in several: the first one has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from tests.moving import COPY, LEDGER, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.migration import OnExisting
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.errors import InvalidData, Poison
from firelift.migration.ledger import paths
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

TARGET = "profiles/x"


def profiles(**changes: Any) -> Any:
    base = {"source": {"collection": "s"}, "target": {"document": "profiles/{doc.key}"}, "entityKey": "owner"}
    return migration(COPY | base, **changes)


def source(name: str, **values: object) -> dict[str, object]:
    return {"key": "x", "owner": name, "of": name, f"only {name}": 1, **values}


def of(owner: str, kind: RunKind = RunKind.MIGRATE, number: int = 0, **changes: Any) -> RunPlan:
    spec = changes.pop("spec", profiles())
    return plan(kind, spec, number, selection=Selection(ids=tuple(owner)), **changes)


async def letters(store: MemoryStore) -> list[tuple[str, str]]:
    documents = [
        {name: store.values.decode(value) for name, value in fields.items()}
        for path, fields in sorted(store.snapshot().items())
        if path.startswith(paths.collection(LEDGER, paths.DEAD_LETTERS))
    ]
    assert {each["rule"] for each in documents} <= {"target"}
    return [(each["path"], each["reason"]) for each in documents]


def second(loser: str, winner: str, target: str = TARGET) -> tuple[str, str]:
    return f"s/{loser}", f"two sources for one target: {target} is the copy of s/{winner}"


@pytest.mark.parametrize("kind", [RunKind.MIGRATE, RunKind.SWEEP])
@pytest.mark.parametrize("policy", OnExisting)
@in_virtual_time
async def test_a_later_run_leaves_the_target_to_the_source_that_an_earlier_one_moved(
    policy: OnExisting, kind: RunKind
) -> None:
    store = await seeded({"s/a": source("a")})
    spec = profiles(onExisting=policy)
    await ran(store, of("a", spec=spec))
    before = everything(store)[TARGET]
    store.apply([Create("s/b", stored(source("b")))])
    progress = await ran(store, of("b", kind, 1, spec=spec))
    assert (progress.totals.read, progress.totals.dead_letters, progress.totals.written) == (1, 1, 0)
    assert everything(store)[TARGET] == before
    assert await letters(store) == [second("b", "a")]


@in_virtual_time
async def test_a_double_is_a_dead_letter_too_and_only_a_sweep_leaves_it_at_that() -> None:
    double = {"key": "x", "n": 1}
    store = await seeded({"s/a": double, "s/b": double})
    spec = profiles(entityKey=None)
    await ran(store, of("a", spec=spec))
    assert counts(await ran(store, of("b", RunKind.SWEEP, spec=spec))) == {"read": 1, "unchanged": 1}
    assert counts(await ran(store, of("b", number=1, spec=spec))) == {"read": 1, "dead_letters": 1}
    assert await letters(store) == [second("b", "a")]
    verifying = of("ab", RunKind.VERIFY, spec=spec, verify=VerifyPlan(), subjects=("migrate.0",))
    assert counts(await ran(store, verifying)) == {"read": 2, "unchanged": 2}


@in_virtual_time
async def test_the_winner_is_named_though_the_loser_that_met_it_first_has_a_rival_of_its_own() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "abc"})
    await ran(store, of("c"))
    assert counts(await ran(store, of("ab", number=1)))["dead_letters"] == 2
    assert await letters(store) == [second("b", "c"), second("a", "c")]


@in_virtual_time
async def test_the_same_source_completes_its_target() -> None:
    store = await seeded({"s/a": source("a")})
    await ran(store, of("a"))
    store.apply([Update("s/a", stored({"late": 1}), [("late",)], None)])
    assert counts(await ran(store, of("a", RunKind.SWEEP))) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == source("a", late=1)
    assert await letters(store) == []


@in_virtual_time
async def test_a_target_of_the_apps_is_filled_from_one_source_and_no_other() -> None:
    store = await seeded({TARGET: {"app": 1}, **{f"s/{name}": source(name) for name in "abc"}})
    assert counts(await ran(store, of("ab")))["updated"] == 1
    assert await seen(store, TARGET) == {"app": 1, **source("a")}
    assert counts(await ran(store, of("c", number=1))) == {"read": 1, "dead_letters": 1}
    assert await letters(store) == [second("b", "a"), second("c", "a")]


@in_virtual_time
async def test_a_target_that_the_app_made_anew_is_the_apps() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})
    await ran(store, of("a"))
    store.apply([Delete(TARGET)])
    store.apply([Create(TARGET, stored({"app": 1}))])
    assert counts(await ran(store, of("b", number=1)))["updated"] == 1
    assert await seen(store, TARGET) == {"app": 1, **source("b")}


@in_virtual_time
async def test_what_was_taken_back_leaves_the_target_to_others() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})
    await ran(store, of("a"))
    store.apply([Update(TARGET, stored({"app": 1}), [("app",)], None)])
    assert counts(await ran(store, of("a", RunKind.REVERT, subjects=("migrate.0",)))) == {"read": 1, "kept": 1}
    assert counts(await ran(store, of("b", number=1)))["updated"] == 1


@in_virtual_time
async def test_fail_ends_the_worker_before_a_second_source() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})
    spec = profiles(onInvalid="Fail")
    await ran(store, of("a", spec=spec))
    with pytest.raises(
        InvalidData, match="s/b broke target: two sources for one target: profiles/x is the copy of s/a"
    ):
        await ran(store, of("b", number=1, spec=spec))


@pytest.mark.parametrize(
    ("moved", "first"),
    [
        ([Update("s/a", stored({"key": "other"}), [("key",)], None)], {"profiles/x": "d", "profiles/other": "a"}),
        ([Delete("s/a")], {"profiles/x": "d"}),
        ([Create(TARGET, {}), Delete(TARGET)], {"profiles/x": "a"}),
    ],
    ids=["goes-elsewhere", "is-deleted", "has-it-after-all"],
)
@in_virtual_time
async def test_no_record_is_lost_when_the_one_in_front_of_it_lets_go_of_the_target(
    moved: Sequence[Write], first: Mapping[str, str]
) -> None:
    documents = {"a": source("a"), "b": source("b", key="b"), "c": source("c", key="c"), "d": source("d")}
    store = await seeded({f"s/{name}": fields for name, fields in documents.items()})
    touch = [[Update("s/b", stored({"n": number}), [("n",)], None)] for number in range(3)]
    # The third conflict halves the chunk, so that what was said of d is no longer in the commit of a.
    live: list[Sequence[Write]] = [[*moved, *touch[2]], touch[1], touch[0]]

    async def meet(writes: Sequence[Write]) -> None:
        if live and any(write.path.startswith("profiles/") for write in writes):
            for write in live.pop():
                store.apply([write])

    store.faults.before_commit = meet
    progress = await ran(store, of("abcd"))
    assert progress.totals.conflicts == 3
    assert {path: (await seen(store, path) or {})["of"] for path in first} == dict(first)
    assert await letters(store) == ([second("d", "a")] if first[TARGET] == "a" else [])


@in_virtual_time
async def test_a_record_behind_one_that_the_database_refuses_is_decided_again() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})

    async def refuse(writes: Sequence[Write]) -> None:
        if any(isinstance(write, Create) and "only a" in write.fields for write in writes):
            raise Poison("INVALID_ARGUMENT", "too many index entries")

    store.faults.before_commit = refuse
    assert counts(await ran(store, of("ab"))) == {"read": 2, "created": 1, "dead_letters": 1}
    assert (await seen(store, TARGET) or {})["of"] == "b"


@pytest.mark.parametrize("authority", Authority)
@in_virtual_time
async def test_verify_counts_a_second_source_as_the_dead_letter_that_it_is(authority: Authority) -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})
    await ran(store, of("ab"))
    verify = VerifyPlan(authority=authority)
    checked = await ran(store, of("ab", RunKind.VERIFY, verify=verify, subjects=("migrate.0",)))
    assert counts(checked) == {"read": 2, "unchanged": 1, "dead_letters": 1}
    assert checked.examples == (": ".join(second("b", "a")),)


@in_virtual_time
async def test_verify_still_tells_a_copy_that_differs_from_its_own_source() -> None:
    store = await seeded({f"s/{name}": source(name) for name in "ab"})
    await ran(store, of("ab"))
    store.apply([Update(TARGET, stored({"of": "the app"}), [("of",)], None)])
    checked = await ran(store, of("ab", RunKind.VERIFY, verify=VerifyPlan(), subjects=("migrate.0",)))
    assert counts(checked) == {"read": 2, "different": 1, "dead_letters": 1}


@pytest.mark.parametrize("kind", [RunKind.MIGRATE, RunKind.SWEEP, RunKind.VERIFY])
@in_virtual_time
async def test_where_sources_do_not_collide_nothing_more_is_read(kind: RunKind) -> None:
    reads = {}
    for template in ("profiles/{id}", "profiles/{doc.key}"):
        store = await seeded({f"s/{name}": source(name, key=name) for name in "abcdefgh"})
        spec = profiles(target={"document": template})
        if kind is not RunKind.MIGRATE:
            await ran(store, of("abcdefgh", spec=spec))
        calls: list[str] = []
        store.faults.before_read = counting(calls)
        await ran(store, of("abcdefgh", kind, 1, spec=spec, verify=VerifyPlan()))
        reads[template] = sorted(calls)
    assert reads["profiles/{doc.key}"] == reads["profiles/{id}"]


def counting(calls: list[str]) -> Callable[[str], Awaitable[None]]:
    async def count(call: str) -> None:
        calls.append(call)

    return count
