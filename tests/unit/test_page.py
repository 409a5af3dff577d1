"""What the page is told and what it answers, without a browser."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from firelift.operator.page.live import POINTS, SECONDS_BETWEEN_POINTS, Live
from firelift.operator.page.server import PageServer
from firelift.operator.telemetry.board import Board, Told
from firelift.operator.telemetry.rollouts import rollout_series
from firelift.operator.wakeups import Key

KEY = Key("team", "logs")
STATUS: dict[str, Any] = {
    "reason": "Migrating",
    "message": "<script>alert(1)</script>",
    "gates": [{"name": "error-rate", "verdict": "Pass", "value": "0.4%", "limit": "≤ 1%"}],
    "conditions": [{"type": "Ready", "status": "False"}],
}


class Clock:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(clock: Clock) -> Live:
    return Live(clock)


@pytest.fixture
def server(live: Live) -> Iterator[PageServer]:
    made = PageServer("127.0.0.1", 0, live, lambda: True)
    made.start()
    yield made
    made.stop()


def ask(server: PageServer, path: str, method: str = "GET", host: str = "") -> tuple[http.client.HTTPResponse, bytes]:
    """The answer and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request(method, path, headers={"Host": host or f"localhost:{server.port}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_points_are_kept_for_an_hour_and_no_closer_than_they_need_to_be(live: Live, clock: Clock) -> None:
    for number in range(2 * POINTS):
        clock.now += SECONDS_BETWEEN_POINTS / 2
        live.hear("rollout", KEY, Told(STATUS, 0.5, float(number)))
    shown = live.one("rollout", KEY)
    assert shown is not None
    assert len(shown["points"]) == POINTS
    assert shown["points"][0][2] == {"error-rate": 0.004}
    assert shown["limits"] == {"error-rate": {"max": 0.01}}


def test_a_board_tells_what_changes_and_what_goes() -> None:
    heard: list[tuple[Key, Told | None]] = []
    board = Board(rollout_series, lambda key, told: heard.append((key, told)))
    board.tell(KEY, STATUS)
    board.tell(KEY, STATUS)
    board.measure(KEY, 0.5, 10.0)
    board.forget(KEY)
    assert [told and told.rate for _, told in heard] == [0.0, 10.0, None]


def test_news_wake_who_waits(live: Live) -> None:
    assert live.wait(0, 0) == 0
    live.hear("rollout", KEY, Told(STATUS))
    assert live.wait(0, 60) == 1


def test_the_page_shows_lines_of_all_objects_and_all_of_one(server: PageServer, live: Live) -> None:
    live.hear("rollout", KEY, Told(STATUS, 0.41, 1125.0))
    live.hear("environment", Key("team", "prod"), Told({"reason": "Ready"}))
    told = json.loads(ask(server, "/api/objects")[1])
    assert told["leads"]
    assert [(each["name"], each["reason"], each["share"]) for each in told["rollouts"]] == [("logs", "Migrating", 0.41)]
    assert [each["name"] for each in told["environments"]] == ["prod"]
    assert json.loads(ask(server, "/api/rollouts/team/logs")[1])["status"] == STATUS
    live.hear("rollout", KEY, None)
    assert ask(server, "/api/rollouts/team/logs")[0].status == 404


@pytest.mark.parametrize("path", ["/nothing", "/api/rollouts/team", "/api/secrets/team/logs", "/../settings.py"])
def test_there_is_nothing_else(server: PageServer, path: str) -> None:
    assert ask(server, path)[0].status == 404


@pytest.mark.parametrize("path", ["/", "/page.js", "/parts.js", "/charts.js", "/page.css", "/icon.svg"])
def test_files_are_served_under_a_policy_that_lets_nothing_else_in(server: PageServer, path: str) -> None:
    answer, body = ask(server, path)
    assert answer.status == 200
    assert body
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(server: PageServer, method: str) -> None:
    assert ask(server, "/api/rollouts/team/logs", method)[0].status == 405


def test_a_foreign_name_for_this_machine_is_refused(server: PageServer) -> None:
    assert ask(server, "/api/objects", host=f"evil.example:{server.port}")[0].status == 403


def test_a_stream_tells_of_news(server: PageServer, live: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/events", headers={"Host": f"127.0.0.1:{server.port}"})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.readline() == b"event: news\n"
    live.hear("rollout", KEY, Told(STATUS))
    lines = [answer.readline() for _ in range(4)]
    assert b"data: 1\n" in lines
    answer.close()
    connection.close()
