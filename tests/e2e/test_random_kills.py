"""Operator and workers die by `kill -9` at random moments, forward and backward; the outcome is as without.

`FIRELIFT_KILLS` is the number of kills (16), `FIRELIFT_KILL_SEED` repeats the moments of an earlier run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore import AsyncClient
from tests.e2e.conftest import Operators
from tests.e2e.kills import Killer
from tests.e2e.world import World

from firelift.api.cohort import BUCKETS_PER_PERCENT, bucket
from firelift.sandbox.demo import data, manifests
from firelift.sandbox.demo.checks import Check, check_database
from firelift.sandbox.demo.manifests import LOGS, TASKS, Team
from firelift.sandbox.processes import Process

SCALE = 0.15
KILLS = int(os.environ.get("FIRELIFT_KILLS", "16"))
SEED = int(os.environ.get("FIRELIFT_KILL_SEED") or random.SystemRandom().randrange(1_000_000))
KILLS_OF_A_ROUND = 17
SOAK_SECONDS, PROPAGATION_SECONDS = 3, 1
FORWARD_SHARE, FORWARD_MEAN_SECONDS = 0.6, 4.0
REVERT_MEAN_SECONDS = 2.5
ROUND_SECONDS = 400.0
ENDED = frozenset(
    {"Completed", "Reverted", "RevertedWithConflicts", "RevertFailed", "GateFailed", "StepFailed", "NoProgress"}
)


@pytest.mark.timeout(60 + ROUND_SECONDS * max(1, KILLS / 4))
def test_kills_at_random_moments_change_nothing_in_the_outcome(
    make_world: Callable[[], World], operator: Operators, capsys: pytest.CaptureFixture[str]
) -> None:
    done = rounds = 0
    started = time.monotonic()
    while done < KILLS:
        killer = _round(_inhabited(make_world), operator, min(KILLS_OF_A_ROUND, KILLS - done), SEED + rounds)
        done, rounds = done + killer.count, rounds + 1
        assert killer.count, "a round in which nothing was killed says nothing"
        sys.stdout.write("\n".join([*killer.told, ""]))
        with capsys.disabled():
            seconds = time.monotonic() - started
            told = f"{dict(killer.done)}, {done} of {KILLS} after {seconds:.0f} s, FIRELIFT_KILL_SEED={SEED}"
            sys.stdout.write(f"\nkill -9: {told}\n")


def _inhabited(make_world: Callable[[], World]) -> World:
    """A world in whose smallest cohorts somebody is: a verify that looks at nobody rightly fails."""
    smallest = min(manifests.PERCENTS.values()) * BUCKETS_PER_PERCENT
    while True:
        world = make_world()
        seeds = Team(world.namespace, world.project).ledgers
        if all(any(bucket(seed, user) < smallest for user in data.user_ids(SCALE)) for seed in seeds):
            return world


def _round(world: World, operators: Operators, kills: int, seed: int) -> Killer:
    """Both rollouts at once, to their ends, and everything that is claimed of them."""
    team = Team(world.namespace, world.project)
    log = world.sandbox.directory / f"app-{world.namespace}.log"
    asyncio.run(_seed(team))
    with _app(world, team, log) as app:
        killer = Killer(seed, kills, team.ledgers, operators.restart)
        for manifest in (manifests.logs_to_users(team), manifests.tasks_reshaped(team)):
            world.apply(_quicker(manifest))
        ended = _play(world, killer, operators)
        assert app.running, app.tail()
    story = "\n".join(killer.told) + f"\nFIRELIFT_KILL_SEED={SEED}, round seed {seed}"
    reasons = {name: status.get("reason") for name, status in ended.items()}
    assert reasons == {LOGS: "Completed", TASKS: "Reverted"}, f"{_messages(ended)}\n{story}"
    wrong = [check for check in asyncio.run(_checks(team, log)) if not check.holds]
    assert not wrong, f"{wrong}\n{story}"
    _leaves_nothing(world, team)
    return killer


def _play(world: World, killer: Killer, operators: Operators) -> dict[str, Any]:
    """Watch and kill until both rollouts have ended; their last status by name."""
    deadline = time.monotonic() + ROUND_SECONDS
    while True:
        operators.ensure()  # one that could not renew its Lease in time ends itself, and a Deployment starts another
        seen = {name: _status(world, name) for name in (LOGS, TASKS)}
        reasons = {status.get("reason") for status in seen.values()}
        if reasons <= ENDED:
            return seen
        assert time.monotonic() < deadline, (
            f"no end within {ROUND_SECONDS:g} s: {_messages(seen)}, {killer.told}, {operators.current.tail()}"
        )
        if seen[LOGS].get("reason") == "AwaitingApproval" and not _approved(world):
            world.name = LOGS
            world.approve()
        back = seen[TASKS].get("reason") == "Reverting" or seen[TASKS].get("reason") in ENDED
        moment = "  ".join(f"{name}: {each.get('phase')} {each.get('step')}" for name, each in seen.items())
        killer.tick(
            f"{moment}{'  reverting' if back else ''}",
            share=1.0 if back else FORWARD_SHARE,
            mean_seconds=REVERT_MEAN_SECONDS if back else FORWARD_MEAN_SECONDS,
        )
        time.sleep(0.1)


def _leaves_nothing(world: World, team: Team) -> None:
    world.until_fact(lambda: not world.jobs(), "the Jobs are gone")
    seed = team.ledgers[0]
    keys = ("LOGS_WRITE_BOTH", "LOGS_READ_NEW")
    assert world.flags() == {"THEME": "dark"} | dict.fromkeys(keys, "100") | {f"{key}_SEED": seed for key in keys}
    for name, ledger in zip((LOGS, TASKS), team.ledgers, strict=True):
        world.name = name
        world.until_fact(lambda: not world.workers(), f"the workers of {ledger} are gone")
        world.until_fact(lambda: not (world.get() or {})["metadata"].get("finalizers"), f"{ledger} is let go")
    for collection in ("firelift_locks", "firelift_deadletters"):
        assert [each.reference.path for each in world.database.collection_group(collection).stream()] == []


def _quicker(manifest: dict[str, Any]) -> dict[str, Any]:
    """The demonstration's rollout for people who do not look."""
    for phase in manifest["spec"]["phases"]:
        for step in phase["steps"]:
            if "soak" in step:
                step["soak"]["seconds"] = SOAK_SECONDS
            if "flags" in step:
                step["flags"]["propagationSeconds"] = PROPAGATION_SECONDS
    return manifest


def _status(world: World, name: str) -> dict[str, Any]:
    world.name = name
    return world.status()


def _approved(world: World) -> bool:
    return bool(world.sandbox.kubectl("get", "migrationapprovals", "-n", world.namespace, "-o", "name").split())


def _messages(statuses: dict[str, Any]) -> str:
    names = ("phase", "step", "reason", "message")
    return json.dumps({name: {key: status.get(key) for key in names} for name, status in statuses.items()}, indent=1)


@contextmanager
def _app(world: World, team: Team, log: Path) -> Iterator[Process]:
    options = [
        f"--project={team.project}",
        f"--monitoring={world.sandbox.monitoring_host}",
        f"--namespace={team.namespace}",
        f"--log={log}",
        f"--scale={SCALE}",
    ]
    command = [sys.executable, "-m", "firelift.sandbox.demo.app", *options]
    app = world.sandbox.supervisor.start(f"app-{team.namespace}", command, world.sandbox.environment())
    try:
        yield app
    finally:
        app.stop()


async def _seed(team: Team) -> None:
    client = AsyncClient(project=team.project)
    await data.seed(client, data.documents(client, SCALE))


async def _checks(team: Team, log: Path) -> list[Check]:
    return await check_database(AsyncClient(project=team.project), log, SCALE)
