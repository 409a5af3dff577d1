"""Child processes of the sandbox: own process groups, logs in files, and a guard so that nothing outlives us."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from firelift.sandbox.marks import SANDBOX_MARK

_POLL_SECONDS = 0.05


class ProcessError(RuntimeError):
    """A component of the sandbox ended or did not become ready; carries the tail of its log."""


class Process:
    """One running child, leader of its own session and process group."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        """Start `command` with exactly `environment`; both outputs are appended to `log`."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603  # a component of the sandbox, named by our own code
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended (a paused process is running)."""
        return self._child.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; nothing is sent once it has ended, for its number may be another's."""
        if self.running:
            os.killpg(self.pid, number)

    def pause(self) -> None:
        """Freeze the group (SIGSTOP): it keeps its memory and sockets and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen group go on (SIGCONT)."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the group by SIGKILL and reap it."""
        self.signal(signal.SIGKILL)
        self._child.wait()

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Ask by SIGTERM, end by SIGKILL after the grace."""
        if self.running:
            self.resume()
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(grace_seconds)
        self.kill()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready()` is true.

        Raises:
            ProcessError: the process ended, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ProcessError(
                    f"{self.name} ended with code {self._child.returncode} before it was ready{self._quote()}"
                )
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} (pid {self.pid}) was not ready within {seconds:g} s{self._quote()}")
            time.sleep(_POLL_SECONDS)

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its log."""
        with self.log.open(errors="replace") as log:
            return "".join(deque(log, maxlen=lines)).rstrip()

    def _quote(self) -> str:
        return f"; the end of {self.log}:\n{self.tail()}"


class Supervisor:
    """Starts processes, stops them in reverse order, and keeps a guard for the case that this process is killed."""

    def __init__(self, directory: Path, *, remove: bool) -> None:
        """Keep logs below `directory`, which the guard removes at the end when `remove` is set."""
        self.sandbox_id = uuid.uuid4().hex
        self.logs = directory / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.processes: list[Process] = []
        self._guard = subprocess.Popen(  # noqa: S603  # this Python, and a module of ours
            [sys.executable, "-m", "firelift.sandbox.guard", self.sandbox_id, *([str(directory)] if remove else [])],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
        """Start a component with this process's environment, changed by `environment` and marked as the sandbox's."""
        merged = {**os.environ, **(environment or {}), SANDBOX_MARK: self.sandbox_id}
        process = Process(name, command, log=self.logs / f"{name}.log", environment=merged)
        self.processes.append(process)
        return process

    def forget(self, process: Process) -> None:
        """Drop a process that has ended."""
        process.kill()
        self.processes.remove(process)

    def close(self) -> None:
        """Stop everything, newest first; then the guard sweeps what a component left behind.

        Raises:
            ProcessError: a process of the sandbox could not be killed.
        """
        while self.processes:
            self.processes.pop().stop()
        with self._guard:  # leaving it closes the pipe, which is the guard's sign, and waits
            pass
        if self._guard.returncode:
            raise ProcessError(f"the guard of sandbox {self.sandbox_id} ended with code {self._guard.returncode}")
