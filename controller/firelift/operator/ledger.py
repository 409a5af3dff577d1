"""The ledger's root as a turn uses it: read once, recorded under the precondition that nobody else was faster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from firelift.infra.firestore_admin import DatabaseLookupError
from firelift.migration.errors import LedgerBroken, MigrationError
from firelift.migration.ledger import root as roots
from firelift.migration.sentences import sentence as shortened
from firelift.migration.store import Micros, Store
from firelift.operator.services import Services
from firelift.rollout.intents import ClaimLedger, Decision
from firelift.rollout.observation import LedgerSeen, Owner, Rollout
from firelift.rollout.state import RolloutState


@dataclass(frozen=True, slots=True)
class LedgerRead:
    """`state` is what the ledger remembers, None when it has been asked nothing yet; `problem` hinders no decision.

    `unreadable`: the database has answered, and what it holds is not for this version to read.
    """

    seen: LedgerSeen
    store: Store
    state: RolloutState | None = None
    update_time: Micros | None = None
    problem: str = ""
    unreadable: bool = False


async def read(services: Services, rollout: Rollout) -> LedgerRead:
    """The root as it is now. A database that does not answer is told in `seen.error`, never raised."""
    store = services.databases.store(rollout.spec.database)
    try:
        async with asyncio.timeout(services.settings.database_timeout_seconds):
            root, (uid, problem) = await asyncio.gather(
                roots.read_root(store, rollout.ledger_id), _database_uid(services, rollout)
            )
        state = _state(root)
    except (MigrationError, TimeoutError) as error:
        told = LedgerSeen(error=sentence(rollout, error))
        return LedgerRead(told, store, unreadable=isinstance(error, LedgerBroken))
    if root is None:
        return LedgerRead(LedgerSeen(actual_database_uid=uid), store, problem=problem)
    return LedgerRead(_seen(services, rollout, root, uid), store, state, root.update_time, problem)


async def record(services: Services, rollout: Rollout, read: LedgerRead, decision: Decision) -> LedgerRead:
    """Make the ledger this object's where the decision claims it, and keep the decision's state.

    Raises:
        LostRace: somebody else was faster; nothing is to be done with this decision.
        MoreToDo: the claim of a large ledger is under way; nothing is to be done with this decision.
        StoreError: the database did not take it.
    """
    claim = next((intent for intent in decision.intents if isinstance(intent, ClaimLedger)), None)
    text = decision.state.model_dump_json(by_alias=True)
    if read.update_time is None:
        return await _create(services, rollout, read, text) if claim else read
    time = read.update_time
    if claim and (claim.adopt or not read.seen.mine or read.seen.expiring):
        owner = _owner(services, rollout)
        uid = read.seen.actual_database_uid if claim.adopt else None
        time = await roots.claim(read.store, rollout.ledger_id, owner, time, database_uid=uid)
    elif read.seen.owner is not None and not read.seen.mine:
        return read
    if decision.state != read.state:
        time = await roots.write_state(read.store, rollout.ledger_id, text, time)
    return replace(read, update_time=time, state=decision.state)


def sentence(rollout: Rollout, error: BaseException) -> str:
    """Why the database could not be asked, for the status."""
    reason = str(error) or "no answer in time"
    database = rollout.spec.database
    return f"database {database.project}/{database.name}, ledger {rollout.ledger_id}: {reason}"


def _state(root: roots.Root | None) -> RolloutState | None:
    try:
        return RolloutState.model_validate_json(root.state) if root and root.state else None
    except ValueError as error:  # nothing may be decided on half of it
        raise LedgerBroken(
            f"the rollout's memory is not one that this version of Firelift can read ({shortened(str(error))}), and "
            "nothing was changed: upgrade the operator"
        ) from error


def _seen(services: Services, rollout: Rollout, root: roots.Root, uid: str) -> LedgerSeen:
    owner = Owner(root.owner.cluster, root.owner.uid, root.owner.name) if root.owner else None
    return LedgerSeen(
        owner=owner,
        mine=owner is not None and (owner.cluster, owner.uid) == (services.cluster_id, rollout.uid),
        expiring=root.expires,
        database_uid=root.database_uid,
        actual_database_uid=uid,
    )


async def _create(services: Services, rollout: Rollout, read: LedgerRead, text: str) -> LedgerRead:
    owner = _owner(services, rollout)
    time = await roots.create_root(read.store, rollout.ledger_id, owner, read.seen.actual_database_uid, text)
    return replace(read, update_time=time)


def _owner(services: Services, rollout: Rollout) -> roots.RootOwner:
    name = f"{rollout.namespace}/{rollout.name}"
    return roots.RootOwner(services.cluster_id, rollout.uid, name, services.lease.epoch)


async def _database_uid(services: Services, rollout: Rollout) -> tuple[str, str]:
    try:
        return await services.databases.uid(rollout.spec.database), ""
    except DatabaseLookupError as error:
        return "", str(error)
