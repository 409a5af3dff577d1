"""One container's process: started in a group of its own, ended with everything that it started."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from firelift.sandbox.kubelet.status import timestamp
from firelift.sandbox.marks import CONTAINER_MARK, kill_all

# What a container runtime answers for a command that cannot be started.
CANNOT_RUN_CODE = 128


@dataclass(frozen=True, slots=True)
class Launch:
    """How a container's process is started; `container_id` is unique to this start."""

    container_id: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path


class ContainerProcess:
    """A started process."""

    def __init__(self, launch: Launch, child: asyncio.subprocess.Process) -> None:
        """Own `child`, which must lead its own process group."""
        self.started = timestamp()
        self._launch = launch
        self._child = child

    @classmethod
    async def start(cls, launch: Launch) -> Self:
        """Start the command; both outputs go to the log.

        Raises:
            OSError: the command does not exist or cannot be executed.
        """
        launch.directory.mkdir(parents=True, exist_ok=True)
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        with launch.log.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *launch.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**launch.environment, CONTAINER_MARK: launch.container_id},
                cwd=launch.directory,
                start_new_session=True,
            )
        return cls(launch, child)

    async def wait(self) -> int:
        """Wait for its end and return its code (negative: the signal that killed it).

        As in a container, what it started ends with it, even in another session.
        """
        code = await self._child.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        await asyncio.to_thread(kill_all, CONTAINER_MARK, self._launch.container_id)
        return code

    def terminate(self) -> None:
        """Send SIGTERM to the container's first process, as a container runtime does."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(number)
