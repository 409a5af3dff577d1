"""A thousand rollouts: who they are, and what each of them is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.bench.rollouts.api import Json

from firelift.operator.wakeups import Key

DATABASES = 20
METRIC = "custom.googleapis.com/bench/error_percent"
DOCUMENTS = 1_500
"""Of each rollout that is to move some as long as it is looked at: five each two seconds last for ten minutes."""

FEW = 20
"""Of the one that moves all of its own before anybody looks."""


class Role(StrEnum):
    """What a rollout does while it is measured."""

    MIGRATING = "migrating"
    """Its workers commit, its gates are judged."""
    SOAKING = "soaking"
    """Its gates are judged."""
    APPROVING = "approving"
    """It waits for a person."""
    SUSPENDED = "suspended"
    """It has never begun."""
    FINISHED = "finished"
    """All phases are done."""


@dataclass(frozen=True, slots=True)
class Member:
    """One rollout: the namespace is its team's, and each team has a database of its own."""

    role: Role
    number: int

    @property
    def key(self) -> Key:
        """Its place."""
        return Key(f"bench-{self.number % DATABASES:02d}", f"{self.role}-{self.number:04d}")

    @property
    def project(self) -> str:
        """Its database's project."""
        return self.key.namespace

    @property
    def ledger(self) -> str:
        """Its ledger's id."""
        return f"{self.key.namespace}.{self.key.name}"

    @property
    def documents(self) -> int:
        """How many documents it has to move."""
        return {Role.MIGRATING: DOCUMENTS, Role.FINISHED: FEW}.get(self.role, 0)

    @property
    def collection(self) -> str:
        """What it moves."""
        return f"logs_{self.role}_{self.number:04d}"

    @property
    def spec(self) -> Json:
        """What it is asked."""
        shape: Json = {
            "database": {"project": self.project},
            "pace": {"batchSize": 5, "pauseBetweenBatchesSeconds": 2},
            "worker": {"parallelism": 1},
            "migrations": [_migration(self.collection)],
            "gates": [_gate("error-rate"), _gate("latency")],
        }
        return shape | _WORK[self.role]


def members(finished: int, waiting: int, active: int) -> Iterator[Member]:
    """So many of each: the active ones move documents or soak, those that wait are asked for or suspended."""
    counts = {
        Role.MIGRATING: active // 2,
        Role.SOAKING: active - active // 2,
        Role.APPROVING: waiting // 2,
        Role.SUSPENDED: waiting - waiting // 2,
        Role.FINISHED: finished,
    }
    number = 0
    for role, count in counts.items():
        for _ in range(count):
            yield Member(role, number)
            number += 1


def settled(role: Role, reason: str) -> bool:
    """Whether a rollout with this reason does what it is there for."""
    return reason == _SETTLED[role]


def _migration(collection: str) -> Json:
    return {
        "name": "logs",
        "source": {"collection": collection},
        "target": {"document": f"users/{{doc.userId}}/{collection}/{{id}}"},
        "entityKey": "userId",
        "transform": {"rename": {"type": "logType"}, "set": {"createdAt": "timestamp(doc.ts)"}, "remove": ["ts"]},
        "validate": [{"rule": "out.calories >= 0", "message": "calories must not be negative"}],
    }


def _gate(name: str) -> Json:
    return {
        "name": name,
        "cloudMonitoring": {
            "query": {"filter": f'metric.type = "{METRIC}"', "aligner": "ALIGN_MEAN", "reducer": "REDUCE_MEAN"}
        },
        "limit": {"max": "1"},
        "intervalSeconds": 15,
        "windowSeconds": 15,
        "delaySeconds": 0,
        "onFailure": "Notify",
    }


def _flags(name: str, key: str, percent: int) -> Json:
    publish = {"configMap": {"name": "app-flags"}, "publishCohort": {key: percent}, "propagationSeconds": 0}
    return {"name": name, "flags": publish}


def _phase(percent: int) -> Json:
    """The phase of a real rollout, in short."""
    steps = [
        _flags("write-both", "WRITE_BOTH", percent),
        {"migrate": {"migrations": ["logs"], "cohort": {"percent": percent}}},
        {"verify": {"sample": "100%", "maxMismatch": "0%", "recheckSeconds": 0}},
        _flags("read-new", "READ_NEW", percent),
        {"soak": {"seconds": 1, "evidence": "None"}},
    ]
    return {"name": f"to-{percent}", "steps": steps}


_WORK: dict[Role, Json] = {
    Role.MIGRATING: {
        "phases": [{"name": "everyone", "steps": [{"migrate": {"migrations": ["logs"], "cohort": {"percent": 100}}}]}],
    },
    Role.SOAKING: {"phases": [{"name": "watching", "steps": [{"soak": {"seconds": 864_000}}]}]},
    Role.APPROVING: {"phases": [{"name": "people", "steps": [{"approve": {"count": 1}}]}]},
    Role.SUSPENDED: {"suspend": True, "phases": [_phase(100)]},
    Role.FINISHED: {"pace": {}, "phases": [_phase(10), _phase(50), _phase(100)]},
}

_SETTLED = {
    Role.MIGRATING: "Migrating",
    Role.SOAKING: "Soaking",
    Role.APPROVING: "AwaitingApproval",
    Role.SUSPENDED: "Suspended",
    Role.FINISHED: "Completed",
}
