"""The Google Cloud stand-in as a component of the sandbox: a child process of its own."""

import json
import sys
from pathlib import Path

from firelift.sandbox.processes import Process, Supervisor

_READY_SECONDS = 60.0
_ENDPOINTS = {
    "FIRESTORE": "fs/v1/",
    "RESOURCE_MANAGER": "crm/v1/",
    "IAM": "iam/v1/",  # service accounts and custom roles, before 7.30 of the provider
    "IAM_BETA": "iam/v1/",  # and since
    "SERVICE_USAGE": "su/v1/",
    "CLOUD_BILLING": "bill/v1/",
    "BILLING": "bb/v1/",  # budgets, up to 7.20 of the provider
    "BILLING_BUDGETS": "bb/v1/",  # and since
    "MONITORING": "mon/",  # its resources add v1/ and v3/ themselves
    "SECRET_MANAGER": "sm/v1/",
    "LOGGING": "log/v2/",
    "FIREBASERULES": "fr/v1/",
}


def provider_environment(rest_url: str) -> dict[str, str]:
    """Return the variables that point the `google` Terraform provider, configured by nothing else, at a stand-in.

    The universe's domain keeps a provider that reads it from asking Google who the token's user is, and sends an API
    without an endpoint of its own to a name that does not resolve.
    """
    endpoints = {f"GOOGLE_{api}_CUSTOM_ENDPOINT": f"{rest_url}/{prefix}" for api, prefix in _ENDPOINTS.items()}
    return {**endpoints, "GOOGLE_OAUTH_ACCESS_TOKEN": "sandbox", "GOOGLE_UNIVERSE_DOMAIN": "sandbox.invalid"}


class GoogleCloud:
    """What has no emulator: Cloud Monitoring, Firestore Admin and what Terraform calls: `firelift.sandbox.google`."""

    def __init__(self, supervisor: Supervisor, directory: Path, firestore_host: str) -> None:
        """Start it on free ports of its own choice, beside the emulator whose documents it exports and imports.

        `wait` tells when it serves.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._ready_file = directory / "ready.json"
        command = [sys.executable, "-m", "firelift.sandbox.google", f"--firestore-host={firestore_host}"]
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

    @property
    def rest_url(self) -> str:
        """`http://127.0.0.1:port` of its REST APIs; `provider_environment` makes the provider's variables of it."""
        return self._addresses()["rest"]

    def _addresses(self) -> dict[str, str]:
        try:
            addresses: dict[str, str] = json.loads(self._ready_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # not written yet, or not to its end
            return {}
        return addresses
