"""The ledger's root document: whose it is, in which database it was made, and what the rollout remembers.

Each change is made under the precondition that the document is as it was read. Who loses gets `LostRace` and has
changed nothing: that is what makes a frozen and revived leader harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from firelift.api.run import FORMAT
from firelift.migration.errors import Conflict, LedgerBroken, LostRace
from firelift.migration.ledger import paths
from firelift.migration.store import Create, FieldPath, Fields, Micros, Missing, Source, Store, Update, Write

EXPIRE_BATCH = 400
EXPIRE_AT = "expireAt"


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


async def read_root(store: Store, ledger: str) -> Root | None:
    """The root, None when the ledger has not been made yet."""
    document = (await store.get([paths.root(ledger)]))[0]
    if isinstance(document, Missing):
        return None
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    if plain.get("format", FORMAT) > FORMAT:
        raise LedgerBroken(f"ledger {ledger} has format {plain['format']}; this version reads up to {FORMAT}: upgrade")
    owner = plain.get("owner")
    return Root(
        owner=RootOwner(**owner) if owner else None,
        database_uid=plain.get("databaseUID", ""),
        state=plain.get("state", ""),
        update_time=document.update_time,
        expire_at=plain.get(EXPIRE_AT),
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
    """
    root = await read_root(store, ledger)
    if root is not None and root.expire_at is not None:
        await expire_all(store, ledger, None)
    plain: dict[str, object] = {"owner": asdict(owner), EXPIRE_AT: _ABSENT}
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
    plain: dict[str, object] = {"owner": None}
    if expire_at is not None:
        plain[EXPIRE_AT] = expire_at
    return await _change(store, ledger, plain, expected_update_time)


async def expire_all(store: Store, ledger: str, time: datetime | None) -> int:
    """Give every document below the root this time to expire at, or with None take it away; how many had to change.

    It can be repeated after a failure: documents that are as they should be are passed over.
    """
    changed = 0
    for name in paths.COLLECTIONS:
        changed += await _expire(store, paths.collection(ledger, name), time)
    return changed


async def _expire(store: Store, collection: str, time: datetime | None) -> int:
    wanted = {} if time is None else {EXPIRE_AT: store.values.encode(time)}
    changed, after = 0, None
    while True:
        page = await store.page(Source(collection, start=after), limit=EXPIRE_BATCH, mask=[(EXPIRE_AT,)])
        stale = [each for each in page.documents if not _same(store, each.fields, wanted)]
        if stale:
            await store.commit([Update(each.path, wanted, [(EXPIRE_AT,)], None) for each in stale])
        changed += len(stale)
        if page.exhausted:
            return changed
        after = page.documents[-1].path


def _same(store: Store, fields: Fields, wanted: Fields) -> bool:
    return store.values.dumps(store.values.new_map(fields)) == store.values.dumps(store.values.new_map(wanted))


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
