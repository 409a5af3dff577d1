"""Small configurations on what is built into Terraform, and the processes that a run has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firelift.infra.terraform.backend import Backend, LocalBackend
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.runner import PythonTerraformRunner
from firelift.infra.terraform.settings import TerraformSettings

PATIENT = Limits(deadline_seconds=60, grace_seconds=20)


@dataclass(frozen=True)
class Scene:
    """A runner, the folder of its workspaces, and the state that its configurations share."""

    folder: Path
    runner: PythonTerraformRunner
    settings: TerraformSettings
    state: Backend

    def configuration(self, document: Mapping[str, Any], **more: Any) -> Configuration:
        """One root module; `variables` and `secrets` as in a `Configuration`."""
        return Configuration({"main.tf.json": json.dumps(document)}, self.state, **more)

    def with_settings(self, **changes: Any) -> Scene:
        """The same with other settings, and a runner of its own."""
        settings = replace(self.settings, **changes)
        return replace(self, settings=settings, runner=PythonTerraformRunner(settings))

    @property
    def workspaces(self) -> list[Path]:
        """The workspaces that are there now."""
        return sorted(self.settings.root.glob("firelift-tf-*"))


def scene(folder: Path) -> Scene:
    """Make one below a folder of the test's own."""
    root = folder / "w"
    root.mkdir()
    settings = replace(
        TerraformSettings.from_environment({"PATH": "/usr/local/bin:/usr/bin:/bin"}),
        root=root,
        limits=PATIENT,
        lock_timeout_seconds=0,
    )
    return Scene(
        folder, PythonTerraformRunner(settings), settings, LocalBackend(folder / "state" / "terraform.tfstate")
    )


def data(**inputs: Any) -> dict[str, Any]:
    """One `terraform_data` for each name, holding the value."""
    return {"resource": {"terraform_data": {name: {"input": value} for name, value in inputs.items()}}}


def slow(directory: Path, *, seconds: int = 600, stubborn: bool = False) -> dict[str, Any]:
    """A resource whose creation leaves its process id in `directory/pid` and takes its time.

    A stubborn one freezes Terraform, which then hears nothing.
    """
    freeze = "kill -STOP $PPID; " if stubborn else ""
    command = f"{freeze}echo $$ > {directory}/pid.new; mv {directory}/pid.new {directory}/pid; exec sleep {seconds}"
    return {
        "resource": {"terraform_data": {"slow": {"provisioner": [{"local-exec": {"command": command}}]}}},
    }


def processes_below(folder: Path) -> list[int]:
    """Process ids whose command line or working directory lies below `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_text(errors="replace")
            here = (entry / "cwd").readlink()
        except OSError:
            continue
        if str(folder) in line or here.is_relative_to(folder):
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet reaped does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
