"""Kubernetes Events on our objects: a sentence is said once, what repeats is a series, and an object has a budget."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from firelift.api.base import API_VERSION, FIELD_MANAGER
from firelift.api.rollout import KIND as ROLLOUT
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed, NotFound

REPEAT_SECONDS = 600
"""The same sentence is written at most once in this time; how often it was meant is in the Event's `series`."""

BURST = 100
"""Events that an object may have at once: more than the longest rollout needs, and nothing to the cluster's store."""

REFILL_SECONDS = 30
"""How long it takes until an object that has used up its budget may have one more."""

WARNINGS = 20
"""On top of these for warnings alone: an object that says much must still be able to say what is wrong."""

REMEMBERED = 4096
"""Sentences, and objects, that are kept in mind; those not heard of for the longest time are forgotten first."""

_FULL = BURST + WARNINGS
_LONGEST_NOTE = 1024  # of an Event, by the API server
_LONGEST_NAME = 200

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class Said(Enum):
    """What has become of an Event."""

    WRITTEN = "written"
    REPEATED = "repeated"
    HELD_BACK = "held back"


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that an Event is about."""

    namespace: str
    name: str
    uid: str
    kind: str = ROLLOUT


@dataclass(slots=True)
class _Sentence:
    """When it was written last, and how often it was meant since."""

    time: datetime
    unwritten: int = 0


@dataclass(slots=True)
class _Budget:
    left: float
    time: datetime

    def take(self, now: datetime, *, warning: bool) -> bool:
        """Whether there is one left for it, which is gone then."""
        passed = max(0.0, (now - self.time).total_seconds())
        self.left, self.time = min(_FULL, self.left + passed / REFILL_SECONDS), now
        if self.left < 1 + (0 if warning else WARNINGS):
            return False
        self.left -= 1
        return True


class Recorder:
    """Says things about objects. What it keeps in mind may be lost: the Events themselves tell what was said."""

    def __init__(self) -> None:
        self._sentences: OrderedDict[tuple[str, str], _Sentence] = OrderedDict()
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()

    async def say(self, cluster: Cluster, subject: Subject, event: Json, now: datetime) -> Said:
        """Write the Event that `build` has made, or count it where it has been written within `REPEAT_SECONDS`.

        Raises:
            KubeError: the API server did not take it.
        """
        key = subject.namespace, str(event["metadata"]["name"])
        known = self._sentences.get(key)
        if known is not None and (now - known.time).total_seconds() < REPEAT_SECONDS:
            known.unwritten += 1
            return Said.REPEATED
        warning = event["type"] == "Warning"
        if not _kept(self._budgets, subject.uid, _Budget(_FULL, now)).take(now, warning=warning):
            return Said.HELD_BACK
        path = f"/apis/events.k8s.io/v1/namespaces/{subject.namespace}/events"
        try:
            await cluster.create(path, event)
        except Changed:  # its name holds all that it says: it has been said
            return await self._again(cluster, f"{path}/{key[1]}", key, now)
        _kept(self._sentences, key, _Sentence(now)).time = now
        return Said.WRITTEN

    async def _again(self, cluster: Cluster, path: str, key: tuple[str, str], now: datetime) -> Said:
        """One more of a series; a process that has begun since finds in the Event when it was said last."""
        try:
            found = await cluster.get(path)
        except NotFound:  # it has expired this very moment
            return Said.REPEATED
        series = found.get("series") or {}
        last = datetime.fromisoformat(series.get("lastObservedTime") or found["eventTime"])
        sentence = _kept(self._sentences, key, _Sentence(last))
        meant = sentence.unwritten + 1
        if (now - last).total_seconds() < REPEAT_SECONDS:
            sentence.time, sentence.unwritten = last, meant
            return Said.REPEATED
        more = {"count": series.get("count", 1) + meant, "lastObservedTime": _stamp(now)}
        await cluster.merge(path, {"series": more}, manager=FIELD_MANAGER)
        sentence.time, sentence.unwritten = now, 0
        return Said.WRITTEN


def build(subject: Subject, *, reason: str, message: str, warning: bool, now: datetime, reporter: str) -> Json:
    """The Event, named by its subject and its sentence."""
    digest = hashlib.sha256(f"{subject.uid}\0{reason}\0{message}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{subject.name[:_LONGEST_NAME]}.{digest}", "namespace": subject.namespace},
        "eventTime": _stamp(now),
        "reportingController": "firelift.dev/operator",
        "reportingInstance": reporter[:128],
        "action": reason,
        "reason": reason,
        "type": "Warning" if warning else "Normal",
        "note": message[:_LONGEST_NOTE],
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": subject.kind,
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        },
    }


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _kept(kept: OrderedDict[Name, Value], name: Name, otherwise: Value) -> Value:
    """The value of this name, now the one heard of last."""
    value = kept.setdefault(name, otherwise)
    kept.move_to_end(name)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
    return value
