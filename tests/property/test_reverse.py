"""An app that switches shapes while it is moved: after a revert the old shape has every document of the app's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crashing import Crashes, ran_on
from tests.moving import KIT, counts, migration, plain, plan, stored
from tests.virtual_time import run

from firelift.api.run import RunKind
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

NAMES = "abcdefgh"

SPEC = migration(
    transform={"rename": {"type": "logType"}, "set": {"created": "timestamp(doc.ts)"}, "remove": ["ts"]},
    reverse={"transform": {"set": {"ts": "int(doc.created)"}, "remove": ["created"]}},
)

OLD, NEW = "fitness_logs/{}", "users/u/fitness_logs/{}"


@dataclass
class App:
    """It writes the new shape alone since the switch; `mine` has what each document must say at the end."""

    store: MemoryStore
    races: list[str]
    mine: dict[str, int] = field(default_factory=dict)
    turn: int = 0

    def old(self, name: str) -> None:
        self.store.apply([Create(OLD.format(name), stored({"userId": "u", "type": "run", "ts": 5, "mine": 0}))])
        self.mine[name] = 0

    def write(self, name: str) -> None:
        """Make a document of the new shape, or change one that the app itself has made there."""
        self.turn += 1
        path = NEW.format(name)
        there = self.store.snapshot()
        if path in there and KIT.decode(there[path]["mine"]):
            self.store.apply([Update(path, stored({"mine": self.turn}), [("mine",)], None)])
        elif path in there or name in self.mine:
            return
        else:
            fields = {"userId": "u", "logType": "swim", "created": KIT.encode(plan(RunKind.MIGRATE, SPEC).now)}
            self.store.apply([Create(path, stored({**fields, "mine": self.turn}))])
        self.mine[name] = self.turn

    async def race(self, writes: Sequence[Write]) -> None:
        if self.races and any(isinstance(write, Delete) for write in writes):
            self.write(self.races.pop())


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(NAMES)),
    st.lists(st.sampled_from(NAMES), max_size=8),
    st.lists(st.sampled_from(NAMES), max_size=6),
    st.lists(st.integers(1, 4) | st.integers(-4, -1), max_size=5),
)
def test_every_document_is_in_the_old_shape_with_the_apps_last_word(
    before: set[str], written: list[str], races: list[str], crashes: list[int]
) -> None:
    store = MemoryStore()
    app = App(store, [])
    for name in sorted(before):
        app.old(name)
    store.faults.before_commit = app.race
    Crashes(store, crashes)

    async def check() -> None:
        await ran_on(store, plan(RunKind.MIGRATE, SPEC))
        for name in written:
            app.write(name)
        app.races = races
        subjects = ("migrate.0",)
        await ran_on(store, plan(RunKind.REVERT, SPEC, subjects=subjects))
        app.races = []
        # As after the flags are restored: what the app still wrote meanwhile goes with the next pass.
        await ran_on(store, plan(RunKind.REVERT, SPEC, 1, subjects=subjects))
        checked = counts(await ran_on(store, plan(RunKind.REVERT_VERIFY, SPEC, subjects=subjects)))
        assert checked.keys() <= {"read", "unchanged"}

    run(check())
    left: dict[str, dict[str, Any]] = {
        path: plain(fields) for path, fields in store.snapshot().items() if not path.startswith("_firelift/")
    }
    assert {path: fields["mine"] for path, fields in left.items()} == {
        OLD.format(name): mine for name, mine in app.mine.items()
    }
    assert all(fields.keys() == {"userId", "type", "ts", "mine"} for fields in left.values())
