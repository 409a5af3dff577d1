import os
import subprocess
import sys
from pathlib import Path

import pytest

from firelift.infra.terraform.mirror import own_platform
from firelift.sandbox.builds import ToolsError
from firelift.sandbox.provider import ensure_provider_mirror

GO = """#!/bin/sh
echo built >> "$COUNT"
sleep 0.3
mkdir -p "$GOBIN"
echo '#!/bin/sh' > "$GOBIN/terraform-provider-google"
"""
RACE = "from firelift.sandbox.provider import ensure_provider_mirror; print(ensure_provider_mirror())"


HERE = own_platform()
LAYOUTS = [
    f"7.45.0/{HERE}/terraform-provider-google_v7.45.0_x5",
    f"7.40.0/{HERE}/terraform-provider-google_v7.40.0_x5",
    f"terraform-provider-google_7.99.12_{HERE}.zip",
]
OTHERS = [
    (f"7.39.9/{HERE}/plugin", f"has 7.39.9 for {HERE}"),
    (f"8.0.0/{HERE}/plugin", f"has 8.0.0 for {HERE}"),
    (f"7.50.0-beta1/{HERE}/plugin", f"has 7.50.0-beta1 for {HERE}"),
    ("7.45.0/plan9_mips/plugin", "has 7.45.0 for plan9_mips"),
    (f"terraform-provider-google_6.1.0_{HERE}.zip", f"has 6.1.0 for {HERE}"),
    ("7.45.0.json", "has none of it"),
]


def place(mirror: Path, package: str) -> None:
    path = mirror / "registry.terraform.io/hashicorp/google" / package
    path.parent.mkdir(parents=True)
    path.touch()


@pytest.mark.parametrize("package", LAYOUTS)
def test_a_mirror_that_was_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    place(tmp_path, package)
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(tmp_path))

    assert ensure_provider_mirror() == tmp_path


@pytest.mark.parametrize(("package", "has"), OTHERS)
def test_a_mirror_without_a_provider_that_fits_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, has: str
) -> None:
    place(tmp_path, package)
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(tmp_path))

    with pytest.raises(ToolsError, match=rf"from 7\.40 and below 8\.0 for {HERE} .*{has}: make it with `terraform"):
        ensure_provider_mirror()


def test_a_mirror_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(tmp_path / "nowhere"))

    with pytest.raises(ToolsError, match="nowhere is no directory"):
        ensure_provider_mirror()


def test_two_runs_that_race_build_one_mirror(tmp_path: Path) -> None:
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text(GO)
    go.chmod(0o755)
    changed = {
        "PATH": f"{go.parent}{os.pathsep}{os.environ['PATH']}",
        "FIRELIFT_CACHE": str(tmp_path / "cache"),
        "COUNT": str(tmp_path / "count"),
    }
    environment = {key: value for key, value in os.environ.items() if key != "FIRELIFT_PROVIDER_MIRROR"} | changed

    runs = [
        subprocess.Popen([sys.executable, "-c", RACE], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [run.communicate(timeout=60)[0].strip() for run in runs]

    assert answers[0] == answers[1] != ""
    assert (tmp_path / "count").read_text() == "built\n"
    plugins = list(Path(answers[0]).glob("registry.terraform.io/hashicorp/google/7.45.0/*/terraform-provider-google_*"))
    assert [plugin.name for plugin in plugins] == ["terraform-provider-google_v7.45.0_x5"]
