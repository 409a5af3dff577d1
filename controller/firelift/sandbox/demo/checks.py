"""The claims of the demonstration, each checked against the database.

What must be there is recomputed from the seed, the app's log and the app's own idea of the new shape. What is there is
read by the official client. No code is shared with the data plane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1 import DocumentSnapshot
from google.cloud.firestore_v1.base_query import FieldFilter

from firelift.sandbox.demo import data, log, shapes
from firelift.sandbox.demo.exact import same

Snapshots = dict[str, DocumentSnapshot[Any]]
EXAMPLES = 3


@dataclass(frozen=True)
class Check:
    """One claim: whether it holds, and what was counted."""

    claim: str
    holds: bool
    counted: str


class Recomputation:
    """What the database must hold, and what it holds."""

    def __init__(self, seeded: data.Documents, written: dict[str, list[log.Change | None]], found: Snapshots) -> None:
        self._seeded = seeded
        self._written = written
        self._found = found
        self.writes = sum(len(changes) for changes in written.values())

    def expected(self, collection: str) -> data.Documents:
        """The documents of a flat collection after every acknowledged write of the app."""
        paths = {path for path in (*self._seeded, *self._written) if path.startswith(f"{collection}/")}
        folded = {path: self._fold(path) for path in paths}
        return {path: fields for path, fields in folded.items() if fields is not None}

    def expected_new_logs(self) -> data.Documents:
        """Each fitness log where the new shape wants it."""
        logs = self.expected("fitness_logs").items()
        return {shapes.new_log_path(path.rpartition("/")[2], fields): shapes.new_log(fields) for path, fields in logs}

    def compare(self, claim: str, expected: data.Documents, belongs: Callable[[str], bool]) -> Check:
        """Every expected document is in its place and type-exact, and there is no other."""
        found = {path: snapshot.to_dict() for path, snapshot in self._found.items() if belongs(path)}
        wrong = [path for path in expected.keys() | found.keys() if not _equal(expected.get(path), found.get(path))]
        examples = "".join(
            f"; {path}: expected {expected.get(path)}, found {found.get(path)}" for path in wrong[:EXAMPLES]
        )
        return Check(
            claim, not wrong, f"{len(expected):,} expected, {len(found):,} found, {len(wrong)} wrong{examples}"
        )

    def written_once(self, claim: str, paths: Iterator[str]) -> Check:
        """Of these documents, those that the app never wrote have been written exactly once."""
        snapshots = [self._found[path] for path in paths if path in self._found]
        twice = [snapshot.reference.path for snapshot in snapshots if snapshot.update_time != snapshot.create_time]
        return Check(
            claim,
            bool(snapshots) and not twice,
            f"{len(snapshots):,} looked at, {len(twice)} more than once {twice[:3]}",
        )

    def untouched_new_logs(self) -> Iterator[str]:
        """New paths of the seeded fitness logs that the app never wrote."""
        for path, fields in self._seeded.items():
            if path.startswith("fitness_logs/") and path not in self._written:
                yield shapes.new_log_path(path.rpartition("/")[2], fields)

    def bystanders(self) -> Iterator[str]:
        """Seeded documents that no migration names."""
        return (path for path in self._seeded if path.startswith(("users/", "chat_messages/", "food_database/")))

    def _fold(self, path: str) -> dict[str, Any] | None:
        fields = self._seeded.get(path)
        for change in self._written.get(path, []):
            fields = None if change is None else (fields or {}) | change
        return fields


def _equal(expected: dict[str, Any] | None, found: dict[str, Any] | None) -> bool:
    return expected is not None and found is not None and same(expected, found)


async def read_everything(client: AsyncClient) -> Snapshots:
    """Every document of the app, by path."""
    found: Snapshots = {}
    for collection in ("users", "tasks", "chat_messages", "food_database"):
        found |= {snapshot.reference.path: snapshot async for snapshot in client.collection(collection).stream()}
    found |= {snapshot.reference.path: snapshot async for snapshot in client.collection_group("fitness_logs").stream()}
    return found


async def check_database(client: AsyncClient, app_log: Path, scale: float = 1.0) -> list[Check]:
    """All checks of data, in the order in which they are printed."""
    seeded = data.documents(client, scale)
    there = Recomputation(seeded, log.read(app_log), await read_everything(client))
    bystanders = {path: seeded[path] for path in there.bystanders()}
    return [
        there.compare(
            "fitness logs: each one in the new shape, in its user's sub-collection, type-exact",
            there.expected_new_logs(),
            lambda path: path.startswith("users/") and "/fitness_logs/" in path,
        ),
        there.compare(
            f"fitness logs: the old shape has all of the app's writes ({there.writes:,} live writes in all)",
            there.expected("fitness_logs"),
            lambda path: path.startswith("fitness_logs/"),
        ),
        there.written_once("fitness logs: none was written twice", there.untouched_new_logs()),
        there.compare(
            "tasks: after the revert the original data plus the live writes, type-exact",
            there.expected("tasks"),
            lambda path: path.startswith("tasks/"),
        ),
        there.compare(
            "users, chat messages and foods: as they were", bystanders, lambda path: path in bystanders or _flat(path)
        ),
        there.written_once("users, chat messages and foods: never written", iter(bystanders)),
    ]


def _flat(path: str) -> bool:
    return path.count("/") == 1 and not path.startswith(("tasks/", "fitness_logs/"))


async def check_conflicts(client: AsyncClient, copied: str, in_place: str) -> Check:
    """The conflicts that the seals of the journals count: only a write between the read and the commit causes one."""
    copying, changing = await _conflicts(client, copied), await _conflicts(client, in_place)
    counted = f"{copying} in the ledger of the copies, {changing} in that of the changes in place"
    return Check("live writes met between read and commit, and each resolved", min(copying, changing) > 0, counted)


async def _conflicts(client: AsyncClient, ledger: str) -> int:
    journal = client.collection("_firelift").document(ledger).collection("firelift_journal")
    seals = journal.where(filter=FieldFilter("kind", "==", "seal")).select(["totals"])
    return sum([seal.get("totals").get("conflicts", 0) async for seal in seals.stream()])
