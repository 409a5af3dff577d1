from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from firelift.operator.settings import Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs/operator.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`FIRELIFT_{name.upper()}`" in PAGE


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRELIFT_NAMESPACES", "shop, ,tasks")
    monkeypatch.setenv("FIRELIFT_LEASE_DURATION_SECONDS", "3")
    monkeypatch.setenv("FIRELIFT_WORKER_IMAGE", "")

    settings = Settings()

    assert settings.watched_namespaces == ("shop", "tasks")
    assert settings.lease_duration_seconds == 3
    assert settings.worker_image


@pytest.mark.parametrize(
    ("name", "value"), [("LEASE_DURATION_SECONDS", "0"), ("HEALTH_PORT", "70000"), ("LOG_FORMAT", "xml")]
)
def test_a_setting_out_of_bounds_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FIRELIFT_{name}", value)

    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_two_processes_have_two_identities() -> None:
    assert Settings().identity != Settings().identity
