"""What the official client's writer makes of 500/50/5 in its first hour, and what Firelift's budget makes of it.

As `test_official_writes.py`: a test that fails in the client's half has met a version in which the defect is gone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

from google.cloud.firestore_v1 import bulk_writer, rate_limiter
from google.cloud.firestore_v1.bulk_writer import BulkWriterOptions, SendMode
from tests.contract.official import Both
from tests.strict.rules import RAMP_GROWTH, RAMP_WRITES
from tests.strict.server import strict_firestore

from firelift.migration.budget import Claim
from firelift.migration.budget_leases import SECOND
from firelift.migration.ledger import budgets
from firelift.migration.pressure import Work
from firelift.stores.firestore.store import FirestoreStore, open_firestore

STEPS, STEP_SECONDS = 12, 300
MANY = 1_500
CAP = 10_000
"""Writes per second that the clients of other languages ramp up to."""


class Hour:
    """A clock for the client's writer. It moves when it is told to, and by as much as the writer sleeps."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def now(self, _: dt.timezone) -> dt.datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)

    def of_the_writer(self) -> Any:
        """The writer and its limiter, and nothing else, live by this clock."""
        dates = SimpleNamespace(datetime=self, timedelta=dt.timedelta, timezone=dt.timezone)
        return (
            mock.patch.object(rate_limiter, "datetime", dates),
            mock.patch.object(bulk_writer, "time", SimpleNamespace(sleep=self.pass_by)),
        )


def seconds_of_many_writes(both: Both, collection: str, **options: Any) -> float:
    """How long, by its own clock, the writer takes for many writes when it has written for an hour."""
    hour = Hour()
    limiter, sleeps = hour.of_the_writer()
    with limiter, sleeps:
        # In series nothing is in flight, so that the limiter alone makes the writer wait.
        writer: Any = both.official.bulk_writer(BulkWriterOptions(mode=SendMode.serial, **options))
        write: Callable[[int], None] = lambda number: writer.create(  # noqa: E731 - one line beside what it closes over
            both.official.document(f"{collection}/{number:05}"), {"n": number}
        )
        for step in range(STEPS):
            for number in range(20):
                write(20 * step + number)
            hour.pass_by(STEP_SECONDS)
        began = hour.time
        for number in range(MANY):
            write(20 * STEPS + number)
        writer.flush()
        return (hour.time - began).total_seconds()


async def test_a_ramp_whose_end_is_its_beginning_never_ramps(both: Both) -> None:
    """googleapis/nodejs-firestore#1439: Node's writer ramps up to 10,000 a second; Python's default ends at 500."""
    waited = await asyncio.to_thread(seconds_of_many_writes, both, "bulk")
    assert (MANY - RAMP_WRITES) / waited <= RAMP_WRITES, "behind what one second holds, 500 in each, after an hour, too"
    assert len(await both.there("bulk")) == 20 * STEPS + MANY
    assert await asyncio.to_thread(seconds_of_many_writes, both, "told", max_ops_per_second=CAP) == 0, "it could"

    async with strict_firestore() as service:
        ours = open_firestore("strict", emulator_host=service.host)

        def pass_by(seconds: int) -> None:
            service.store.now += seconds * SECOND

        rates = await _shares_of_an_hour(ours, pass_by)
        await ours.close()
    assert rates == [min(CAP, int(RAMP_WRITES * RAMP_GROWTH**step * 1000) / 1000) for step in range(STEPS + 1)]


async def _shares_of_an_hour(ours: FirestoreStore, pass_by: Callable[[int], None]) -> list[float]:
    """What the budget grants a run at the begin of each step, when the run writes what it may."""
    rates, work = list[float](), Work()
    for _ in range(STEPS + 1):
        claim = Claim(
            ledger="team.move", name="team/move", run="r", epoch=1, cap=CAP, want=CAP, lease_seconds=30, work=work
        )
        lease = (await budgets.claim(ours, claim)).budget.lease(claim.ledger)
        assert lease
        rates.append(lease.share)
        pass_by(STEP_SECONDS)
        work = Work(commits=work.commits + 1, written=work.written + int(lease.share * STEP_SECONDS))
    return rates
