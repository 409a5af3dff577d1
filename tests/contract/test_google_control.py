"""The stand-in as a process: its ready file, its control API, its databases and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from google.api_core.exceptions import InvalidArgument, ServiceUnavailable
from tests.contract.time_series import Reporter, official_client

from firelift.infra.firestore_admin import DatabaseLookupError, database_uid
from firelift.sandbox.google import Options, StandIn, running_stand_in


@pytest_asyncio.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with running_stand_in() as running:
        yield running


@pytest_asyncio.fixture
async def control(stand_in: StandIn) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stand_in.control) as session:
        yield session


@pytest_asyncio.fixture
async def reporter(stand_in: StandIn) -> AsyncIterator[Reporter]:
    async with official_client(stand_in.endpoint) as client:
        yield Reporter(client)


async def test_a_fault_hits_as_often_as_it_was_asked_for(control: aiohttp.ClientSession, reporter: Reporter) -> None:
    await control.post("/faults", json={"method": "CreateTimeSeries", "code": "UNAVAILABLE", "count": 1})

    with pytest.raises(ServiceUnavailable, match="a fault was asked for"):
        await reporter.gauge("level", {1: {"int64_value": 1}})
    await reporter.gauge("level", {1: {"int64_value": 1}})

    assert await (await control.get("/faults")).json() == []


async def test_a_fault_hits_only_what_it_matches(control: aiohttp.ClientSession, reporter: Reporter) -> None:
    for metric in ("level", "other"):
        await reporter.gauge(metric, {1: {"int64_value": 1}})
    await control.post("/faults", json={"method": "ListTimeSeries", "match": "/level", "empty": True})

    assert len(await reporter.list("level")) == 0
    assert len(await reporter.list("other")) == 1


async def test_faults_end_by_themselves_or_by_request(control: aiohttp.ClientSession) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    await control.post("/faults", json={"nan": True, "until": past})
    await control.post("/faults", json={"latency_ms": 5})

    before = await (await control.get("/faults")).json()
    deleted = await control.delete("/faults")

    assert [fault["latency_ms"] for fault in before] == [5]
    assert deleted.status == 204
    assert await (await control.get("/faults")).json() == []


@pytest.mark.parametrize(
    ("route", "body", "sentence"),
    [
        ("/faults", {"code": "BROKEN"}, "String should match pattern"),
        ("/faults", {"latency": 5}, "Extra inputs are not permitted"),
        ("/faults", {"until": "2026-01-01T00:00:00"}, "timezone"),
        ("/clock", {"offset_seconds": 1e9}, "less than or equal to 86400"),
        ("/databases", {"name": "shop"}, "the format is projects/[PROJECT]/databases/[DATABASE]"),
    ],
)
async def test_a_wrong_request_gets_a_sentence(
    control: aiohttp.ClientSession, route: str, body: dict[str, Any], sentence: str
) -> None:
    answer = await control.post(route, json=body)

    assert answer.status == 400
    assert sentence in json.dumps(await answer.json())


async def test_the_log_counts_calls_by_their_status(control: aiohttp.ClientSession, reporter: Reporter) -> None:
    await reporter.gauge("level", {2: {"int64_value": 1}, 1: {"int64_value": 1}})
    with pytest.raises(InvalidArgument):
        await reporter.gauge("level", {1: {"int64_value": 1}})

    report = await (await control.get("/requests")).json()

    assert report["counts"] == {"CreateTimeSeries OK": 2, "CreateTimeSeries INVALID_ARGUMENT": 1}
    assert [request["detail"] for request in report["requests"]] == [f"projects/{reporter.project}"] * 3


@pytest.mark.parametrize(
    ("given", "field", "kind"),
    [
        ({"value": 7}, "int64_value", 1),
        ({"value": 0.25, "unit": "1"}, "double_value", 1),
        ({"value": True}, "bool_value", 1),
        ({"value": 7, "kind": "DELTA", "seconds": 60}, "int64_value", 2),
    ],
)
async def test_a_point_can_be_written_by_hand(
    control: aiohttp.ClientSession, reporter: Reporter, given: dict[str, Any], field: str, kind: int
) -> None:
    metric = {"project": reporter.project, "metric": "custom.googleapis.com/level", "labels": {"code": "500"}}
    answer = await control.post("/points", json={**metric, **given})
    end = datetime.now(UTC)

    (series,) = await reporter.list("level", interval={"start_time": end - timedelta(seconds=60), "end_time": end})

    assert answer.status == 201
    assert getattr(series.points[0].value, field) == given["value"]
    assert (series.metric_kind, dict(series.metric.labels)) == (kind, {"code": "500"})


async def test_the_clock_can_be_moved(control: aiohttp.ClientSession, reporter: Reporter) -> None:
    await control.post("/clock", json={"offset_seconds": -3600})

    with pytest.raises(InvalidArgument, match="5m in the future"):
        await reporter.gauge("level", {1: {"int64_value": 1}})


async def test_a_database_keeps_its_uid_and_another_data_directory_has_another() -> None:
    uids = []
    for namespace in ("first", "first", "second"):
        async with running_stand_in(Options(namespace=namespace)) as running:
            uids += [await database_uid("shop", name, running.endpoint) for name in ("(default)", "orders")]

    assert uids[0:2] == uids[2:4]
    assert len(set(uids)) == 4


async def test_a_restored_database_has_the_uid_it_was_given(stand_in: StandIn, control: aiohttp.ClientSession) -> None:
    name = "projects/shop/databases/(default)"
    before = await database_uid("shop", "(default)", stand_in.endpoint)

    answer = await control.post("/databases", json={"name": name, "uid": "restored"})

    assert await answer.json() == {"name": name, "uid": "restored"}
    assert before != await database_uid("shop", "(default)", stand_in.endpoint) == "restored"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"code": "NOT_FOUND", "message": "none such"}, "NOT_FOUND: none such; check spec.database"),
        ({"code": "PERMISSION_DENIED"}, "grant the operator's service account roles/datastore.viewer"),
        ({"code": "UNAVAILABLE"}, "UNAVAILABLE: a fault was asked for; it is asked again at the next turn"),
    ],
)
async def test_a_database_that_cannot_be_looked_up_says_why(
    stand_in: StandIn, control: aiohttp.ClientSession, fault: dict[str, Any], sentence: str
) -> None:
    await control.post("/faults", json={"method": "GetDatabase", **fault})

    with pytest.raises(DatabaseLookupError) as refused:
        await database_uid("shop", "(default)", stand_in.endpoint)

    assert str(refused.value).startswith("asked for the uid of projects/shop/databases/(default): ")
    assert sentence in str(refused.value)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "error", "-m", "firelift.sandbox.google"]
    started = subprocess.Popen([*command, "--ready-file", str(tmp_path / "ready.json")], stderr=subprocess.PIPE)
    yield started
    started.kill()
    started.communicate()


async def test_the_process_says_where_it_is_serves_and_ends_on_request(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    async with asyncio.timeout(60):
        while not (tmp_path / "ready.json").exists():
            assert process.poll() is None
            await asyncio.sleep(0.05)
    ready = json.loads((tmp_path / "ready.json").read_text())

    async with official_client(ready["monitoring"]) as client, aiohttp.ClientSession(ready["control"]) as control:
        reporter = Reporter(client)
        await reporter.gauge("level", {1: {"int64_value": 7}})
        (series,) = await reporter.list("level")
        counts = (await (await control.get("/requests")).json())["counts"]
    process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait, 30)

    assert series.points[0].value.int64_value == 7
    assert counts == {"CreateTimeSeries OK": 1, "ListTimeSeries OK": 1}
    assert (code, process.stderr and process.stderr.read()) == (0, b"")
