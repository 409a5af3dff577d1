"""Operators of neighbouring versions share one write budget: each reads what others write, and takes none away."""

from __future__ import annotations

from typing import Any

from tests.rollout_specs import migrate, phase, spec

from firelift.migration.budget import STEP, Budget, Claim
from firelift.migration.budget_leases import SECOND
from firelift.migration.ledger import budgets, paths
from firelift.migration.pressure import STUCK, Work
from firelift.migration.store import Document, Put
from firelift.stores.memory import MemoryStore

WITHOUT_QUIET = {"format", "rate", "since", "written", "window", "cause", "leases"}
"""The fields of the document as a version had them that knew nothing of `quiet`."""

MARKS_WITHOUT_STUCK = {"commits", "pressured", "written", "judged", "quietMs", "slowCuts"}


def claim(ledger: str, **work: Any) -> Claim:
    cap = spec(phase("a", migrate(100))).pace.max_writes_per_second
    return Claim(
        ledger=ledger, name=ledger, run="r", epoch=1, cap=cap, want=cap, lease_seconds=30, work=Work(**work), sort="s"
    )


async def stored(store: MemoryStore) -> dict[str, Any]:
    (document,) = await store.get([paths.budget()])
    assert isinstance(document, Document)
    return {name: store.values.decode(value) for name, value in document.fields.items()}


async def keep(store: MemoryStore, plain: dict[str, Any]) -> None:
    await store.commit([Put(paths.budget(), {name: store.values.encode(value) for name, value in plain.items()})])


async def test_what_says_nothing_is_not_written_so_that_a_version_without_it_can_read_the_budget() -> None:
    store = MemoryStore()
    await budgets.claim(store, claim("one", commits=3, written=30))
    plain = await stored(store)
    (lease,) = plain["leases"]
    assert {"format", "rate", "leases"} <= set(plain) <= WITHOUT_QUIET
    assert set(lease["marks"]) <= MARKS_WITHOUT_STUCK
    assert Budget.model_validate(plain) == (await budgets.read(store)).budget


async def test_what_a_version_does_not_know_changes_nothing_and_stays_where_it_is() -> None:
    store = MemoryStore()
    before = (await budgets.claim(store, claim("one"))).budget.leases
    plain = await stored(store)
    plain["hue"] = [{"sort": "x", "depth": 2}]
    plain["window"] = {"since": store.now, "hue": 1}
    plain["leases"][0] |= {"hue": "blue", "marks": {"hue": 7}}
    await keep(store, plain)

    assert (await budgets.claim(store, claim("other"))).budget.rate == plain["rate"]
    after = await stored(store)
    (one, other) = after["leases"]
    assert (after["hue"], after["window"]["hue"]) == (plain["hue"], 1)
    assert (one["hue"], one["marks"]["hue"], one["share"]) == ("blue", 7, before[0].share)
    assert "hue" not in other
    store.now += 20 * SECOND
    await budgets.claim(store, claim("one", commits=5, written=50))
    assert [lease["marks"]["hue"] for lease in (await stored(store))["leases"] if lease["ledger"] == "one"] == [7]


async def test_what_says_nothing_any_more_is_taken_out_of_the_document() -> None:
    store = MemoryStore()
    await budgets.claim(store, claim("one"))
    await budgets.claim(store, claim("one", stuck=store.now))
    assert (await stored(store))["cause"] == STUCK
    store.now += STEP + SECOND
    assert (await budgets.claim(store, claim("one"))).budget.cause == ""
    assert "cause" not in await stored(store)


async def test_a_lost_quiet_p95_is_taken_anew() -> None:
    store = MemoryStore()
    await budgets.claim(store, claim("one"))
    quick = tuple((store.now + number, 80) for number in range(20))
    store.now += 20 * SECOND
    assert (await budgets.claim(store, claim("one", commits=20, latencies=quick))).budget.quiet
    plain = await stored(store)
    await keep(store, {name: value for name, value in plain.items() if name != "quiet"})
    store.now += 20 * SECOND
    again = tuple((store.now - number, 90) for number in range(20))
    found = (await budgets.claim(store, claim("one", commits=40, latencies=again))).budget
    assert ([each.ms for each in found.quiet], found.rate, found.cause) == ([90], 500, "")
