from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from tests.waiting import until

from firelift.api.base import ROLLOUT_LABEL
from firelift.operator.health import healthy
from firelift.operator.pulse import Pulse
from firelift.operator.wakeups import AT_ONCE, SLOW_AT_ONCE, Key, Loops
from firelift.operator.watching import Freshness, build_settings, login

USERS, TASKS = Key("shop", "users"), Key("shop", "tasks")


async def test_an_object_is_looked_at_at_once_and_again_when_it_is_poked() -> None:
    turns: list[Key] = []

    async def turn(key: Key) -> float:
        turns.append(key)
        return 60

    loops = Loops(turn, Pulse(), longest_turn_seconds=1)
    loops.poke(USERS)
    await until(lambda: len(turns) == 1)
    loops.poke(USERS)
    await until(lambda: len(turns) == 2)
    await loops.stop()

    assert turns == [USERS, USERS]


async def test_a_poke_during_a_turn_leads_to_another_turn() -> None:
    turns: list[Key] = []

    async def turn(key: Key) -> float:
        turns.append(key)
        if len(turns) == 1:
            loops.poke(key)
        return 60

    loops = Loops(turn, Pulse(), longest_turn_seconds=1)
    loops.poke(USERS)
    await until(lambda: len(turns) == 2)
    await loops.stop()

    assert turns == [USERS, USERS]


async def test_of_a_thousand_objects_at_once_few_have_their_turn_at_the_same_time() -> None:
    under_way = most = done = 0

    async def turn(_: Key) -> float:
        nonlocal under_way, most, done
        under_way += 1
        most = max(most, under_way)
        for _round in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        done += 1
        return 60

    loops = Loops(turn, Pulse(), longest_turn_seconds=1)
    for number in range(1000):
        loops.poke(Key("shop", f"rollout-{number}"))
    await until(lambda: done == 1000)
    await loops.stop()

    assert most == AT_ONCE


async def test_objects_whose_turns_take_long_hold_up_only_each_other() -> None:
    stuck = [Key("broken", f"rollout-{number}") for number in range(100)]
    turns: Counter[Key] = Counter()
    never = asyncio.Event()

    async def turn(key: Key) -> float:
        turns[key] += 1
        if key.namespace == "broken" and turns[key] > 1:
            await never.wait()
        return 60

    # Every turn counts as slow, so that each object's second one is.
    loops = Loops(turn, Pulse(), longest_turn_seconds=1, slow_seconds=-1)
    for key in stuck:
        loops.poke(key)
    await until(lambda: all(turns[key] == 1 for key in stuck))
    for key in stuck:
        loops.poke(key)
    await until(lambda: sum(turns[key] == 2 for key in stuck) == SLOW_AT_ONCE)
    loops.poke(USERS)
    await until(lambda: turns[USERS] == 1)
    assert sum(turns[key] == 2 for key in stuck) == SLOW_AT_ONCE
    await loops.stop()


async def test_two_turns_of_one_object_never_overlap_and_two_objects_do() -> None:
    running: list[Key] = []
    most: list[tuple[Key, ...]] = []
    go_on = asyncio.Event()

    async def turn(key: Key) -> float:
        running.append(key)
        most.append(tuple(running))
        await go_on.wait()
        running.remove(key)
        return 60

    loops = Loops(turn, Pulse(), longest_turn_seconds=1)
    for key in (USERS, USERS, TASKS, USERS):
        loops.poke(key)
    await until(lambda: len(running) == 2)
    loops.poke(USERS)
    assert sorted(running) == [TASKS, USERS]
    go_on.set()
    await until(lambda: len(most) == 3)
    assert all(len(set(keys)) == len(keys) for keys in most)
    await loops.stop()


async def test_the_loop_of_an_object_that_is_gone_ends_and_promises_nothing() -> None:
    pulse = Pulse(clock=lambda: now[0])
    now = [0.0]
    turns: list[Key] = []

    async def turn(key: Key) -> None:
        turns.append(key)

    loops = Loops(turn, pulse, longest_turn_seconds=1)
    loops.poke(USERS)
    await until(lambda: len(turns) == 1)
    await asyncio.sleep(0)
    now[0] = 1e6
    assert pulse.overdue() == {}
    loops.poke(USERS)
    await until(lambda: len(turns) == 2)


async def test_an_error_that_leaves_a_turn_is_the_end_of_all_loops() -> None:
    async def turn(_: Key) -> float:
        raise LookupError("leadership")

    loops = Loops(turn, Pulse(), longest_turn_seconds=1)
    loops.poke(USERS)
    with pytest.raises(LookupError):
        await loops.failed


async def test_a_turn_that_hangs_is_noticed_for_its_object_alone() -> None:
    now = [0.0]
    pulse = Pulse(clock=lambda: now[0])
    hanging = asyncio.Event()

    async def turn(key: Key) -> float:
        if key == USERS:
            await hanging.wait()
        return 1000

    loops = Loops(turn, pulse, longest_turn_seconds=5)
    loops.poke(USERS)
    loops.poke(TASKS)
    await asyncio.sleep(0.01)
    assert pulse.overdue() == {}
    now[0] = 100.0
    status, text = healthy(pulse.overdue())
    assert (status, text) == (503, "stuck: rollout shop/users is 65 s overdue")
    await loops.stop()


def test_health_is_good_while_every_promise_is_kept() -> None:
    assert healthy({}) == (200, "ok")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, False),
        ({"resourceVersion": "2"}, False),
        ({"generation": 2}, True),
        ({"deletionTimestamp": "now"}, True),
        ({"uid": "v"}, True),
        ({"finalizers": ["x"]}, True),
    ],
)
def test_only_what_was_asked_for_makes_an_object_dirty(change: dict[str, object], *, expected: bool) -> None:
    fresh = Freshness()
    metadata = {"uid": "u", "generation": 1, "resourceVersion": "1"}

    assert fresh.changed(USERS, metadata)
    assert fresh.changed(USERS, metadata | change) is expected


def test_the_selector_of_jobs_is_one_that_kopf_understands() -> None:
    selector = next(iter(build_settings().watching.label_selectors))

    assert (selector.group, selector.version, selector.any_name) == ("batch", "v1", "jobs")
    assert build_settings().watching.label_selectors[selector] == ROLLOUT_LABEL


@pytest.mark.parametrize(
    ("user", "token"),
    [({"token": "given"}, "given"), ({"tokenFile": "token"}, "of the file"), ({"client-key": "key"}, None)],
)
async def test_watching_uses_the_identity_that_the_kubeconfig_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: dict[str, str], token: str | None
) -> None:
    (tmp_path / "token").write_text("of the file\n")
    (tmp_path / "key").write_text("")
    paths = {name: value if name == "token" else str(tmp_path / value) for name, value in user.items()}
    document = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "me", "user": paths}],
    }
    (tmp_path / "config").write_text(json.dumps(document))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    found = await login(settings=build_settings())

    assert found is not None
    assert (found.server, found.token) == ("https://127.0.0.1:6443", token)
