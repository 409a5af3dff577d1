"""The operators of a release of the chart, killed, frozen and started as the tests ask for it."""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chart.charts import NAMESPACE, Json
from tests.chart.release import Release
from tests.waiting import eventually

from firelift.sandbox.marks import CONTAINER_MARK, find


@dataclass(frozen=True, slots=True)
class DeployedOperator:
    """One container, from its start to its end; one that the node starts in its place is another."""

    pod: str
    container: str
    log: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return bool(find(CONTAINER_MARK, self.container))

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._signal(signal.SIGKILL)
        eventually(lambda: not self.running)

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its log."""
        with self.log.open(errors="replace") as log:
            return "".join(deque(log, maxlen=lines)).rstrip()

    def _signal(self, number: signal.Signals) -> None:
        for pid in find(CONTAINER_MARK, self.container):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


class DeployedOperators:
    """The replicas of the Deployment. One is there at the start of each test."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._replicas = 0
        self.current = self.start()

    def start(self) -> DeployedOperator:
        """Ask for one more replica; the newest is `current`."""
        before = self._containers()
        self._scale(self._replicas + 1)
        self.current = eventually(lambda: self._newest(before))
        return self.current

    def kill(self) -> None:
        """End the current one by SIGKILL, and let no other take its place."""
        # Frozen first: a container that ended before its pod is to go is started again, and may lead for a moment.
        self.current.pause()
        self._scale(0)
        eventually(lambda: all("deletionTimestamp" in pod["metadata"] for pod in self._release.pods()))
        self.current.kill()
        eventually(lambda: not self._release.pods())

    def restart(self) -> None:
        """Kill the current one; its pod is replaced at once, as on another node."""
        before = self._containers()
        self.current.pause()
        self._release.sandbox.kubectl("delete", "pod", self.current.pod, "-n", NAMESPACE, "--grace-period=0", "--force")
        self.current.kill()
        self.current = eventually(lambda: self._newest(before))

    def ensure(self) -> None:
        """One that runs, and no more."""
        if self._replicas != 1:
            self._scale(1)
        eventually(lambda: len(self._release.pods()) == 1)
        self.current = eventually(lambda: self._newest({}))

    def _scale(self, replicas: int) -> None:
        self._replicas = replicas
        scale = ("scale", "deployment/firelift-operator", f"--replicas={replicas}")
        self._release.sandbox.kubectl(*scale, "-n", NAMESPACE)

    def _containers(self) -> dict[str, Json]:
        """The pods with a container that runs, by the container's id."""
        running = {}
        for pod in self._release.pods():
            for container in pod["status"].get("containerStatuses", ()):
                if "running" in container["state"]:
                    running[container["containerID"]] = pod
        return running

    def _newest(self, before: dict[str, Json]) -> DeployedOperator | None:
        fresh = [(name, pod) for name, pod in self._containers().items() if name not in before]
        for container, pod in fresh:
            metadata = pod["metadata"]
            folder = f"{NAMESPACE}_{metadata['name']}_{metadata['uid']}"
            logs = sorted((self._release.sandbox.directory / "kubelet" / "logs" / folder / "operator").glob("*.log"))
            if logs:
                return DeployedOperator(metadata["name"], container, logs[-1])
        return None
