"""The operator as a process: it stands by, leads, tells its health, and ends."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firelift.sandbox.ports import free_port
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox

Start = Callable[..., Process]


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Start]:
    """Starts operators of one Lease of their own; they see no namespace but one that does not exist."""
    sandbox.install_crds()
    sandbox.install_manifests()
    lease, started = f"lease-{secrets.token_hex(4)}", list[Process]()

    def begin(**environment: str) -> Process:
        settings = {
            "FIRELIFT_LEASE_NAME": lease,
            "FIRELIFT_LEASE_DURATION_SECONDS": "2",
            "FIRELIFT_NAMESPACES": lease,
            **environment,
        }
        started.append(sandbox.start_operator(f"{lease}-{len(started)}", settings))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        sandbox.supervisor.processes.remove(process)


def lines(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]


def said(process: Process, event: str) -> dict[str, Any] | None:
    return next((line for line in lines(process) if line["event"] == event), None)


def until(process: Process, event: str, seconds: float = 20) -> dict[str, Any]:
    process.wait_until(lambda: said(process, event) is not None, seconds=seconds)
    found = said(process, event)
    assert found is not None
    return found


def ended(process: Process, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while process.running and time.monotonic() < deadline:
        time.sleep(0.02)
    return not process.running


def ask(process: Process, path: str, server: int = 0) -> tuple[int, str]:
    """Of its servers: 0 is health, 1 the page."""
    port = until(process, "standing by")["ports"][server]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()


def test_one_leads_and_the_other_stands_by_in_good_health(start: Start) -> None:
    leader = start()
    until(leader, "leading")
    standby = start()

    assert ask(leader, "/readyz") == (200, "leading")
    assert ask(standby, "/readyz") == (200, "standing by")
    assert ask(leader, "/healthz") == ask(standby, "/healthz") == (200, "ok")
    assert "firelift_leader 1.0" in ask(leader, "/metrics")[1]
    assert "firelift_leader 0.0" in ask(standby, "/metrics")[1]
    assert ask(leader, "/what")[0] == 404


def test_the_page_is_served_by_each_and_only_the_leader_knows_of_objects(start: Start) -> None:
    leader = start(FIRELIFT_PAGE_PORT=str(free_port()))
    until(leader, "leading")
    standby = start(FIRELIFT_PAGE_PORT=str(free_port()))

    nothing: dict[str, list[str]] = {"rollouts": [], "environments": []}
    assert json.loads(ask(leader, "/api/objects", server=1)[1]) == {"leads": True, **nothing}
    assert json.loads(ask(standby, "/api/objects", server=1)[1]) == {"leads": False, **nothing}
    assert "<title>Firelift</title>" in ask(standby, "/", server=1)[1]


def test_a_leader_that_is_asked_to_stop_hands_over_at_once(start: Start) -> None:
    leader = start(FIRELIFT_LEASE_DURATION_SECONDS="30")
    until(leader, "leading")
    standby = start(FIRELIFT_LEASE_DURATION_SECONDS="30")
    until(standby, "standing by")

    os.kill(leader.pid, signal.SIGTERM)

    assert ended(leader)
    assert said(leader, "stopped")
    until(standby, "leading", seconds=10)


def test_a_standby_that_is_asked_to_stop_ends(start: Start) -> None:
    until(start(), "leading")
    standby = start()
    until(standby, "standing by")

    os.kill(standby.pid, signal.SIGTERM)

    assert ended(standby)


def test_a_killed_leader_is_followed_under_a_higher_epoch(start: Start) -> None:
    leader = start()
    epoch = until(leader, "leading")["epoch"]
    leader.kill()

    assert until(start(), "leading")["epoch"] > epoch


def test_a_frozen_leader_ends_when_it_is_revived(start: Start) -> None:
    leader = start()
    until(leader, "leading")
    standby = start()
    leader.pause()
    until(standby, "leading")
    leader.resume()

    assert ended(leader)
    assert said(leader, "leadership lost")
    assert standby.running


def test_a_leader_that_loses_the_api_server_ends_before_another_can_lead(sandbox: Sandbox, start: Start) -> None:
    leader = start()
    until(leader, "leading")
    sandbox.control_plane.apiserver.pause()
    try:
        assert ended(leader)
    finally:
        sandbox.control_plane.apiserver.resume()
    assert said(leader, "leadership lost")


def test_every_line_of_the_log_is_json(start: Start) -> None:
    leader = start()
    until(leader, "leading")
    os.kill(leader.pid, signal.SIGTERM)
    assert ended(leader)

    assert len(lines(leader)) == len(leader.log.read_text().splitlines()) >= 3
