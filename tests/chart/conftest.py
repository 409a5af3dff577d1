"""Helm, and what it makes of the chart."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chart.charts import Chart


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Helm keeps what it needs between two calls."""
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="session")
def chart(helm: Path) -> Chart:
    return Chart(helm)
