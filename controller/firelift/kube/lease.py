"""Leader election over one Lease.

Nobody's clock but this machine's is believed: a candidate takes over only after it has itself seen the Lease unchanged
for the whole duration. The holder stops believing in its own leadership a third of the duration earlier, on a clock
that goes on while the machine or the process is suspended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from firelift.kube.client import Cluster, Json
from firelift.kube.errors import KubeError, NotFound


class LeadershipLost(Exception):
    """This process is not the leader, or can no longer be sure of it; it must change nothing and end."""


def boot_seconds() -> float:
    """Seconds since boot, those of suspension included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def minutes_since_2020() -> int:
    """The least epoch of a leader that begins now; it fits the Lease's 32 bits for four thousand years."""
    return int((datetime.now(UTC) - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds()) // 60


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Where the Lease is, who asks for it, and how long it holds after its last renewal."""

    namespace: str
    name: str
    identity: str
    duration_seconds: float

    @property
    def safe_seconds(self) -> float:
        """How long after the start of its last renewal a holder trusts in it."""
        return self.duration_seconds * 2 / 3

    @property
    def retry_seconds(self) -> float:
        """The time between two looks at the Lease."""
        return self.duration_seconds / 8


class Lease:
    """One candidate. `epoch` is the number of changes of the holder, and rises with each leader."""

    def __init__(self, cluster: Cluster, settings: LeaseSettings, *, clock: Callable[[], float] = boot_seconds) -> None:
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._held_until = float("-inf")
        self._seen_version = ""
        self._seen_since = 0.0
        self.epoch = 0
        self.last_look = clock()

    @property
    def held(self) -> bool:
        """Whether this process can be sure that it leads."""
        return self._clock() < self._held_until

    def check(self) -> None:
        """The permit to change something.

        Raises:
            LeadershipLost: the Lease was not renewed in time.
        """
        if not self.held:
            late = self._clock() - self._held_until
            raise LeadershipLost(f"Lease {self._settings.name} was not renewed in time ({late:.1f} s too late)")

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while not await self._try(self._candidate):  # noqa: ASYNC110 - what is waited for happens on the API server
            await asyncio.sleep(self._settings.retry_seconds)

    async def keep(self) -> None:
        """Renew for as long as it goes.

        Raises:
            LeadershipLost: always, in the end.
        """
        while True:
            await asyncio.sleep(self._settings.retry_seconds)
            self.check()
            await self._try(self._renewal)
            self.check()

    async def release(self) -> None:
        """Let the next candidate in without delay."""
        if not self.held:
            return
        self._held_until = float("-inf")
        try:
            document = await self._cluster.get(self._path)
            if self._holder(document) == self._settings.identity:
                document["spec"]["holderIdentity"] = ""
                await self._cluster.replace(self._path, document)
        except KubeError:  # the next one waits for the duration instead
            return

    async def _try(self, wanted: Callable[[Json], Json | None]) -> bool:
        """Look at the Lease and write what `wanted` makes of it. No answer counts as nothing seen."""
        started = self._clock()
        try:
            document = await self._read()
            self.last_look = self._clock()
            if (desired := wanted(document)) is None:
                return False
            written = await self._write(desired)
        except KubeError:
            return False
        self._held_until = started + self._settings.safe_seconds
        self.epoch = written["spec"]["leaseTransitions"]
        return True

    def _candidate(self, document: Json) -> Json | None:
        version = document["metadata"].get("resourceVersion", "")
        if version != self._seen_version:
            self._seen_version, self._seen_since = version, self._clock()
        patient = self._clock() - self._seen_since >= self._duration(document)
        if self._holder(document) and not patient:
            return None
        # Never below an earlier epoch, even when somebody has deleted the Lease.
        transitions = max(document["spec"].get("leaseTransitions", 0) + 1, minutes_since_2020())
        return self._filled(document, transitions=transitions, acquired=_now())

    def _renewal(self, document: Json) -> Json:
        spec = document["spec"]
        if self._holder(document) != self._settings.identity or spec.get("leaseTransitions") != self.epoch:
            self._held_until = float("-inf")
            raise LeadershipLost(f"Lease {self._settings.name} is held by {self._holder(document) or 'nobody'}")
        return self._filled(document, transitions=self.epoch, acquired=spec.get("acquireTime") or _now())

    def _filled(self, document: Json, *, transitions: int, acquired: str) -> Json:
        spec = {
            "holderIdentity": self._settings.identity,
            "leaseDurationSeconds": max(1, round(self._settings.duration_seconds)),
            "acquireTime": acquired,
            "renewTime": _now(),
            "leaseTransitions": transitions,
        }
        return {**document, "spec": spec}

    def _duration(self, document: Json) -> float:
        """The longer of both, in case the holder runs with other settings."""
        return max(self._settings.duration_seconds, float(document["spec"].get("leaseDurationSeconds", 0)))

    @staticmethod
    def _holder(document: Json) -> str:
        return str(document["spec"].get("holderIdentity") or "")

    async def _read(self) -> Json:
        try:
            return await self._cluster.get(self._path)
        except NotFound:
            metadata = {"name": self._settings.name, "namespace": self._settings.namespace}
            return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {}}

    async def _write(self, document: Json) -> Json:
        """Create, or replace the very version that was read; somebody faster is a `Changed`."""
        if document["metadata"].get("resourceVersion"):
            return await self._cluster.replace(self._path, document)
        return await self._cluster.create(self._path.rpartition("/")[0], document)

    @property
    def _path(self) -> str:
        spec = self._settings
        return f"/apis/coordination.k8s.io/v1/namespaces/{spec.namespace}/leases/{spec.name}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
