"""The write budget's document: one in each database, changed by whoever leads a rollout there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import ValidationError

from firelift.migration import budget
from firelift.migration.budget import FORMAT, Budget, Claim, allot, due
from firelift.migration.errors import Conflict, LedgerBroken, LostRace
from firelift.migration.ledger import paths
from firelift.migration.ledger.runs import RunDocument
from firelift.migration.sentences import sentence
from firelift.migration.store import Create, Micros, Missing, Store, Update

TRIES = 5

_FIELDS = frozenset(field.alias or name for name, field in Budget.model_fields.items())


@dataclass(frozen=True, slots=True)
class BudgetSeen:
    """The budget as read at `read_time`; `update_time` None when there is no document yet."""

    budget: Budget
    read_time: Micros
    update_time: Micros | None = None


async def read(store: Store) -> BudgetSeen:
    """The budget of a database; that of one that nobody has written to when there is no document.

    Raises:
        LedgerBroken: when the document is not one that this version can read.
    """
    document = (await store.get([paths.budget()]))[0]
    if isinstance(document, Missing):
        return BudgetSeen(Budget(), document.read_time)
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    if (written := plain.get("format", FORMAT)) != FORMAT:
        raise LedgerBroken(f"{document.path} has format {written}; this version reads format {FORMAT}: upgrade")
    try:
        found = Budget.model_validate(plain)
    except ValidationError as error:
        raise LedgerBroken(
            f"{document.path} is not a write budget that this version can read ({sentence(str(error))}); when no "
            "rollout works on this database, delete it, and the rate begins anew"
        ) from error
    return BudgetSeen(found, document.read_time, document.update_time)


async def claim(store: Store, wanted: Claim) -> BudgetSeen:
    """Report a run's work, take or renew its lease, and see the budget then; little is written when little is new.

    Raises:
        StaleEpoch: when a newer leader of the same rollout has the lease.
        LostRace: when others kept changing the document in between.
        LedgerBroken: as `read`.
    """

    def granted(seen: BudgetSeen) -> Budget:
        after = allot(seen.budget, wanted, seen.read_time)
        return after if due(seen.budget, after, wanted.ledger, seen.read_time) else seen.budget

    return await _changed(store, granted)


async def heard(store: Store, held: RunDocument) -> None:
    """The run's control says its share: what it had above that may be others' as soon as no worker can spend it.

    Raises:
        LostRace, LedgerBroken: as `claim`.
    """
    control, ledger = held.control, held.plan.ledger
    word, at = (held.plan.id, control.writes_per_second or 0.0, control.share_until), held.seen.update_time
    await _changed(store, lambda seen: budget.heard(seen.budget, ledger, control.epoch, word, at))


async def give_back(store: Store, ledger: str, epoch: int, run: str, end: Micros | None) -> None:
    """No worker of this run writes behind `end`, None for now: its share is others' from then on.

    Raises:
        LostRace, LedgerBroken: as `claim`.
    """

    def returned(seen: BudgetSeen) -> Budget:
        return budget.given_back(seen.budget, ledger, epoch, run, seen.read_time if end is None else end)

    await _changed(store, returned)


async def _changed(store: Store, change: Callable[[BudgetSeen], Budget]) -> BudgetSeen:
    for _ in range(TRIES):
        seen = await read(store)
        after = change(seen)
        if after == seen.budget:
            return seen
        try:
            await _write(store, after, seen.update_time)
        except Conflict:
            continue
        return replace(seen, budget=after)
    raise LostRace(f"the write budget was changed by others {TRIES} times in a row; the next turn tries again")


async def _write(store: Store, after: Budget, update_time: Micros | None) -> None:
    # An operator of another version may not know a field that says nothing, and may begin at another rate.
    always = {"format": after.format, "rate": after.rate}
    plain = {**after.model_dump(mode="json", by_alias=True, exclude_defaults=True), **always}
    fields = {name: store.values.encode(value) for name, value in plain.items()}
    mask = [(name,) for name in {*_FIELDS, *fields}]
    if update_time is None:
        await store.commit([Create(paths.budget(), fields)])
    else:
        await store.commit([Update(paths.budget(), fields, mask, update_time)])
