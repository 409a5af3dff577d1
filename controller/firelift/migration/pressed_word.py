"""What a worker says while it is only asked to slow down: what it met travels with its entries, and none lands."""

from __future__ import annotations

from contextlib import suppress

from firelift.migration.clock import Clock
from firelift.migration.errors import StoreError
from firelift.migration.ledger.failures import write_pressed
from firelift.migration.pace import Pacer
from firelift.migration.store import Store
from firelift.migration.watch import Watch

TELL_SECONDS = 10.0
"""Without an entry, from the first answer on: before that its next entry is likely to tell it."""

AGAIN_SECONDS = 30.0
"""Between two words: the operator does not count more of them, either."""


async def tell_when_pressed(
    store: Store, place: tuple[str, str, int], pacer: Pacer, watch: Watch, clock: Clock
) -> None:
    """Say it for as long as nothing lands, with answers that ask to slow down; a quiet run writes nothing.

    `place`: ledger, run and index of the Job.

    Raises:
        RunStopped: when the worker must leave.
    """
    told = float("-inf")
    while True:
        await pacer.slowed.wait()
        pacer.slowed.clear()
        seconds, now = pacer.pressed_seconds, clock.seconds()
        if seconds < TELL_SECONDS or now - told < AGAIN_SECONDS:
            continue
        await watch.permit()
        told = now
        # The database may refuse this one as well; the next answer is another occasion.
        with suppress(StoreError):
            await write_pressed(
                store, *place, f"nothing has landed for {seconds:,.0f} s, it is only asked to slow down"
            )
