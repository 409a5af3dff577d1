"""The pytest fixture: ``pytest_plugins = ["firelift.testing.plugin"]`` in a conftest.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from firelift.testing.tester import TransformTester


@pytest.fixture
def firelift_migration(request: pytest.FixtureRequest) -> Callable[..., TransformTester]:
    """``firelift_migration("rollout.yaml", "fitness-logs")``: the file is looked for beside the test."""

    def of(manifest: str, migration: str, **options: Any) -> TransformTester:
        return TransformTester.of_manifest(request.path.parent / manifest, migration, **options)

    return of
