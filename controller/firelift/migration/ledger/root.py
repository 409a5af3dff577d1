"""The ledger's root document: whose it is, in which database it was made, and what the rollout remembers.

Each change is made under the precondition that the document is as it was read. Who loses gets `LostRace` and has
changed nothing: that is what makes a frozen and revived leader harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from firelift.api.run import FORMAT
from firelift.migration.errors import Conflict, LostRace, MoreToDo
from firelift.migration.ledger import paths
from firelift.migration.ledger.expiry import EXPIRE_AT, Marking, mark
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, FieldPath, Micros, Missing, Store, Update, Write

MARKING = "marking"
"""How far the marking of what lies below has come, while it is under way."""


@dataclass(frozen=True, slots=True)
class RootOwner:
    """The object that a ledger belongs to. `epoch` is that of the leader which claimed it."""

    cluster: str
    uid: str
    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Root:
    """The root as read. `state` is the rollout's memory, opaque here; `update_time` is for the next write."""

    owner: RootOwner | None
    database_uid: str
    state: str
    update_time: Micros
    expire_at: datetime | None = None
    marking: Marking | None = None

    @property
    def expires(self) -> bool:
        """Whether any of it may be given a time to expire at."""
        return self.expire_at is not None or self.marking is not None


async def read_root(store: Store, ledger: str) -> Root | None:
    """The root, None when the ledger has not been made yet.

    Raises:
        LedgerBroken: when it has another format.
    """
    document = (await store.get([paths.root(ledger)]))[0]
    if isinstance(document, Missing):
        return None
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    check(f"ledger {ledger}", plain.get("format"))
    owner = plain.get("owner")
    return Root(
        owner=RootOwner(**owner) if owner else None,
        database_uid=plain.get("databaseUID", ""),
        state=plain.get("state", ""),
        update_time=document.update_time,
        expire_at=plain.get(EXPIRE_AT),
        marking=Marking(**plain[MARKING]) if plain.get(MARKING) else None,
    )


async def create_root(store: Store, ledger: str, owner: RootOwner, database_uid: str, state: str = "") -> Micros:
    """Make the ledger and return the root's update time.

    Raises:
        LostRace: when there is one already.
    """
    plain = {"format": FORMAT, "owner": asdict(owner), "databaseUID": database_uid, "state": state}
    fields = {name: store.values.encode(value) for name, value in plain.items()}
    return await _write(store, ledger, Create(paths.root(ledger), fields))


async def write_state(store: Store, ledger: str, state: str, expected_update_time: Micros) -> Micros:
    """Replace the rollout's memory and return the root's new update time, the old one if nothing changed.

    Raises:
        LostRace: when the root has changed since.
    """
    return await _change(store, ledger, {"state": state}, expected_update_time)


async def claim(
    store: Store, ledger: str, owner: RootOwner, expected_update_time: Micros, *, database_uid: str | None = None
) -> Micros:
    """Make the ledger this owner's, and with `database_uid` of that database; nothing of it will expire.

    Raises:
        LostRace: when the root has changed since.
        MoreToDo: only a portion of a ledger that was to expire was kept from it; the claim is to be made again.
    """
    root = await read_root(store, ledger)
    if root is not None and root.expires:
        await _unmark(store, ledger, root, expected_update_time)
    plain: dict[str, object] = {"owner": asdict(owner), EXPIRE_AT: _ABSENT, MARKING: _ABSENT}
    if database_uid is not None:
        plain["databaseUID"] = database_uid
    return await _change(store, ledger, plain, expected_update_time)


async def release(
    store: Store, ledger: str, expected_update_time: Micros, *, expire_at: datetime | None = None
) -> Micros:
    """Make the ledger nobody's; with `expire_at` the database may delete the root at that time.

    Raises:
        LostRace: when the root has changed since.
    """
    plain: dict[str, object] = {"owner": None, MARKING: _ABSENT}
    if expire_at is not None:
        plain[EXPIRE_AT] = expire_at
    return await _change(store, ledger, plain, expected_update_time)


async def expire(store: Store, ledger: str, expected_update_time: Micros, time: datetime) -> tuple[Micros, bool]:
    """Give a portion of what lies below the root this time to expire at: the root's update time, whether that was all.

    How far it has come is kept in the root, so that whoever asks again goes on from there.

    Raises:
        LostRace: when the root has changed since.
    """
    root = await read_root(store, ledger)
    begun = root.marking if root and root.marking and root.marking.time == time else Marking(time)
    left = await mark(store, ledger, begun)
    if left is None:
        return expected_update_time, True
    return await _change(store, ledger, {MARKING: _dumped(left)}, expected_update_time), False


async def _unmark(store: Store, ledger: str, root: Root, expected: Micros) -> None:
    begun = root.marking if root.marking and root.marking.time is None else Marking(None)
    left = await mark(store, ledger, begun)
    if left is None:
        return
    await _change(store, ledger, {MARKING: _dumped(left)}, expected)
    raise MoreToDo(
        f"claiming ledger {ledger}: its documents were to expire, and each is told not to; done up to "
        f"{left.after or left.collection}"
    )


def _dumped(marking: Marking) -> dict[str, object]:
    return asdict(marking)


_ABSENT = object()


async def _change(store: Store, ledger: str, plain: Mapping[str, object], expected: Micros) -> Micros:
    fields = {name: store.values.encode(value) for name, value in plain.items() if value is not _ABSENT}
    mask: Sequence[FieldPath] = [(name,) for name in plain]
    return await _write(store, ledger, Update(paths.root(ledger), fields, mask, expected))


async def _write(store: Store, ledger: str, write: Write) -> Micros:
    try:
        return (await store.commit([write])).update_times[0]
    except Conflict as lost:
        raise LostRace(f"the root of ledger {ledger} has changed since it was read; nothing was written") from lost
