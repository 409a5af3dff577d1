"""The provider mirror, built before the first test that needs it, and a configuration of the test's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration

from firelift.sandbox.google_cloud import GoogleCloud
from firelift.sandbox.processes import Supervisor
from firelift.sandbox.provider import ensure_provider_mirror


@pytest.fixture(scope="session")
def provider_mirror() -> Path:
    return ensure_provider_mirror()


@pytest.fixture
def unconnected(tmp_path: Path, provider_mirror: Path) -> Configuration:
    """A configuration that no API stands behind: it may be planned."""
    return Configuration(tmp_path, provider_mirror, {"GOOGLE_OAUTH_ACCESS_TOKEN": "test"})


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """Run a stand-in that is empty."""
    directory = Path(tempfile.mkdtemp(prefix="firelift-cloud-"))
    with Supervisor(directory, remove=True) as supervisor:
        google = GoogleCloud(supervisor, directory / "google")
        google.wait()
        yield Cloud(google)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A stand-in of the test's own."""
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture
def terraform(tmp_path: Path, provider_mirror: Path, cloud: Cloud) -> Configuration:
    """A configuration before the stand-in."""
    return Configuration(tmp_path, provider_mirror, cloud.environment)


@pytest.fixture(scope="module")
def module_terraform(tmp_path_factory: pytest.TempPathFactory, provider_mirror: Path) -> Iterator[Configuration]:
    """A configuration that the tests of a module share, before a stand-in of theirs."""
    with running_cloud() as cloud:
        yield Configuration(tmp_path_factory.mktemp("shared"), provider_mirror, cloud.environment)
