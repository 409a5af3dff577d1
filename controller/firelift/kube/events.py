"""Kubernetes Events on our objects: said once, with reasons of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from firelift.api.base import API_VERSION
from firelift.api.rollout import KIND as ROLLOUT
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed

REPEAT_SECONDS = 600
"""The same sentence is said at most once in this time."""

_LONGEST_NOTE = 1024  # of an Event, by the API server
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that an Event is about."""

    namespace: str
    name: str
    uid: str
    kind: str = ROLLOUT


async def emit(
    cluster: Cluster, subject: Subject, *, reason: str, message: str, warning: bool, now: datetime, reporter: str
) -> None:
    """Say it, unless it has been said within `REPEAT_SECONDS`."""
    body = build(subject, reason=reason, message=message, warning=warning, now=now, reporter=reporter)
    try:
        await cluster.create(f"/apis/events.k8s.io/v1/namespaces/{subject.namespace}/events", body)
    except Changed:  # its name holds all that it says: it has been said
        return


def build(subject: Subject, *, reason: str, message: str, warning: bool, now: datetime, reporter: str) -> Json:
    """The Event, named by its subject, its sentence and the time slot it falls in."""
    slot = int(now.timestamp()) // REPEAT_SECONDS
    digest = hashlib.sha256("\0".join((subject.uid, reason, message, str(slot))).encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{subject.name[:_LONGEST_NAME]}.{digest}", "namespace": subject.namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
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
