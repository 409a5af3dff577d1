"""A function of the user's own that hangs or prints: the record is refused in time, and the log stays empty."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.moving import IN_PLACE, counts, migration, plan, ran, seeded, seen
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind
from firelift.functions import Context
from firelift.migration.errors import TransformUnusable
from firelift.migration.ledger import paths
from firelift.migration.transform.bounded_call import INTERRUPTIONS, bound_calls, unbound_calls
from firelift.migration.transform.isolation import Muffled, no_way_out

SECONDS = 0.05


class Ended(BaseException):
    """In these tests the end of the process."""


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    def end(why: str) -> None:
        raise Ended(why)

    bound_calls(end, SECONDS)
    yield
    unbound_calls()


def hanging(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Marks a document, after having slept or looped for as long as it is let."""
    while doc.get("sleeps"):
        time.sleep(1)
    while doc.get("loops"):
        pass
    return {**doc, "title": doc["name"]}


def clinging(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Never ends of its own; just the end of the process ends it."""
    while doc:
        try:
            time.sleep(1)
        except Ended:
            raise
        except BaseException:  # noqa: BLE001, S112 - what such a function does
            continue
    return doc


def moving(function: str) -> Any:
    return migration(IN_PLACE, transform={"python": {"entrypoint": f"{__name__}:{function}"}})


@in_virtual_time
async def test_a_record_on_which_a_function_hangs_is_a_dead_letter_that_says_so_and_the_others_move() -> None:
    store = await seeded(
        {
            "tasks/0": {"name": "a"},
            "tasks/1": {"name": "b", "sleeps": True},
            "tasks/2": {"name": "c", "loops": True},
            "tasks/3": {"name": "d"},
        }
    )
    progress = await ran(store, plan(RunKind.MIGRATE, moving("hanging")))
    assert counts(progress) == {"read": 4, "updated": 2, "dead_letters": 2}
    letter = await seen(store, paths.dead_letter("team.move", "migrate.0", "tasks/1"))
    assert letter
    assert letter["rule"] == f"transform.python {__name__}:hanging"
    assert "has not answered within 0.05 s" in letter["reason"]


@in_virtual_time
async def test_a_function_that_hangs_on_several_records_fails_the_run_and_is_named_with_the_record() -> None:
    store = await seeded({f"tasks/{number}": {"name": "a", "sleeps": True} for number in range(5)})
    with pytest.raises(TransformUnusable, match=f"{__name__}:hanging has not answered for tasks/2 within 0.05 s"):
        await ran(store, plan(RunKind.MIGRATE, moving("hanging")))


@in_virtual_time
async def test_a_function_that_clings_to_the_worker_ends_it_with_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firelift.migration.transform.bounded_call.AGAIN_SECONDS", SECONDS)
    store = await seeded({"tasks/0": {"name": "a"}})
    await ran(store, plan(RunKind.MIGRATE, moving("clinging")))
    letter = await seen(store, paths.dead_letter("team.move", "migrate.0", "tasks/0"))
    assert letter
    assert letter["reason"].startswith(
        f"Ended: transform.python.entrypoint {__name__}:clinging has not answered for tasks/0"
    )
    assert f"went on after {INTERRUPTIONS} interruptions" in letter["reason"]


def test_what_a_function_writes_is_counted_and_dropped_and_what_the_worker_writes_is_not() -> None:
    inner = io.StringIO()
    stream: Any = Muffled(inner)
    handler = logging.StreamHandler(stream)
    with no_way_out():
        print("secret", file=stream)
        handler.emit(logging.makeLogRecord({"msg": "secret"}))
    assert stream.dropped
    print("the worker's", file=stream)
    assert inner.getvalue() == "the worker's\n"
