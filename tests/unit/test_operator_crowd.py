from __future__ import annotations

from contextvars import ContextVar, copy_context

from tests.waiting import until

from firelift.operator.crowd import TURNS_A_SECOND, Crowd
from firelift.operator.pulse import Pulse
from firelift.operator.wakeups import Key
from firelift.operator.watching import Pokes, Watcher

SOMETHING: ContextVar[str] = ContextVar("something", default="nothing")


def test_a_few_at_work_have_a_turn_each_second() -> None:
    crowd = Crowd(1, 5)
    for number in range(TURNS_A_SECOND):
        crowd.note(Key("shop", str(number)), working=True)

    assert crowd.seconds == 1


def test_more_of_them_wait_longer_so_that_all_together_have_no_more_turns() -> None:
    crowd = Crowd(1, 5)
    for number in range(3 * TURNS_A_SECOND):
        crowd.note(Key("shop", str(number)), working=True)

    assert crowd.seconds == 3


def test_none_of_them_waits_so_long_that_its_workers_would_stop_without_word() -> None:
    crowd = Crowd(1, 5)
    for number in range(100 * TURNS_A_SECOND):
        crowd.note(Key("shop", str(number)), working=True)

    assert crowd.seconds == 5


def test_who_is_no_longer_at_work_counts_no_longer() -> None:
    crowd = Crowd(1, 5)
    for working in (True, False):
        for number in range(100 * TURNS_A_SECOND):
            crowd.note(Key("shop", str(number)), working=working)

    assert crowd.seconds == 1


async def test_what_is_begun_for_an_event_keeps_nothing_of_it() -> None:
    found: list[str] = []

    def poke(_: Key) -> None:
        found.append(SOMETHING.get())

    told = {"MigrationRollout": poke}
    watcher = Watcher(Pokes(told, told, told), Pulse(), ())
    forward = Pokes(told, told, told).through(watcher.forwarding).changed["MigrationRollout"]

    def heard() -> None:
        SOMETHING.set("a thousand bytes of an object")
        forward(Key("shop", "users"))

    copy_context().run(heard)
    await until(lambda: bool(found))

    assert found == ["nothing"]
