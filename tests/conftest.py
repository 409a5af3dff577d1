"""The real parts, started once per session and only when a test asks for them."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.waiting import eventually

from firelift.sandbox.emulator import Emulator
from firelift.sandbox.helm import ensure_helm
from firelift.sandbox.processes import Supervisor
from firelift.sandbox.provider import ensure_provider_mirror
from firelift.sandbox.sandbox import Sandbox
from firelift.sandbox.tools import ensure_control_plane


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the tests need before the first of them: minutes that are no test's own, and are seen."""
    used = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        if "sandbox" in used:
            ensure_control_plane()
        if used & {"sandbox", "helm"}:
            ensure_helm()
        if used & {"sandbox", "provider_mirror"}:
            ensure_provider_mirror()


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[Emulator]:
    directory = Path(tempfile.mkdtemp(prefix="firelift-emulator-"))
    with Supervisor(directory, remove=True) as supervisor:
        emulator = Emulator(supervisor)
        emulator.wait()
        yield emulator


@pytest.fixture(scope="session")
def emulator(emulator_process: Emulator) -> str:
    """The Firestore emulator's `127.0.0.1:port`; a test keeps to itself by a project id of its own."""
    return emulator_process.host


@pytest.fixture(scope="session")
def sandbox(emulator_process: Emulator) -> Iterator[Sandbox]:
    """One control plane with a node, the emulator and the Google Cloud stand-in; a test uses its own namespace."""
    with Sandbox(emulator=emulator_process) as sandbox:
        yield sandbox


@pytest.fixture
def namespace(sandbox: Sandbox) -> Iterator[str]:
    """A namespace of the test's own, whose pods may be created; it is deleted behind the test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    sandbox.kubectl("create", "namespace", name)
    eventually(lambda: "default" in sandbox.kubectl("get", "serviceaccounts", f"--namespace={name}", "-o", "name"))
    yield name
    sandbox.kubectl("delete", "namespace", name, "--wait=false")
