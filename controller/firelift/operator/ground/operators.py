"""Which operators may still have Terraform at work: one that ended leaves nothing behind, one that froze does.

Each process holds a locked file in a directory of its own, and so does each of its runs; the kernel lets go of the
locks, whatever ended the process. That is seen by whoever has the same directories. Of an operator elsewhere the API
server says whether its pod is there, if it was one. Of any other nothing can be told, and it counts as alive.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from firelift.environment.holders import Pod, Worked
from firelift.environment.observation import Operator
from firelift.environment.state import EnvironmentState
from firelift.infra.terraform.workspace import sweep
from firelift.kube import pods
from firelift.kube.client import Cluster
from firelift.kube.pods import PodSeen

_OWNER = "owner"
_PLACE = "place"
Pods: TypeAlias = Mapping[str, PodSeen] | None
"""Those of a namespace that have not ended, by their uids; None when they may not be listed."""


@dataclass(slots=True)
class Claim:
    """This process's own directory below `root`, where its runs have theirs; it is held until the process ends."""

    root: Path
    id: str
    host: str = field(default_factory=socket.gethostname)
    directory: Path = field(init=False)
    place: str = field(init=False)
    """What is the same for all who have the same `root`, and for nobody else."""
    _held: int = field(init=False)

    def __post_init__(self) -> None:
        self.directory = self.root / _safe(self.id)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = os.open(self.directory / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.place = self._named_place()

    def release(self) -> None:
        """Remove what is left, but for a state that was never written; nothing of this process may be at work."""
        if not sweep(self.directory):
            shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self._held)

    def lives(self, other: str) -> bool:
        """Whether another operator of this machine, or a run that it began, has not ended yet."""
        directory = self.root / _safe(other)
        return any(_locked(path) for path in (directory / _OWNER, *directory.glob(f"*/{_OWNER}")))

    def tidy(self) -> list[Path]:
        """Remove what operators left that have ended; the states that were never written stay, and are returned."""
        kept: list[Path] = []
        for directory in sorted(self.root.iterdir()):
            if not directory.is_dir() or directory == self.directory or self.lives(directory.name):
                continue
            if unwritten := sweep(directory):
                kept += unwritten
            else:
                shutil.rmtree(directory, ignore_errors=True)
        return kept

    def _named_place(self) -> str:
        """Read the name of `root`, or give it one."""
        with (self.root / _PLACE).open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            name = file.read()
            if not name:
                name = secrets.token_hex(16)
                file.write(name)
        return name


class Operators:
    """This operator, and what can be told from here of those that began runs before it."""

    def __init__(self, cluster: Cluster, claim: Claim, started: datetime) -> None:
        self._cluster = cluster
        self._claim = claim
        self._started = started
        self._pod: Pod | None = None
        self._asked = False

    async def seen(self, state: EnvironmentState) -> Operator:
        """This operator, and those of the memory's runs that may be at work.

        Raises:
            KubeError: the API server could not be asked.
        """
        claim, pod = self._claim, await self._own_pod()
        others = [each for each in state.worked if each.by != claim.id and each.ended is None]
        judged = await self._namespaces(others, pod if state.lock is not None else None)
        verdicts = [(each.by, self._lives(each, judged)) for each in others]
        here = judged.get(pod.namespace) if pod is not None else None
        return Operator(
            id=claim.id,
            host=claim.host,
            alive=frozenset({claim.id} | {by for by, lives in verdicts if lives is not False}),
            hosts=frozenset({claim.host} | {each.pod.name for each in (here or {}).values()}),
            unseen=frozenset(by for by, lives in verdicts if lives is None),
            place=claim.place,
            # A clock that was put back says nothing of which container a run was begun in.
            pod=pod if datetime.now(UTC) >= self._started else None,
        )

    def _lives(self, run: Worked, judged: Mapping[str, Pods]) -> bool | None:
        """Whether its operator or the run itself may be at work; None when that cannot be told from here."""
        if run.place == self._claim.place:
            return self._claim.lives(run.by)
        if run.pod is None or (pods := judged[run.pod.namespace]) is None:
            return None
        there = pods.get(run.pod.uid)
        # A container that began after the run has none of its processes.
        return there is not None and (there.renewed is None or there.renewed <= run.started)

    async def _namespaces(self, others: list[Worked], pod: Pod | None) -> dict[str, Pods]:
        far = {each.pod.namespace for each in others if each.pod is not None and each.place != self._claim.place}
        wanted = sorted(far | ({pod.namespace} if pod is not None else set()))
        return {name: await pods.living(self._cluster, name) for name in wanted}

    async def _own_pod(self) -> Pod | None:
        if not self._asked:
            self._pod = await pods.own(self._cluster)
            self._asked = True
        return self._pod


def _locked(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
