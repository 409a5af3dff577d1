"""Letting go of one object: its runs hold, its Jobs are removed, its status says so, its finalizer is taken off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from firelift.api.run import RunControl, RunState
from firelift.kube import jobs
from firelift.kube.client import Cluster, Json
from firelift.kube.environments import ENVIRONMENTS, EnvironmentObject
from firelift.kube.errors import Changed, NotFound
from firelift.kube.job_manifest import label_selector
from firelift.kube.objects import CustomObject, CustomResource
from firelift.kube.rollouts import ROLLOUTS, RolloutObject
from firelift.migration.errors import MigrationError
from firelift.migration.ledger.runs import RunStore
from firelift.operator import status as statuses
from firelift.operator.databases import Databases
from firelift.operator.ground import status as ground_statuses
from firelift.operator.settings import Settings
from firelift.rollout.observation import Rollout

_TRIES = 5
_UNINSTALLED = "the operator has been uninstalled, and nothing happens here until it is installed again"

Parsed = TypeVar("Parsed")


class StillDeleting(Exception):
    """Objects are being deleted, and only an operator can finish that."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"{found}: being deleted, which only the operator can finish, so the operator stays; wait until it is gone "
            "(its status says what it waits for), or uninstall with --no-hooks and take its finalizer off"
        )


async def objects(
    cluster: Cluster, kind: CustomResource[Parsed], namespaces: Sequence[str]
) -> list[CustomObject[Parsed]]:
    """All objects of a kind in these namespaces, none named meaning all; none where the kind is not installed."""
    with suppress(NotFound):
        return [each for namespace in namespaces or ("",) for each in await kind.listed(cluster, namespace)]
    return []


@dataclass(frozen=True, slots=True)
class Leaving:
    """Lets go of objects, one after the other. Doing it twice is doing it once."""

    cluster: Cluster
    databases: Databases
    epoch: int
    settings: Settings
    log: structlog.stdlib.BoundLogger

    async def rollout(self, seen: RolloutObject) -> None:
        """Hold its runs, remove their Jobs, let it go. A database that does not answer hinders nothing but the first.

        Raises:
            StillDeleting: somebody has deleted it, and its finalizer stays.
            KubeError: the API server refused, or somebody kept changing the object.
        """
        if not seen.held:
            return
        found = await jobs.of_rollout(self.cluster, seen.namespace, label_selector(seen.name), seen.uid)
        if seen.value is not None and found:
            await self._hold(seen.value, sorted(set(found.values())))
        for name in sorted(found):
            await jobs.remove(self.cluster, seen.namespace, name, seen.uid)
        await self._let_go(ROLLOUTS, seen, statuses.with_trouble)
        self.log.info("rollout let go", rollout=f"{seen.namespace}/{seen.name}", runs_held=len(found))

    async def environment(self, seen: EnvironmentObject) -> None:
        """Let it go; its ground and Terraform's state stay as they are.

        Raises:
            KubeError: as above.
        """
        if not seen.held:
            return
        await self._let_go(ENVIRONMENTS, seen, ground_statuses.with_trouble)
        self.log.info("environment let go", environment=f"{seen.namespace}/{seen.name}")

    async def _hold(self, rollout: Rollout, runs: Sequence[str]) -> None:
        store = RunStore(self.databases.store(rollout.spec.database), rollout.ledger_id)
        control = RunControl(state=RunState.HOLD, epoch=self.epoch, lease_seconds=self.settings.run_lease_seconds)
        try:
            async with asyncio.timeout(self.settings.database_timeout_seconds):
                for run, document in (await store.read(runs)).items():
                    if document is not None and document.control.state is RunState.RUN:
                        await store.ensure(document.plan, control)
                        self.log.info("run held", ledger=rollout.ledger_id, run=run)
        except (MigrationError, TimeoutError) as error:
            # Without its Job nobody works on the run, and without an operator no lease of it is renewed.
            self.log.warning(
                "runs not held, their Jobs are removed",
                ledger=rollout.ledger_id,
                error=str(error) or "no answer in time",
            )

    async def _let_go(
        self, kind: CustomResource[Parsed], seen: CustomObject[Parsed], with_trouble: statuses.Troubled
    ) -> None:
        current: CustomObject[Parsed] | None = seen
        for attempt in range(1, _TRIES + 1):
            try:
                if current is not None and current.held and current.deleting:
                    raise StillDeleting(f"{kind.kind} {seen.namespace}/{seen.name}")
                if current is not None and current.held:
                    status = self._told(current, with_trouble)
                    await kind.let_go(self.cluster, await kind.write_status(self.cluster, current, status))
            except Changed:
                if attempt == _TRIES:
                    raise
                current = await kind.read(self.cluster, seen.namespace, seen.name)
            else:
                return

    def _told(self, seen: CustomObject[Parsed], with_trouble: statuses.Troubled) -> Json:
        return with_trouble(seen.status, _UNINSTALLED, generation=seen.generation, now=datetime.now(UTC))
