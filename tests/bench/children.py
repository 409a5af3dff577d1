"""Child processes, and what they cost as the kernel has counted it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

SECONDS = 600.0
POLL_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Usage:
    """An ended child: CPU of user and system, peak resident memory, and what it wrote to both outputs."""

    cpu_seconds: float
    peak_mib: float
    output: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A running child at one moment."""

    cpu_seconds: float
    resident_mib: float


@dataclass(slots=True)
class Child:
    """One running Python module."""

    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    usage: Usage | None = field(default=None)
    _peak_mib: float = field(default=0.0, init=False)

    def sample(self) -> Sample:
        """What it has cost so far; nothing of one that has ended."""
        directory = Path(f"/proc/{self.process.pid}")
        if self.usage is not None:
            return Sample(0, 0)
        # The name in parentheses may hold blanks; user and system time are the 14th and 15th field of all.
        numbers = (directory / "stat").read_text().rpartition(")")[2].split()
        resident = int((directory / "statm").read_text().split()[1])
        return Sample((int(numbers[11]) + int(numbers[12])) / TICKS, resident * PAGE_MIB)

    async def ended(self) -> Usage:
        """Wait for its end.

        Raises:
            RuntimeError: when it fails, or takes too long; with the end of its output.
        """
        deadline = time.monotonic() + SECONDS
        while not self._reaped():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} was not done within {SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        assert self.usage
        if self.process.returncode:
            raise RuntimeError(f"{self.name} left with {self.process.returncode}: {self.usage.output[-2000:]}")
        return self.usage

    def _reaped(self) -> bool:
        if self.usage is None:
            # Not by wait4, whose peak begins with that of the process that started this one.
            self._peak_mib = max(self._peak_mib, self._high_water())
            # wait4 and not poll: it alone tells what this one child has cost.
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if not pid:
                return False
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.output.seek(0)
            said = self.output.read().decode(errors="replace")
            self.usage = Usage(usage.ru_utime + usage.ru_stime, self._peak_mib, said)
        return True

    def _high_water(self) -> float:
        """The most memory that it has had so far, in MiB; 0 of one that has ended."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.usage is None and not self._reaped():
            self.process.kill()
            self.process.wait()


@asynccontextmanager
async def child(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """A Python module as a process of its own, gone at the end of the block."""
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", module, *arguments]
        # The peers are found from here; the worker is installed.
        merged = {**os.environ, "PYTHONPATH": str(Path.cwd()), **(environment or {})}
        process = subprocess.Popen(command, env=merged, stdout=output, stderr=output)  # noqa: ASYNC220 - forks at once
        started = Child(module, process, output)
        try:
            yield started
        finally:
            started.kill()


async def ran(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Usage:
    """A Python module run to its end."""
    async with child(module, *arguments, environment=environment) as started:
        return await started.ended()
