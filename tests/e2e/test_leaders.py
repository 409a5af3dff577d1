"""Who leads, and that nobody else writes: the evidence is the record of a proxy in front of each replica.

A write that has left a leader in time and arrives late, when another leads, is what fencing must stop.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import pytest
from tests.api_proxy import ApiCall, ApiFault, ApiProxy
from tests.e2e.conftest import Operators
from tests.e2e.world import World, flags, migrate

from firelift.sandbox.processes import Process

LEASE_SECONDS = 6.0
SLACK_SECONDS = 20.0
"""For a machine that has other things to do."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One operator, and what it has asked of the API server."""

    name: str
    proxy: ApiProxy
    process: Process

    @property
    def leads(self) -> bool:
        """Whether it has begun to lead."""
        return '"leading"' in self.process.log.read_text()

    @property
    def stands_by(self) -> bool:
        """Whether it has seen the Lease."""
        return any(call.of_lease for call in list(self.proxy.calls))

    @property
    def held(self) -> list[ApiCall]:
        """What it has written and the API server has not got at once."""
        return [call for call in self.proxy.faults() if call.fault and call.fault.held]

    def hold(self, method: str, part: str) -> None:
        """From now on, these are on their way for as long as the test wants."""
        self.proxy.decide = lambda call: ApiFault(held=True) if call.method == method and part in call.path else None


Replicas = Callable[[], Replica]


@pytest.fixture
def replicas(world: World, operator: Operators) -> Iterator[Replicas]:
    """Starts one more operator of this world's namespace, behind those that are there."""
    operator.kill()
    made: list[Replica] = []

    def make() -> Replica:
        name = f"replica-{len(made)}-{secrets.token_hex(3)}"
        proxy = ApiProxy(world.sandbox, name)
        settings = {
            "KUBECONFIG": str(proxy.kubeconfig),
            "FIRELIFT_NAMESPACES": world.namespace,
            "FIRELIFT_LEASE_DURATION_SECONDS": str(LEASE_SECONDS),
            "FIRELIFT_PROGRESS_SECONDS": "1",
        }
        made.append(Replica(name, proxy, world.sandbox.start_operator(name, settings)))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        world.sandbox.supervisor.processes.remove(each.process)
        each.proxy.close()


@pytest.fixture
def next_leader(world: World, replicas: Replicas) -> Callable[[], Replica]:
    """Starts one more and waits until it stands by."""

    def start() -> Replica:
        made = replicas()
        world.until_fact(lambda: made.stands_by, f"{made.name} stands by")
        return made

    return start


@pytest.mark.timeout(600)
def test_one_leads_at_a_time_and_what_a_deposed_leader_has_sent_changes_nothing(
    world: World, replicas: Replicas, next_leader: Callable[[], Replica], capsys: pytest.CaptureFixture[str]
) -> None:
    world.seed(200)
    steps = [flags("write-both", "WRITE_BOTH", 100), migrate(100), flags("read-new", "READ_NEW", 100)]
    first = replicas()
    world.until_fact(lambda: first.leads, "the first one leads")
    first.hold("PATCH", "/configmaps/app-flags")
    second = next_leader()
    second.hold("POST", "/jobs")
    took: dict[str, float] = {}

    world.apply(world.manifest([{"name": "everyone", "steps": steps}], pace={"maxWritesPerSecond": 15, "batchSize": 5}))
    world.until_fact(lambda: first.held, "flags on their way")
    took["kill -9"] = _seconds(world, first.process.kill, second)

    world.until_fact(lambda: second.held, "a Job on its way")
    _late(world, first, 409)
    third = next_leader()
    took["SIGSTOP"] = _seconds(world, second.process.pause, third)

    world.until_fact(lambda: len(world.target()) > 5, "the first documents")
    _late(world, second, 409)
    third.hold("PATCH", "/status")
    world.until_fact(lambda: third.held, "a status on its way")
    fourth = next_leader()
    _seconds(world, third.process.pause, fourth)
    world.until_fact(fourth.proxy.effects, "the next one has written")
    _late(world, third, 409)

    for revived in (second, third):
        revived.process.resume()
        world.until_fact(lambda it=revived: not it.process.running, "the revived one ends by itself")  # type: ignore[misc] # of this turn of the loop
        assert "leadership lost" in revived.process.tail()
    fifth = next_leader()
    took["SIGTERM"] = _seconds(world, lambda: os.kill(fourth.process.pid, signal.SIGTERM), fifth)

    world.until_reason("Completed", seconds=120)
    assert world.target() == world.expected(100)
    assert world.written_once()
    assert (world.flags()["WRITE_BOTH"], world.flags()["READ_NEW"]) == ("100", "100")
    assert all(each.proxy.effects() for each in (first, second, third, fourth))
    order = [each for each in (first, second, third, fourth, fifth) if each.proxy.effects()]
    writes = sorted((call.time, each.name) for each in order for call in each.proxy.effects())
    assert [name for name, _ in groupby(name for _, name in writes)] == [each.name for each in order]
    with capsys.disabled():
        told = ", ".join(f"{how} {seconds:.1f} s" for how, seconds in took.items())
        sys.stdout.write(f"\nanother leads after {told} (Lease {LEASE_SECONDS:g} s)\n")


def _seconds(world: World, end: Callable[[], None], successor: Replica) -> float:
    """From the end of a leader until its successor leads."""
    began = time.monotonic()
    end()
    world.until_fact(lambda: successor.leads, f"{successor.name} leads", LEASE_SECONDS * 1.25 + SLACK_SECONDS)
    return time.monotonic() - began


def _late(world: World, deposed: Replica, answer: int) -> None:
    """What it has sent arrives now, and has come too late."""
    deposed.proxy.release()
    world.until_fact(lambda: all(call.answered for call in deposed.held), "what was on its way arrives")
    assert {call.answered for call in deposed.held} == {answer}, deposed.held
