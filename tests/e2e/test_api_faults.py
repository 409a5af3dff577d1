"""The API server refuses, loses, delays, cuts and garbles: a rollout ends as it would without, and nobody is stormed.

`FIRELIFT_STORM_SEED` repeats an earlier run's faults.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.api_proxy import ApiCall, ApiFault, ApiProxy, Decide
from tests.e2e.conftest import Operators
from tests.e2e.world import World, flags, migrate, soak

from firelift.sandbox.processes import Process

SEED = int(os.environ.get("FIRELIFT_STORM_SEED") or random.SystemRandom().randrange(1_000_000))
FAULTY = 0.1
MOST_IN_A_ROW = 2
STATUSES = (429, 500, 503)
PATIENCE = 180.0
REFUSED_LINES = 20
"""What may be said of the time in which nobody listened at all."""

GONE = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}).encode()
BROKEN = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd timed out"}}).encode()
LATE_SECONDS = 2.0
PATIENT = {
    "FIRELIFT_LEASE_DURATION_SECONDS": "30",  # of its renewals each second one may fail, and it still leads
    "FIRELIFT_REQUEST_TIMEOUT_SECONDS": str(LATE_SECONDS - 1),
    "FIRELIFT_LONGEST_BACKOFF_SECONDS": "1",
    "FIRELIFT_PROGRESS_SECONDS": "1",
}


@pytest.fixture
def proxy(world: World, operator: Operators) -> Iterator[ApiProxy]:
    """The only operator is the one that is started through it."""
    operator.kill()
    made = ApiProxy(world.sandbox, f"proxy-{secrets.token_hex(4)}")
    yield made
    made.close()


@pytest.fixture
def start(world: World, proxy: ApiProxy) -> Iterator[Callable[..., Process]]:
    """Starts operators behind the proxy that look after this world alone."""
    started: list[Process] = []

    def begin(**settings: str) -> Process:
        ours = {"KUBECONFIG": str(proxy.kubeconfig), "FIRELIFT_NAMESPACES": world.namespace, **PATIENT, **settings}
        started.append(world.sandbox.start_operator(f"{world.namespace}-{len(started)}", ours))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        world.sandbox.supervisor.processes.remove(process)


def storm(seed: int) -> Decide:
    """Something happens to each tenth request, never to three in a row of the same, and to each first removal."""
    chance = random.Random(seed)  # noqa: S311 - faults that can be repeated, not a secret
    in_a_row: Counter[tuple[str, str, bool]] = Counter()

    def decide(call: ApiCall) -> ApiFault | None:
        key = (call.method, call.path.partition("?")[0], call.watch)
        if call.method == "DELETE" and key not in in_a_row:
            in_a_row[key] = 0
            return ApiFault(chance.choice((409, 500)))
        most = 1 if call.of_lease else MOST_IN_A_ROW
        if chance.random() > FAULTY or in_a_row[key] >= most:
            in_a_row[key] = 0
            return None
        in_a_row[key] += 1
        return chance.choice(_possible(call))

    return decide


def _possible(call: ApiCall) -> list[ApiFault]:
    refusals = [ApiFault(status, retry_after=1 if status == 429 else None) for status in STATUSES]
    garbled = [ApiFault(200, body=b"<html>a proxy's own page</html>"), ApiFault(passed=20), ApiFault(passed=0)]
    if call.watch:
        ends = [ApiFault(stream_seconds=seconds) for seconds in (0.0, 0.5, 2.0)]
        return [*refusals, ApiFault(410), ApiFault(event=GONE), ApiFault(event=BROKEN), *ends]
    if call.of_lease:
        return [*refusals, *garbled, ApiFault(409)]
    slow = [ApiFault(delay_seconds=0.3), ApiFault(delay_seconds=LATE_SECONDS)]
    if call.method == "GET":
        return [*refusals, *garbled, *slow, ApiFault(410)]
    lost = [ApiFault(status, deliver=True) for status in (500, 409)]
    return [*refusals, *garbled, *slow, ApiFault(409), *lost]


@pytest.mark.timeout(5 * PATIENCE)
def test_a_storm_of_faults_changes_nothing_in_the_outcome(
    world: World, proxy: ApiProxy, start: Callable[..., Process], capsys: pytest.CaptureFixture[str]
) -> None:
    world.seed(60)
    before = world.source()
    steps = [flags("write-both", "WRITE_BOTH", 100), migrate(100), {"name": "look", "approve": {"count": 1}}, soak(600)]
    proxy.decide = storm(SEED)
    operator = start()

    world.apply(world.manifest([{"name": "everyone", "steps": steps}], pace={"maxWritesPerSecond": 60, "batchSize": 5}))
    world.until(lambda status: alive(operator) and status.get("reason") == "AwaitingApproval", "the question", PATIENCE)
    with proxy.refusing():
        world.approve()
    world.until_reason("Soaking", seconds=PATIENCE)
    assert world.target() == world.expected(100)
    assert world.written_once()
    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted", seconds=PATIENCE)
    world.until_fact(lambda: not world.jobs(), "the Jobs are gone", PATIENCE)

    assert (world.target(), world.source(), world.flags()) == ({}, before, {"THEME": "dark"})
    assert alive(operator)
    told = lines(operator)
    assert [line for line in told if "exception" in line] == []
    assert len([line for line in told if line["level"] != "info"]) <= len(proxy.faults()) + REFUSED_LINES
    with capsys.disabled():
        kinds = Counter(call.fault.status for call in proxy.faults() if call.fault)
        calls = f"{len(proxy.faults())} of {len(proxy.calls)} calls to the API server"
        sys.stdout.write(f"\nfaults: {calls} {dict(kinds)}, FIRELIFT_STORM_SEED={SEED}\n")


def alive(operator: Process) -> bool:
    """It has not ended; its last words otherwise."""
    assert operator.running, operator.tail(40)
    return True


def lines(process: Process) -> list[dict[str, Any]]:
    """Each line of its log is a sentence with fields."""
    return [json.loads(line) for line in process.log.read_text().splitlines()]
