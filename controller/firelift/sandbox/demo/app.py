"""The live application: a process that reads and writes through all phases, as its flags tell it.

It writes optimistically, as the Firestore guides teach: read, decide, write under the version that was read. Every
acknowledged write goes into a log, and every request into a metric. `TASKS_READ_NEW` at 50 % or more wakes a defect in
the app's new read path, which is what the second rollout's gate has to find.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1 import AsyncDocumentReference, DocumentSnapshot

from firelift.sandbox.demo import data, shapes
from firelift.sandbox.demo.aim import Aim
from firelift.sandbox.demo.flags import Flags
from firelift.sandbox.demo.log import Change, WriteLog
from firelift.sandbox.demo.manifests import Team
from firelift.sandbox.demo.metrics import Metrics

USERS_AT_ONCE = 6
THINK_SECONDS = 0.05
AIMED = 0.7
TRIES = 50
DEFECT_FROM_PERCENT = 50
DEFECT_RATIO = 0.08


class App:
    """A few users at once, each doing one thing after another."""

    def __init__(
        self, client: AsyncClient, flags: Flags, aim: Aim, metrics: Metrics, log: WriteLog, *, scale: float
    ) -> None:
        self._client = client
        self._flags = flags
        self._aim = aim
        self._metrics = metrics
        self._log = log
        made = data.documents(client, scale)
        self._users = data.user_ids(scale)
        self._logs = sorted(path for path in made if path.startswith("fitness_logs/"))
        self._tasks = sorted(path for path in made if path.startswith("tasks/"))
        self._busy: set[str] = set()
        self._numbers = itertools.count()

    async def use(self, number: int, stopped: asyncio.Event) -> None:
        """One user, until the app stops."""
        random_ = random.Random(number)  # noqa: S311 - the same habits each time, not a secret
        actions: list[Callable[[random.Random], Awaitable[None]]] = [
            *(self._update_log, self._update_log, self._read_log, self._create_log, self._delete_log),
            *(self._update_task, self._reassign_task, self._read_task, self._read_task),
        ]
        while not stopped.is_set():
            await random_.choice(actions)(random_)
            await asyncio.sleep(THINK_SECONDS)

    def _pick(self, random_: random.Random, collection: str, paths: list[str]) -> str:
        """Mostly a document that a worker has read and not committed yet; never one that another user holds."""
        aimed = self._aim.ahead(collection, paths)
        while True:
            path = random_.choice(aimed) if aimed and random_.random() < AIMED else random_.choice(paths)
            if path not in self._busy:
                return path
            aimed = ()

    async def _update_log(self, random_: random.Random) -> None:
        await self._change_log(random_, {"calories": random_.randrange(2_000), "edited": next(self._numbers)})

    async def _delete_log(self, random_: random.Random) -> None:
        if random_.random() < 0.1:  # noqa: PLR2004 - people rarely delete
            await self._change_log(random_, None)

    async def _change_log(self, random_: random.Random, change: Change | None) -> None:
        path = self._pick(random_, "fitness_logs", self._logs)
        await self._alone(path, change, lambda snapshot: self._write_log(snapshot, change), "logs")

    async def _write_log(self, old: DocumentSnapshot[Any], change: Change | None) -> Change | None:
        fields = old.to_dict() or {}
        batch = self._client.batch()
        unchanged = self._client.write_option(last_update_time=old.update_time)
        new = self._client.document(shapes.new_log_path(old.id, fields))
        both = shapes.opened(self._flags.data, "LOGS_WRITE_BOTH", fields["userId"])
        if change is None:
            batch.delete(old.reference, unchanged)
            if both:
                batch.delete(new)
        else:
            batch.update(old.reference, change, unchanged)
            if both:
                batch.set(new, shapes.new_log(fields | change))
        await batch.commit()
        return change

    async def _create_log(self, random_: random.Random) -> None:
        user = random_.choice(self._users)
        log = {"userId": user, "type": "run", "calories": 100, "ts": 1_790_000_000 + next(self._numbers)}
        old = self._client.document(f"fitness_logs/live-{log['ts']}")
        batch = self._client.batch()
        batch.create(old, log)
        if shapes.opened(self._flags.data, "LOGS_WRITE_BOTH", user):
            batch.set(self._client.document(shapes.new_log_path(old.id, log)), shapes.new_log(log))
        await batch.commit()
        self._log.record(f"fitness_logs/{old.id}", log)
        self._metrics.count("logs", "ok")

    async def _read_log(self, random_: random.Random) -> None:
        path = random_.choice(self._logs)
        old = await self._client.document(path).get()
        if old.exists and shapes.opened(self._flags.data, "LOGS_READ_NEW", old.get("userId")):
            new = await self._client.document(shapes.new_log_path(old.id, old.to_dict() or {})).get()
            gone = not new.exists and (await old.reference.get()).exists
            self._metrics.count("logs", "error" if gone else "ok")
        else:
            self._metrics.count("logs", "ok")

    async def _update_task(self, random_: random.Random) -> None:
        await self._change_task(random_, {"done": random_.random() < 0.5, "touched": next(self._numbers)})  # noqa: PLR2004 - a coin

    async def _reassign_task(self, random_: random.Random) -> None:
        await self._change_task(random_, {"assignee": random_.choice(self._users)})

    async def _change_task(self, random_: random.Random, change: Change) -> None:
        path = self._pick(random_, "tasks", self._tasks)
        await self._alone(path, change, lambda snapshot: self._write_task(snapshot, change), "tasks")

    async def _write_task(self, task: DocumentSnapshot[Any], change: Change) -> Change:
        """Both shapes of a task are the same document, so its own fields tell which one it has."""
        moved = "assignedTo" in (task.to_dict() or {})
        shaped = {"assignedTo" if moved and name == "assignee" else name: value for name, value in change.items()}
        await task.reference.update(shaped, self._client.write_option(last_update_time=task.update_time))
        return change

    async def _read_task(self, random_: random.Random) -> None:
        task = await self._client.document(random_.choice(self._tasks)).get()
        percent = int(self._flags.data.get("TASKS_READ_NEW", "0"))
        defect = percent >= DEFECT_FROM_PERCENT and random_.random() < DEFECT_RATIO
        readable = {"assignee", "assignedTo"} & set(task.to_dict() or {})
        self._metrics.count("tasks", "ok" if readable and not defect else "error")

    async def _alone(
        self,
        path: str,
        change: Change | None,
        write: Callable[[DocumentSnapshot[Any]], Awaitable[Change | None]],
        service: str,
    ) -> None:
        """Change one document that no other user of the app is changing."""
        self._busy.add(path)
        try:
            result = await self._optimistic(self._client.document(path), write)
        finally:
            self._busy.discard(path)
        if result is not None:
            self._log.record(path, change)
        self._metrics.count(service, "ok")

    @staticmethod
    async def _optimistic(
        document: AsyncDocumentReference, write: Callable[[DocumentSnapshot[Any]], Awaitable[Any]]
    ) -> bool | None:
        """True once it is written, None when the document is gone."""
        for _ in range(TRIES):
            snapshot = await document.get()
            if not snapshot.exists:
                return None
            try:
                await write(snapshot)
            except (Aborted, FailedPrecondition, AlreadyExists, NotFound):
                continue
            return True
        raise RuntimeError(f"{document.path} changed {TRIES} times between a read and a write; the app gives up")


async def _run(team: Team, monitoring: str, log: Path, scale: float) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopped.set)
    client = AsyncClient(project=team.project)
    flags = Flags(team.namespace, "app-flags")
    aim = Aim(client, team.ledgers)
    metrics = Metrics(team.project, monitoring)
    with log.open("a") as file:
        app = App(client, flags, aim, metrics, WriteLog(file), scale=scale)
        async with asyncio.TaskGroup() as tasks:
            for follower in (flags.follow, aim.follow, metrics.report):
                tasks.create_task(follower(stopped))
            for number in range(USERS_AT_ONCE):
                tasks.create_task(app.use(number, stopped))


@click.command()
@click.option("--project", required=True)
@click.option("--monitoring", required=True)
@click.option("--namespace", required=True)
@click.option("--log", type=click.Path(path_type=Path), required=True)
@click.option("--scale", type=float, default=1.0)
def main(project: str, monitoring: str, namespace: str, log: Path, scale: float) -> None:
    """Run the application until SIGTERM, on data that was seeded with the same scale."""
    asyncio.run(_run(Team(namespace, project), monitoring, log, scale))


if __name__ == "__main__":
    main()
