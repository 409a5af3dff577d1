"""The runner on python-terraform and the real binary."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from firelift.infra.terraform.cli import TerraformCli
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.errors import TerraformUnavailable
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.session import Session
from firelift.infra.terraform.settings import TerraformSettings
from firelift.infra.terraform.workspace import workspace

_OLDEST = (1, 11)  # write-only arguments, which keep secrets out of plan and state
_VERSION_SECONDS = 30.0


class PythonTerraformRunner:
    """A `TerraformRunner` whose processes end when this one does, however it ends."""

    def __init__(self, settings: TerraformSettings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(settings.concurrency)
        self._checked = False

    @asynccontextmanager
    async def open(
        self,
        configuration: Configuration,
        *,
        lock_file: str = "",
        environment: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> AsyncIterator[Session]:
        """See `TerraformRunner.open`."""
        settings = replace(
            self._settings,
            environment={**self._settings.environment, **(environment or {})},
            limits=limits or self._settings.limits,
        )
        async with self._places:
            with workspace(configuration, settings) as made:
                complete = made.environment(settings.environment)
                cli = TerraformCli(settings.binary, made, complete, settings.limits)
                await self._check_version(cli)
                session = Session(cli, made, made.redactor(complete), settings)
                await session.init(lock_file)
                yield session

    async def _check_version(self, cli: TerraformCli) -> None:
        if self._checked:
            return
        binary = self._settings.binary
        try:
            said = await asyncio.wait_for(cli.cmd("version -json"), _VERSION_SECONDS)
        except TimeoutError as error:
            raise TerraformUnavailable(
                f"asked {binary} for its version: no answer within {_VERSION_SECONDS:g} s"
            ) from error
        try:
            version = str(json.loads(said.stdout.read_text())["terraform_version"])
            found = tuple(int(part) for part in version.partition("-")[0].split(".")[:2])
        except (ValueError, KeyError, TypeError) as error:
            raise TerraformUnavailable(
                f"asked {binary} for its version: it ended with code {said.ended.code} and told none; "
                "set TERRAFORM_BIN to a Terraform of version 1.11 or newer"
            ) from error
        if not _OLDEST <= found < (2, 0):
            raise TerraformUnavailable(f"{binary} is Terraform {version}; 1.11 or newer, below 2, is needed")
        self._checked = True
