"""The part of the operator that looks after environments: made when it begins to lead, ended before it stops."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from firelift.infra.terraform.modules import bundled_modules
from firelift.infra.terraform.runner import PythonTerraformRunner
from firelift.infra.terraform.settings import TerraformSettings
from firelift.operator.ground.operators import Claim, Operators
from firelift.operator.ground.reconcile import Reconciler
from firelift.operator.ground.runs import Runs
from firelift.operator.ground.services import Ground
from firelift.operator.pulse import Pulse
from firelift.operator.services import Services
from firelift.operator.wakeups import Key, Loops

_DIRECTORY = "firelift-operators"


class Grounds:
    """The loops of all environments, and what Terraform does for them."""

    def __init__(self, services: Services, pulse: Pulse) -> None:
        settings = services.settings
        root = Path(settings.terraform_directory or Path(tempfile.gettempdir()) / _DIRECTORY)
        self._claim = Claim(root, settings.identity)
        unwritten = self._claim.tidy()
        for state in unwritten:
            services.log.error("a state was never written: push it by `terraform state push`", file=str(state))
        self._runs = Runs(self._poke, services.log, services.metrics.terraform)
        terraform = replace(
            TerraformSettings.from_environment(os.environ),
            root=self._claim.directory,
            concurrency=settings.terraform_runs,
            lock_timeout_seconds=settings.terraform_lock_seconds,
        )
        ground = Ground(
            services=services,
            runner=PythonTerraformRunner(terraform),
            runs=self._runs,
            operators=Operators(services.cluster, self._claim, services.now()),
            namespace=settings.ground_namespace,
            unwritten=tuple(unwritten),
            modules=bundled_modules(Path(settings.terraform_modules) if settings.terraform_modules else None),
        )
        turn = Reconciler(ground).turn
        longest = settings.turn_timeout_seconds
        self.loops = Loops(turn, pulse, longest_turn_seconds=longest, kind="environment")

    async def stop(self) -> None:
        """End the turns, then the runs: each is interrupted, writes its state and releases its lock."""
        await self.loops.stop()
        await self._runs.stop()
        self._claim.release()

    def _poke(self, key: Key) -> None:
        self.loops.poke(key)
