import os
import subprocess
import sys
from pathlib import Path

import pytest

from firelift.sandbox.builds import ToolsError
from firelift.sandbox.provider import ensure_provider_mirror

GO = """#!/bin/sh
echo built >> "$COUNT"
sleep 0.3
mkdir -p "$GOBIN"
echo '#!/bin/sh' > "$GOBIN/terraform-provider-google"
"""
RACE = "from firelift.sandbox.provider import ensure_provider_mirror; print(ensure_provider_mirror())"


def test_a_mirror_that_was_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "registry.terraform.io/hashicorp/google").mkdir(parents=True)
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(tmp_path))

    assert ensure_provider_mirror() == tmp_path


def test_a_mirror_without_the_provider_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(tmp_path))

    with pytest.raises(ToolsError, match="terraform providers mirror"):
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
