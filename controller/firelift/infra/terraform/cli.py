"""python-terraform, made safe: its command lines, our processes.

The library runs without a deadline, shares temporary variable files between calls, logs variables and outputs, takes
any misspelt method for a command and reads the backend's credentials when it is made. None of that is left: one
instance is one run's, `cmd` is ours and is awaited, and variables come from files of the workspace.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from python_terraform import Terraform

from firelift.infra.terraform.process import Ended, Limits, Place, run
from firelift.infra.terraform.workspace import Workspace

_OF_THE_LIBRARY = ("capture_output", "raise_on_error", "synchronous", "var", "var_file", "state")


@dataclass(frozen=True)
class Command:
    """A Terraform command that has ended, and the files with what it said."""

    ended: Ended
    stdout: Path
    stderr: Path


class TerraformCli(Terraform):  # type: ignore[misc] # the library has no types
    """One run's Terraform. `init`, `plan` and `cmd` are awaited; `destroy` and `output` are not for use."""

    def __init__(self, binary: str, workspace: Workspace, environment: Mapping[str, str], limits: Limits) -> None:
        super().__init__(working_dir=str(workspace.module), terraform_bin_path=binary)
        self._workspace = workspace
        self._environment = dict(environment)
        self._limits = limits
        self._numbers = itertools.count()

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Terraform has no {name!r} here; commands go through cmd")

    def read_state_file(self, file_path: str | None = None) -> None:
        """Read nothing: the library keeps the backend's configuration in memory, credentials included."""

    async def cmd(self, cmd: str, *args: str, **kwargs: Any) -> Command:
        """Run one command within the run's limits; options as the library spells them."""
        options = {key: value for key, value in kwargs.items() if key not in _OF_THE_LIBRARY}
        command: list[str] = self.generate_cmd_string(cmd, *args, **options)
        log = self._workspace.logs / f"{next(self._numbers)}-{cmd.replace(' ', '-')}"
        place = Place(
            directory=self._workspace.module,
            environment=self._environment,
            stdout=log.with_suffix(".out"),
            stderr=log.with_suffix(".err"),
            owner=self._workspace.owner,
        )
        return Command(await run(command, place, self._limits), place.stdout, place.stderr)
