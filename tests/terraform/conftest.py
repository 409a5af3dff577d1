"""The provider mirror, built before the first test that needs it, and a configuration of the test's own."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud, stand_in
from tests.terraform.configuration import Configuration

from firelift.sandbox.google_cloud import GoogleCloud
from firelift.sandbox.provider import ensure_provider_mirror


@pytest.fixture(scope="session")
def provider_mirror() -> Path:
    return ensure_provider_mirror()


@pytest.fixture
def unconnected(tmp_path: Path, provider_mirror: Path) -> Configuration:
    """A configuration that no API stands behind: it may be planned."""
    return Configuration(tmp_path, provider_mirror, {"GOOGLE_OAUTH_ACCESS_TOKEN": "test"})


@pytest.fixture(scope="session")
def google() -> Iterator[GoogleCloud]:
    with stand_in() as google:
        yield google


@pytest.fixture
def cloud(google: GoogleCloud) -> Iterator[Cloud]:
    """A project of the test's own in the stand-in, whose faults end with the test."""
    cloud = Cloud(google, f"test-{uuid.uuid4().hex[:8]}")
    yield cloud
    cloud.healed()


@pytest.fixture
def terraform(tmp_path: Path, provider_mirror: Path, cloud: Cloud) -> Configuration:
    """A configuration before the stand-in, of the same project."""
    return Configuration(tmp_path, provider_mirror, cloud.environment, cloud.project)
