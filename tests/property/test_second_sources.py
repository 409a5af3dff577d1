"""Sources that collide at random, moved by several workers in several lanes and phases: a target has exactly one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.moving import COPY, LEDGER, counts, migration, plain, plan, ran, stored
from tests.virtual_time import VirtualClock, run

from firelift.api.cohort import Selection
from firelift.api.migration import OnExisting
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.ledger import paths
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Update, Write
from firelift.migration.work import Lane, LaneMap
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore

NAMES = "abcdefghijkl"
KEYS = "xyz"
OWNERS = "pqr"
WORKERS = 2


@dataclass(frozen=True)
class Source:
    """What a document says: its target, whose it is, and whether it comes only after the first phase."""

    key: str
    owner: str
    late: bool


@dataclass(frozen=True)
class Script:
    """A database, how it is moved, and a seed for who is faster."""

    sources: dict[str, Source]
    policy: OnExisting
    first_phase: frozenset[str]
    cuts: frozenset[str]
    app_before: frozenset[str]
    app_during: frozenset[str]
    edited: frozenset[str]
    batch: int
    seed: int


SCRIPTS = st.builds(
    Script,
    st.dictionaries(
        st.sampled_from(NAMES),
        st.builds(Source, st.sampled_from(KEYS), st.sampled_from(OWNERS), st.booleans()),
        min_size=2,
    ),
    st.sampled_from(OnExisting),
    st.frozensets(st.sampled_from(OWNERS), min_size=1),
    st.frozensets(st.sampled_from(NAMES[:-1]), max_size=5),
    st.frozensets(st.sampled_from(KEYS), max_size=1),
    st.frozensets(st.sampled_from(KEYS), max_size=1),
    st.frozensets(st.sampled_from(NAMES), max_size=3),
    st.integers(1, 4),
    st.integers(0, 2**16),
)


@dataclass
class World:
    """The database while it is moved. `seen` has the sources that each run has read."""

    script: Script
    store: MemoryStore = field(default_factory=MemoryStore)
    seen: dict[str, set[str]] = field(default_factory=dict)
    totals: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.script.seed)  # noqa: S311 - decides who is faster, guards nothing
        self.app_made = set(self.script.app_before)
        self.waiting = sorted(self.script.app_during)
        self._app(self.script.app_before)
        self._make(name for name, source in self.script.sources.items() if not source.late)
        self.store.faults.before_commit = self._before_commit
        self.store.faults.before_read = self._pause

    async def move(self) -> None:
        first = tuple(self.script.first_phase)
        await self._run(RunKind.MIGRATE, 1, Selection(ids=first))
        self._make(name for name, source in self.script.sources.items() if source.late)
        edits = [name for name in sorted(self.script.edited) if name in self.script.sources]
        self.store.apply([Update(f"s/{name}", stored({"edit": 1}), [("edit",)], None) for name in edits])
        await self._run(RunKind.SWEEP, 2, Selection(ids=first))
        await self._run(RunKind.MIGRATE, 3, Selection(to_bucket=10_000, except_ids=first))

    @property
    def spec(self) -> Any:
        target = {"document": "profiles/{doc.key}"}
        return migration(
            COPY, source={"collection": "s"}, target=target, entityKey="owner", onExisting=self.script.policy
        )

    def plan(self, kind: RunKind, number: int, **changes: Any) -> RunPlan:
        base = plan(kind, self.spec, number, workers=WORKERS, **changes)
        return base.model_copy(update={"pace": base.pace.model_copy(update={"batch_size": self.script.batch})})

    async def _run(self, kind: RunKind, number: int, selection: Selection) -> None:
        made = self.plan(kind, number, selection=selection)
        await RunStore(self.store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=10**6))
        ends = pairwise([None, *(f"s/{name}" for name in sorted(self.script.cuts)), None])
        await adopt_lane_map(self.store, LEDGER, made.id, LaneMap([Lane(n, *ends) for n, ends in enumerate(ends)]))
        shares = [Share(LEDGER, made.id, index, WORKERS) for index in range(WORKERS)]
        await asyncio.gather(*(work(self.store, share, build, clock=VirtualClock()) for share in shares))
        self.totals[made.id] = counts(await Progress(self.store, LEDGER, made.id).update())
        self.seen[made.id] = {
            name
            for name, source in self.script.sources.items()
            if f"s/{name}" in self.store.snapshot() and selection.covers(made.seed, source.owner)
        }

    def _app(self, keys: Sequence[str] | frozenset[str]) -> None:
        for key in sorted(keys):
            self.store.apply([Create(f"profiles/{key}", stored({"app": 1}))])

    def _make(self, names: Iterator[str]) -> None:
        for name in names:
            source = self.script.sources[name]
            fields = {"key": source.key, "owner": source.owner, "from": name, f"only {name}": 1}
            self.store.apply([Create(f"s/{name}", stored(fields))])

    async def _before_commit(self, writes: Sequence[Write]) -> None:
        await self._pause("commit")
        if self.waiting and any(write.path.startswith("profiles/") for write in writes):
            key = self.waiting.pop()
            if f"profiles/{key}" not in self.store.snapshot():
                self._app([key])
                self.app_made.add(key)

    async def _pause(self, _: str) -> None:
        await asyncio.sleep(self.random.uniform(0, 0.02))

    def winners(self) -> dict[str, str]:
        """The source of each target that has one. No target has the fields of two."""
        found = {}
        for key in KEYS:
            fields = plain(self.store.snapshot().get(f"profiles/{key}", {}))
            owners = [name for name in NAMES if f"only {name}" in fields]
            assert [fields["from"]] == owners if owners else "from" not in fields
            if owners:
                found[key] = owners[0]
        return found

    def losers(self, names: set[str]) -> set[str]:
        winners = self.winners()
        keys = {name: self.script.sources[name].key for name in names}
        return {name for name, key in keys.items() if winners.get(key, name) != name}

    def letters(self, made: str) -> dict[str, str]:
        """The sources that have a dead letter of a run, and what it says."""
        collection = paths.collection(LEDGER, paths.DEAD_LETTERS)
        documents = [plain(fields) for path, fields in self.store.snapshot().items() if path.startswith(collection)]
        return {each["path"].removeprefix("s/"): each["reason"] for each in documents if each["run"] == made}

    def check_run(self, made: str) -> None:
        seen, totals, letters = self.seen[made], self.totals[made], self.letters(made)
        assert totals.get("read", 0) == len(seen)
        assert totals.get("dead_letters", 0) == len(letters)
        losers, winners = self.losers(seen), self.winners()
        # Where the app made the target, a source may have been left alone before another one was taken.
        certain = {name for name in losers if self.script.sources[name].key not in self.app_made}
        assert certain <= letters.keys() <= losers
        for name, reason in letters.items():
            key = self.script.sources[name].key
            assert reason == f"two sources for one target: profiles/{key} is the copy of s/{winners[key]}"


@settings(max_examples=100, deadline=None)
@given(SCRIPTS)
def test_a_target_has_one_source_and_every_other_a_dead_letter_that_names_it(script: Script) -> None:
    world = World(script)

    async def check() -> None:
        await world.move()
        for made in world.seen:
            world.check_run(made)
        moved = tuple(world.seen)
        verified = await ran(world.store, world.plan(RunKind.VERIFY, 4, verify=VerifyPlan(), subjects=moved))
        assert verified.totals.dead_letters == len(world.losers(set(script.sources)))
        assert (verified.totals.missing, verified.totals.extra) == (0, 0)
        reverted = counts(await ran(world.store, world.plan(RunKind.REVERT, 5, subjects=moved)))
        assert "kept" not in reverted

    run(check())
    left = {path: plain(fields) for path, fields in world.store.snapshot().items() if path.startswith("profiles/")}
    assert left == {f"profiles/{key}": {"app": 1} for key in world.app_made}
