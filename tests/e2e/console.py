"""An operator whose log is for a console, and that serves the page: what people see who look at it themselves."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus

from tests.e2e.conftest import LEASE_SECONDS, SETTINGS
from tests.e2e.objects import ObjectWorld

from firelift.sandbox.ports import free_port
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class ConsoleOperator:
    """A process of the sandbox; `health` and `page` are ports of 127.0.0.1."""

    process: Process
    health: int
    page: int

    @property
    def log(self) -> str:
        """What it has said."""
        return self.process.log.read_text(encoding="utf-8")

    def shown(self, world: ObjectWorld) -> str:
        """What the page has of the object; empty before it has anything."""
        try:
            return _read(self.page, f"/api/{_KINDS[world.kind]}/{world.namespace}/{world.name}")
        except OSError as error:
            if not _nobody_yet(error):
                raise
            return ""

    def looked_at(self, world: ObjectWorld) -> dict[str, str]:
        """All that it tells, by where it is seen."""
        return {
            "console": self.log,
            "page": _read(self.page, "/api/objects"),
            "page of the object": self.shown(world),
            "metrics of the console's operator": _read(self.health, "/metrics"),
        }


def start_console_operator(sandbox: Sandbox, name: str) -> ConsoleOperator:
    """Start one; it leads as soon as nobody else does."""
    health, page = free_port(), free_port()
    ours = {
        "FIRELIFT_LOG_FORMAT": "console",
        "FIRELIFT_HEALTH_PORT": str(health),
        "FIRELIFT_PAGE_PORT": str(page),
        "FIRELIFT_LEASE_DURATION_SECONDS": str(LEASE_SECONDS),
    }
    return ConsoleOperator(sandbox.start_operator(name, {**SETTINGS, **ours}), health, page)


_KINDS = {"MigrationRollout": "rollouts", "FirestoreEnvironment": "environments"}


def _read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read().decode())


def _nobody_yet(error: OSError) -> bool:
    """The process has just begun, or the object has not had its first turn there."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code == HTTPStatus.NOT_FOUND
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)
