"""A trial and the rollout that it tries, over the same data: the same counts, the same documents that cannot move."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import virtual_time
from tests.moving import COPY, IN_PLACE, LEDGER, counts, everything, plain, ran, seeded
from tests.rollout_specs import migrate, phase
from tests.rollout_world import unplanned

from firelift.api.run import RunPlan
from firelift.migration.ledger.paths import DEAD_LETTERS, collection
from firelift.stores.memory import MemoryStore

RULE = {"rule": "out.n < 50", "message": "n must stay below 50"}
LISTED = {**COPY, "entityCollection": "users", "appliesWhen": "doc.n != 7", "validate": [RULE]}
MARKER = {"document": "users/{entity}/meta/moved", "set": {"half": "100 / (3 - size(entity))"}}
STATISTICS = {
    "document": "users/{entity}/daily/{kind}",
    "keys": {"kind": "doc.kind"},
    "set": {"total": {"sum": "doc.n"}},
}
MIGRATIONS: dict[str, dict[str, Any]] = {
    "of listed entities": LISTED,
    "with markers": {**LISTED, "entityMarker": MARKER},
    "of a whole source": {**LISTED, "entityCollection": None},
    "whose targets are looked at": {**LISTED, "onExisting": "Overwrite"},
    "whose key is in no path": {**LISTED, "target": {"document": "copies/{id}"}},
    "one to many": {
        **COPY,
        "entityCollection": "users",
        "target": {"document": "users/{doc.userId}/items/{id}-{index}", "forEach": "doc.items"},
    },
    "an aggregate": {**COPY, "target": {"aggregate": STATISTICS}},
    "an aggregate of listed entities": {**COPY, "entityCollection": "users", "target": {"aggregate": STATISTICS}},
    "in place": {**IN_PLACE, "source": {"collection": "fitness_logs"}, "entityKey": "userId"},
    "in place, of listed entities": {
        **IN_PLACE,
        "source": {"collection": "fitness_logs"},
        "entityKey": "userId",
        "entityCollection": "users",
    },
}

USERS = ("ada", "bob", "42")
KEYS = st.sampled_from(["ada", "bob", "eve", "ghost", "nobody's", "a/b", 42, 42.0, 1.5, None, True, "absent"])
LOGS = st.fixed_dictionaries(
    {"userId": KEYS, "n": st.sampled_from([1, 7, 60, "many"])},
    optional={
        "kind": st.sampled_from(["run", "walk", 5, 1.5]),
        "items": st.sampled_from([[], [{"a": 1}], [{"a": 1}, {"a": 2}], 5]),
        "name": st.just("write"),
        "title": st.just("done"),
    },
)


def stored(logs: list[dict[str, Any]], *, there: bool) -> dict[str, dict[str, object]]:
    """Logs of three listed entities and of others, and some targets that the app has written already."""
    found: dict[str, dict[str, object]] = {
        f"fitness_logs/{number:02d}": {name: value for name, value in log.items() if value != "absent"}
        for number, log in enumerate(logs)
    }
    targets = [f"users/{user}/fitness_logs/{number:02d}" for user in ("ada", "ghost") for number in range(0, 9, 2)]
    mine: dict[str, dict[str, object]] = {
        path: {"mine": True} for path in [*targets, "copies/03", "users/ada/daily/run", "users/bob/items/01-0"]
    }
    return found | {f"users/{user}": {} for user in USERS} | (mine if there else {})


def planned(mode: str, spec: dict[str, Any]) -> RunPlan:
    """What a rollout runs in this mode when its only phase moves everybody."""
    known = {name: value for name, value in spec.items() if value is not None}
    one = unplanned(phase("all", migrate(100, spec["name"])), migrations=[known], mode=mode)
    one.until("Completed")
    (run,) = [run.plan for run in one.runs.values()]
    return run.model_copy(update={"ledger": LEDGER})


MODES = ("Migrate", "DryRun", "Validate")
PLANS = {name: {mode: planned(mode, spec) for mode in MODES} for name, spec in MIGRATIONS.items()}


def letters(store: MemoryStore) -> set[tuple[str, str, str]]:
    """Path, rule and reason of everything that could not move."""
    below = f"{collection(LEDGER, DEAD_LETTERS)}/"
    found = (plain(fields) for path, fields in store.snapshot().items() if path.startswith(below))
    return {(each["path"], each["rule"], each["reason"]) for each in found}


async def run(mode: str, name: str, data: dict[str, dict[str, object]]) -> tuple[dict[str, int], set[Any], bool]:
    store = await seeded(data)
    before = everything(store)
    found = counts(await ran(store, PLANS[name][mode]))
    return found, letters(store), everything(store) != before


@pytest.mark.parametrize("name", MIGRATIONS)
@settings(max_examples=40, deadline=None)
@given(logs=st.lists(LOGS, max_size=12), there=st.booleans())
def test_a_trial_says_what_a_migrate_of_everybody_then_does(
    name: str,
    logs: list[dict[str, Any]],
    there: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    async def compare() -> None:
        data = stored(logs, there=there)
        moved, refused, _ = await run("Migrate", name, data)
        tried, cannot, touched = await run("DryRun", name, data)
        assert (tried, cannot, touched) == (moved, refused, False)
        judged, unfit, touched = await run("Validate", name, data)
        of_records = {each for each in refused if not each[1].startswith("entityMarker")}
        assert (unfit, touched) == (of_records, False)
        marks = len(USERS) if MIGRATIONS[name].get("entityMarker") else 0
        assert judged.get("read", 0) == moved.get("read", 0) - marks
        assert judged.get("dead_letters", 0) == len(of_records)

    virtual_time.run(compare())
