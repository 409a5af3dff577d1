from __future__ import annotations

from contextvars import ContextVar, copy_context

from tests.waiting import until

from firelift.operator.crowd import Crowd
from firelift.operator.pulse import Pulse
from firelift.operator.wakeups import Key
from firelift.operator.watching import Pokes, Watcher

SOMETHING: ContextVar[str] = ContextVar("something", default="nothing")


RATE = 25


def _crowd(size: int) -> Crowd:
    crowd = Crowd(1, 5, RATE)
    for number in range(size):
        crowd.note(Key("shop", str(number)), belongs=True)
    return crowd


def test_a_few_are_served_as_often_as_one_of_them_alone() -> None:
    assert _crowd(RATE).seconds == 1


def test_more_of_them_wait_longer_so_that_all_together_are_served_no_more_often() -> None:
    assert _crowd(3 * RATE).seconds == 3


def test_none_of_them_waits_longer_than_the_longest_time_however_many_they_are() -> None:
    assert _crowd(100 * RATE).seconds == 5


def test_who_no_longer_belongs_to_them_counts_no_longer() -> None:
    crowd = _crowd(100 * RATE)
    for number in range(100 * RATE):
        crowd.note(Key("shop", str(number)), belongs=False)

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
