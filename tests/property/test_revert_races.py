"""An app that writes between every read and commit, on the way forth and on the way back: no write of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.moving import COPY, KIT, counts, migration, plain, plan, ran, stored
from tests.virtual_time import run

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind, VerifyPlan
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

NAMES = "abcdef"

IN_PLACE = migration(
    {"name": "m", "source": {"collection": "c"}, "target": {"inPlace": {}}},
    appliesWhen="!has(doc.title)",
    transform={"rename": {"name": "title"}, "set": {"size": "size(doc.name)"}},
)
COPYING = migration(
    COPY,
    source={"collection": "c"},
    target={"document": "users/{id}/copies/{id}"},
    entityKey=None,
    onExisting="Overwrite",
    transform={"rename": {"name": "title"}},
)


@dataclass
class App:
    """Counts a document's `mine` up, deletes and makes it, just before commits that touch documents of ours."""

    store: MemoryStore
    moves: list[tuple[str, str]]
    expected: dict[str, int | None] = field(default_factory=dict)
    turn: int = 0

    def __post_init__(self) -> None:
        for name in NAMES:
            self._make(name)
        self.store.faults.before_commit = self.interfere

    async def interfere(self, writes: Sequence[Write]) -> None:
        if self.moves and any(not write.path.startswith("_firelift/") for write in writes):
            self.act(*self.moves.pop())

    def act(self, move: str, name: str) -> None:
        self.turn += 1
        if self.expected[name] is None:
            self._make(name)
        elif move == "delete":
            self.store.apply([Delete(f"c/{name}")])
            self.expected[name] = None
        else:
            self.store.apply([Update(f"c/{name}", stored({"mine": self.turn}), [("mine",)], None)])
            self.expected[name] = self.turn

    def _make(self, name: str) -> None:
        self.store.apply([Create(f"c/{name}", stored({"name": name, "mine": self.turn}))])
        self.expected[name] = self.turn

    def check(self) -> None:
        snapshot = self.store.snapshot()
        for name, mine in self.expected.items():
            fields = snapshot.get(f"c/{name}")
            assert (fields and KIT.decode(fields["mine"])) == mine


MOVES = st.lists(st.tuples(st.sampled_from(["write", "write", "delete"]), st.sampled_from(NAMES)), max_size=12)


def documents(store: MemoryStore, below: str) -> dict[str, dict[str, Any]]:
    return {path: plain(fields) for path, fields in store.snapshot().items() if path.startswith(below)}


async def forth(app: App, spec: MigrationSpec) -> None:
    await ran(app.store, plan(RunKind.MIGRATE, spec))
    app.check()
    # What the app made late is swept up once it has gone quiet.
    app.moves = []
    await ran(app.store, plan(RunKind.SWEEP, spec))
    app.check()


async def back(app: App, spec: MigrationSpec, moves: list[tuple[str, str]]) -> None:
    app.moves = moves
    await ran(app.store, plan(RunKind.REVERT, spec, subjects=("migrate.0", "sweep.0")))
    app.check()


@settings(max_examples=80, deadline=None)
@given(MOVES, MOVES)
def test_in_place_under_a_racing_app(forwards: list[tuple[str, str]], backwards: list[tuple[str, str]]) -> None:
    app = App(MemoryStore(), forwards)

    async def check() -> None:
        await forth(app, IN_PLACE)
        assert all(fields["title"] == path[-1] for path, fields in documents(app.store, "c/").items())
        await back(app, IN_PLACE, backwards)

    run(check())
    for path, fields in documents(app.store, "c/").items():
        assert fields == {"name": path[-1], "mine": app.expected[path[-1]]}


@settings(max_examples=80, deadline=None)
@given(MOVES, MOVES)
def test_copies_under_a_racing_app(forwards: list[tuple[str, str]], backwards: list[tuple[str, str]]) -> None:
    app = App(MemoryStore(), forwards)

    async def check() -> None:
        await forth(app, COPYING)
        subjects = ("migrate.0", "sweep.0")
        verified = counts(await ran(app.store, plan(RunKind.VERIFY, COPYING, verify=VerifyPlan(), subjects=subjects)))
        orphans = sum(
            f"users/{name}/copies/{name}" in app.store.snapshot() for name, mine in app.expected.items() if mine is None
        )
        assert verified.get("extra", 0) == orphans
        assert verified.keys() <= {"read", "unchanged", "extra"}
        await back(app, COPYING, backwards)

    run(check())
    assert documents(app.store, "users/") == {}
    assert all(fields["name"] == path[-1] for path, fields in documents(app.store, "c/").items())
