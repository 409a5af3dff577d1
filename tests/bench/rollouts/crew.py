"""`python -m tests.bench.rollouts.crew`: the workers of all Jobs in one process, as tasks.

A hundred pods would be a hundred Python interpreters on two processors, and the bench would measure those. The work is
the worker's own: lanes, journal, lease, watch and pace, on the database that the rollout names. The pods themselves
stay pending, which a Job counts as active.
"""

from __future__ import annotations

import asyncio
from functools import partial

from firelift.api.base import RUN_ANNOTATION
from firelift.kube.client import Cluster, Json
from firelift.migration.entities.closing import ListedOnce
from firelift.migration.errors import MigrationError
from firelift.migration.processors.build import build
from firelift.migration.store import Store
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import open_firestore

_EVERY_SECONDS = 2.0
"""All Jobs are listed each time, which is the API server's work too."""

_JOBS = "/apis/batch/v1/jobs"


class Crew:
    """One task for each index of each Job."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stores: dict[str, Store] = {}
        self._known: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Take on what comes, for ever."""
        while True:
            for job in (await self._cluster.get(_JOBS, resourceVersion="0"))["items"]:
                if (uid := job["metadata"]["uid"]) not in self._known:
                    self._known.add(uid)
                    for index in range(job["spec"].get("completions", 1)):
                        task = asyncio.create_task(self._work(job, index))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(_EVERY_SECONDS)

    async def _work(self, job: Json, index: int) -> None:
        told = {each["name"]: each.get("value", "") for each in _container(job)["env"]}
        run = job["metadata"]["annotations"][RUN_ANNOTATION]
        share = Share(told["FIRELIFT_LEDGER"], run, index, int(told["FIRELIFT_WORKERS"]))
        project = told["FIRELIFT_PROJECT"]
        store = self._stores.setdefault(project, open_firestore(project))
        try:
            await work(store, share, partial(build, listed=ListedOnce()))
        except MigrationError as error:
            print(f"{share}: {error}", flush=True)  # noqa: T201 - this is a program


def _container(job: Json) -> Json:
    container: Json = job["spec"]["template"]["spec"]["containers"][0]
    return container


async def main() -> None:
    """Work until the process is ended."""
    await Crew(await Cluster.connect()).serve()


if __name__ == "__main__":
    asyncio.run(main())
