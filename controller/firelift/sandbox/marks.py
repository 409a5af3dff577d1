"""Processes found by a mark in their environment.

A process group misses a grandchild that started a session of its own; the environment is inherited by all of them.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

SANDBOX_MARK = "FIRELIFT_SANDBOX"
NODE_MARK = "FIRELIFT_SANDBOX_NODE"
CONTAINER_MARK = "FIRELIFT_SANDBOX_CONTAINER"


def find(name: str, value: str) -> list[int]:
    """Return the pids of living processes that were started with `name=value` in their environment."""
    needle = f"{name}={value}".encode()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _carries(entry, needle)]


def kill_all(name: str, value: str, *, within_seconds: float = 10.0) -> list[int]:
    """Kill every process that carries the mark, again until none is found; return the pids that survived."""
    deadline = time.monotonic() + within_seconds
    while (pids := find(name, value)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return pids


def _carries(entry: Path, needle: bytes) -> bool:
    try:
        return needle in (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile, or belongs to another user
        return False
