"""Which operators may still have Terraform at work: one that ended leaves nothing behind, one that froze does.

On this machine each process holds a locked file in a directory of its own, and so does each of its runs; the kernel
lets go of the locks, whatever ended the process. Of another machine the API server says whether its pod is there.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from firelift.environment.observation import Operator
from firelift.environment.state import EnvironmentState
from firelift.infra.terraform.workspace import sweep
from firelift.kube.client import Cluster

_OWNER = "owner"
_ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(slots=True)
class Claim:
    """This process's own directory below `root`, where its runs have theirs; it is held until the process ends."""

    root: Path
    id: str
    host: str = field(default_factory=socket.gethostname)
    directory: Path = field(init=False)
    _held: int = field(init=False)

    def __post_init__(self) -> None:
        self.directory = self.root / _safe(self.id)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = os.open(self.directory / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

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
        """Remove what operators left that have ended; the directories with a state that was never written stay."""
        kept: list[Path] = []
        for directory in sorted(self.root.iterdir()):
            if directory == self.directory or self.lives(directory.name):
                continue
            if unwritten := sweep(directory):
                kept += unwritten
            else:
                shutil.rmtree(directory, ignore_errors=True)
        return kept


async def seen(cluster: Cluster, claim: Claim, namespace: str, state: EnvironmentState, started: datetime) -> Operator:
    """This operator, and those of the memory's runs that may be at work."""
    others = {worked.by: worked.host for worked in state.worked if worked.by != claim.id and worked.ended is None}
    far = state.lock is not None or any(host != claim.host for host in others.values())
    hosts = {claim.host} | (await _pods(cluster, namespace) if far else set())
    alive = {by for by, host in others.items() if (claim.lives(by) if host == claim.host else host in hosts)}
    return Operator(
        id=claim.id, host=claim.host, started=started, alive=frozenset({claim.id} | alive), hosts=frozenset(hosts)
    )


async def _pods(cluster: Cluster, namespace: str) -> set[str]:
    listed = await cluster.get(f"/api/v1/namespaces/{namespace}/pods")
    return {pod["metadata"]["name"] for pod in listed["items"] if pod["status"].get("phase") not in _ENDED}


def _locked(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
