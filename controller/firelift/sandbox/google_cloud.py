"""The Google Cloud stand-in as a component of the sandbox: a child process of its own."""

import json
import sys
from pathlib import Path

from firelift.sandbox.processes import Process, Supervisor

_READY_SECONDS = 60.0


class GoogleCloud:
    """What has no emulator: Cloud Monitoring and its faults, served by `firelift.sandbox.google`."""

    def __init__(self, supervisor: Supervisor, directory: Path) -> None:
        """Start it on free ports of its own choice; `wait` tells when it serves."""
        directory.mkdir(parents=True, exist_ok=True)
        self._ready_file = directory / "ready.json"
        command = [sys.executable, "-m", "firelift.sandbox.google", "--port=0", "--control-port=0"]
        self.process: Process = supervisor.start("google-cloud", [*command, f"--ready-file={self._ready_file}"])

    def wait(self) -> None:
        """Wait until it serves.

        Raises:
            ProcessError: it ended or was not ready in time.
        """
        self.process.wait_until(lambda: bool(self._addresses()), seconds=_READY_SECONDS)

    @property
    def monitoring_host(self) -> str:
        """`127.0.0.1:port` of its gRPC services."""
        return self._addresses()["monitoring"]

    @property
    def control_url(self) -> str:
        """`http://127.0.0.1:port` of the API that sets values and injects faults."""
        return self._addresses()["control"]

    def _addresses(self) -> dict[str, str]:
        try:
            addresses: dict[str, str] = json.loads(self._ready_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # not written yet, or not to its end
            return {}
        return addresses
