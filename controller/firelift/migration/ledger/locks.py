"""One writer per target: a lock document for each collection group, with a queue.

It lies beside the data, so that rollouts of different clusters meet at it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from firelift.migration.errors import Conflict, LostRace, StaleEpoch
from firelift.migration.ledger import paths
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, Delete, Micros, Missing, Store, Update, Write

TRIES = 5

FORMAT = 1
"""Of a lock's document, which rollouts of several versions may share."""

_REMEDY = "run one version everywhere, or delete it when no rollout works on this database"


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who holds or awaits a lock. `name` is for people; `since` is the operator's clock."""

    ledger: str
    name: str
    epoch: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it is. `waiters` in the order of their arrival."""

    group: str
    holder: Claimant | None = None
    waiters: tuple[Claimant, ...] = ()
    update_time: Micros | None = field(default=None, compare=False)

    def held_by(self, ledger: str) -> bool:
        """Whether this ledger's rollout holds it."""
        return self.holder is not None and self.holder.ledger == ledger

    def position(self, ledger: str) -> int:
        """The place in the queue, from 1; 0 when it does not wait."""
        return next((place for place, each in enumerate(self.waiters, 1) if each.ledger == ledger), 0)


def with_claim(lock: Lock, me: Claimant) -> Lock:
    """The lock after `me` has asked for it: held when it is free and nobody waits longer, else queued.

    Raises:
        StaleEpoch: when a newer leader of the same ledger has held or queued.
    """
    mine = [each for each in (lock.holder, *lock.waiters) if each and each.ledger == me.ledger]
    if any(each.epoch > me.epoch for each in mine):
        raise StaleEpoch(
            f"the lock of {lock.group} was asked for by a newer leader of {me.ledger}; nothing was written"
        )
    since = mine[0].since if mine else me.since
    me = replace(me, since=since)
    if lock.held_by(me.ledger):
        return replace(lock, holder=me)
    if lock.holder is None and (not lock.waiters or lock.waiters[0].ledger == me.ledger):
        return replace(lock, holder=me, waiters=lock.waiters[1:])
    if lock.position(me.ledger):
        return replace(lock, waiters=tuple(me if each.ledger == me.ledger else each for each in lock.waiters))
    return replace(lock, waiters=(*lock.waiters, me))


def without(lock: Lock, ledger: str) -> Lock:
    """The lock after this ledger's rollout neither holds nor awaits it."""
    holder = None if lock.held_by(ledger) else lock.holder
    return replace(lock, holder=holder, waiters=tuple(each for each in lock.waiters if each.ledger != ledger))


async def read(store: Store, group: str) -> Lock:
    """The lock of a collection group; free when there is no document.

    Raises:
        LedgerBroken: when it has another format: who holds it cannot be known.
    """
    document = (await store.get([paths.lock(group)]))[0]
    if isinstance(document, Missing):
        return Lock(group)
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    check(document.path, plain.get("format"), FORMAT, remedy=_REMEDY)
    return Lock(
        group,
        holder=Claimant(**plain["holder"]) if plain["holder"] else None,
        waiters=tuple(Claimant(**each) for each in plain["waiters"]),
        update_time=document.update_time,
    )


async def acquire(store: Store, group: str, me: Claimant) -> Lock:
    """Hold the lock or stand in its queue, and see which; asking again changes nothing.

    Raises:
        StaleEpoch: when a newer leader of the same ledger has asked.
        LostRace: when others kept changing it in between.
    """
    return await _become(store, group, lambda lock: with_claim(lock, me))


async def release(store: Store, group: str, ledger: str) -> Lock:
    """Neither hold nor await the lock; doing it again changes nothing.

    Raises:
        LostRace: when others kept changing it in between.
    """
    return await _become(store, group, lambda lock: without(lock, ledger))


async def _become(store: Store, group: str, change: Callable[[Lock], Lock]) -> Lock:
    for _ in range(TRIES):
        lock = await read(store, group)
        wanted = change(lock)
        if wanted == lock or await _swap(store, lock, wanted):
            return wanted
    raise LostRace(f"the lock of {group} was changed by others {TRIES} times in a row; the next turn tries again")


async def _swap(store: Store, lock: Lock, wanted: Lock) -> bool:
    try:
        await store.commit([_write(store, lock, wanted)])
    except Conflict:
        return False
    return True


def _write(store: Store, lock: Lock, wanted: Lock) -> Write:
    path = paths.lock(lock.group)
    plain: dict[str, object] = {
        "format": FORMAT,
        "holder": asdict(wanted.holder) if wanted.holder else None,
        "waiters": [asdict(each) for each in wanted.waiters],
    }
    fields = {name: store.values.encode(value) for name, value in plain.items()}
    if lock.update_time is None:
        return Create(path, fields)
    if wanted.holder is None and not wanted.waiters:
        return Delete(path, lock.update_time)
    return Update(path, fields, [(name,) for name in fields], lock.update_time)
