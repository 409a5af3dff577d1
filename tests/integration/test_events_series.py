"""Events on a real API server: what repeats is one Event, whoever says it, and an object cannot flood its namespace."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from firelift.kube.client import Cluster, Json
from firelift.kube.events import BURST, REFILL_SECONDS, REPEAT_SECONDS, WARNINGS, Recorder, Said, Subject, build

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=REPEAT_SECONDS)


@pytest_asyncio.fixture
async def subject(cluster: Cluster) -> Subject:
    name = f"events-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return Subject(name, "users", "11111111-2222-3333-4444-555555555555")


async def say(
    recorder: Recorder,
    cluster: Cluster,
    subject: Subject,
    now: datetime,
    message: str = "one",
    *,
    warning: bool = False,
) -> Said:
    event = build(subject, reason="PhaseStarted", message=message, warning=warning, now=now, reporter="operator-1")
    return await recorder.say(cluster, subject, event, now)


async def events(cluster: Cluster, subject: Subject) -> list[Json]:
    found = await cluster.get(f"/apis/events.k8s.io/v1/namespaces/{subject.namespace}/events")
    return list(found["items"])


async def test_a_sentence_is_written_once_and_counted_as_a_series_when_its_time_is_over(
    cluster: Cluster, subject: Subject
) -> None:
    recorder = Recorder()
    said = [await say(recorder, cluster, subject, NOON + timedelta(seconds=second)) for second in (0, 1, 599)]
    assert said == [Said.WRITTEN, Said.REPEATED, Said.REPEATED]
    (event,) = await events(cluster, subject)
    assert (event["reason"], event["note"], event["type"], event.get("series")) == (
        "PhaseStarted",
        "one",
        "Normal",
        None,
    )

    assert await say(recorder, cluster, subject, LATER) is Said.WRITTEN
    (event,) = await events(cluster, subject)
    assert event["series"] == {"count": 4, "lastObservedTime": "2026-01-01T12:10:00.000000Z"}

    assert await say(recorder, cluster, subject, LATER + timedelta(seconds=1), "two") is Said.WRITTEN
    assert sorted(each["note"] for each in await events(cluster, subject)) == ["one", "two"]


async def test_an_operator_that_has_begun_since_does_not_tell_it_all_again(cluster: Cluster, subject: Subject) -> None:
    await say(Recorder(), cluster, subject, NOON)
    before = await events(cluster, subject)

    restarted = Recorder()
    assert await say(restarted, cluster, subject, NOON + timedelta(seconds=30)) is Said.REPEATED
    assert await events(cluster, subject) == before
    assert await say(restarted, cluster, subject, LATER) is Said.WRITTEN
    (event,) = await events(cluster, subject)
    assert event["series"]["count"] == 3

    again = Recorder()
    assert await say(again, cluster, subject, LATER + timedelta(seconds=30)) is Said.REPEATED
    assert await say(again, cluster, subject, LATER + timedelta(seconds=REPEAT_SECONDS)) is Said.WRITTEN
    (event,) = await events(cluster, subject)
    assert event["series"]["count"] == 5


@pytest.mark.parametrize("more", [0, 2])
async def test_an_object_has_a_budget_of_events(cluster: Cluster, subject: Subject, more: int) -> None:
    recorder = Recorder()
    said = [await say(recorder, cluster, subject, NOON, f"sentence {number}") for number in range(BURST + 1)]
    assert said == [Said.WRITTEN] * BURST + [Said.HELD_BACK]

    later = NOON + timedelta(seconds=more * REFILL_SECONDS)
    said = [await say(recorder, cluster, subject, later, f"later {number}") for number in range(more + 1)]
    assert said == [Said.WRITTEN] * more + [Said.HELD_BACK]
    assert len(await events(cluster, subject)) == BURST + more

    other = Subject(subject.namespace, "others", "22222222-2222-3333-4444-555555555555")
    assert await say(recorder, cluster, other, NOON) is Said.WRITTEN


async def test_an_object_that_says_much_can_still_warn(cluster: Cluster, subject: Subject) -> None:
    recorder = Recorder()
    for number in range(BURST + 1):
        last = await say(recorder, cluster, subject, NOON, f"sentence {number}")
    assert last is Said.HELD_BACK

    said = [await say(recorder, cluster, subject, NOON, f"trouble {n}", warning=True) for n in range(WARNINGS + 1)]
    assert said == [Said.WRITTEN] * WARNINGS + [Said.HELD_BACK]
