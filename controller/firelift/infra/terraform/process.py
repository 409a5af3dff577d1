"""One Terraform process: behind its guard, with a deadline, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_POLL_SECONDS = 0.05
_GUARD_SECONDS = 5.0  # what the guard itself may take beyond the grace that it gives


@dataclass(frozen=True)
class Limits:
    """How long a process may run, and how long it may take to stop once it is asked to (seconds)."""

    deadline_seconds: float = 1800.0
    grace_seconds: float = 30.0


@dataclass(frozen=True)
class Ended:
    """How a process ended. `code` is 128 + n for a signal n."""

    code: int
    timed_out: bool

    @property
    def killed(self) -> bool:
        """Whether it was ended by SIGKILL: it may have left a state lock behind."""
        return self.code == 128 + signal.SIGKILL


@dataclass(frozen=True)
class Place:
    """Where a process runs, with exactly which environment, and where its outputs go."""

    directory: Path
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    owner: int | None = None  # a locked file's number: the lock is held until the guard has ended as well


async def run(command: Sequence[str], place: Place, limits: Limits) -> Ended:
    """Run `command` to its end.

    Past the deadline, or when the calling task is cancelled, it is interrupted, given the grace, and then killed with
    everything it started; a cancellation is raised only after that. When this very process is killed, the guard does
    the same.

    Raises:
        OSError: it cannot be started.
    """
    starting = asyncio.ensure_future(_start(command, place, limits))
    try:
        child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _stop(await starting, limits)
        raise
    try:
        async with asyncio.timeout(limits.deadline_seconds):
            returned = await child.wait()
        if returned < 0:
            await _stop(child, limits)
        return Ended(_code(returned), timed_out=False)
    except TimeoutError:
        return Ended(await _stop(child, limits), timed_out=True)
    except asyncio.CancelledError:
        await _stop(child, limits)
        raise


async def _start(command: Sequence[str], place: Place, limits: Limits) -> Process:
    with _private(place.stdout) as stdout, _private(place.stderr) as stderr:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_GUARD), str(limits.grace_seconds)),
            *command,
            cwd=place.directory,
            env=dict(place.environment),
            stdin=PIPE,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=() if place.owner is None else (place.owner,),
        )


@contextlib.contextmanager
def _private(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield number
    finally:
        os.close(number)


async def _stop(child: Process, limits: Limits) -> int:
    """Interrupt, wait, kill; a caller that is cancelled again waits all the same, for it is bounded."""
    stopping = asyncio.ensure_future(_end(child, limits))
    while not stopping.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(stopping)
    return stopping.result()


async def _end(child: Process, limits: Limits) -> int:
    if child.stdin:
        child.stdin.close()  # the guard's sign; to Terraform the guard's own end is one as well
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.grace_seconds + _GUARD_SECONDS):
            returned = await child.wait()
            while returned < 0 and _group_lives(child.pid):  # noqa: ASYNC110 - the end of a group is no event
                await asyncio.sleep(_POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    return _code(await child.wait())


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned
