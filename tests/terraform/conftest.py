"""The provider mirror, built before the first test that needs it, and a configuration of the test's own."""

from pathlib import Path

import pytest
from tests.terraform.configuration import Configuration

from firelift.sandbox.provider import ensure_provider_mirror


@pytest.fixture(scope="session")
def provider_mirror() -> Path:
    return ensure_provider_mirror()


@pytest.fixture
def unconnected(tmp_path: Path, provider_mirror: Path) -> Configuration:
    """A configuration that no API stands behind: it may be planned."""
    return Configuration(tmp_path, provider_mirror, {"GOOGLE_OAUTH_ACCESS_TOKEN": "test"})
