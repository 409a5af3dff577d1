"""While a function of the user's own runs, its thread opens no connection, starts no process, and prints nothing.

A tripwire, not a wall: a function is code in the worker's process; a thread of its own is not watched, and C code that
opens a socket by itself, as gRPC does, raises no audit event. It stops what slips in unnoticed: an HTTP call, a lookup.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TextIO

REFUSED = {
    "socket.connect": "opens a network connection",
    "socket.bind": "listens on the network",
    "socket.sendto": "sends to the network",
    "socket.getaddrinfo": "looks up a host",
    "socket.gethostbyname": "looks up a host",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "os.fork": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.spawn": "starts a process",
}
"""Audit events. Source: the table of audit events in the documentation of Python's library."""


ERRORS = 2
"""The file descriptor of standard error."""


class WayOut(RuntimeError):
    """A function has tried to reach beyond its arguments."""


class _Inside(threading.local):
    """Whether this thread is running a user's function."""

    now = False


_INSIDE = _Inside()


@contextmanager
def no_way_out() -> Iterator[None]:
    """Refuse what leads out of the process, in this thread, by raising `WayOut` where it is tried."""
    _watch()
    _INSIDE.now = True
    errors = _PROCESS.errors
    if errors is not None:
        errors.hide()
    try:
        yield
    finally:
        if errors is not None:
            errors.show()
        _INSIDE.now = False


class Muffled:
    """A stream that drops what a user's function writes, which is about documents, and counts it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.dropped = 0

    def write(self, text: str) -> int:
        """As the stream's, but for functions."""
        if _INSIDE.now:
            self.dropped += 1
            return len(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ErrorOutput:
    """Standard error as a file descriptor, which C libraries write to: it leads nowhere while a function runs."""

    def __init__(self) -> None:
        self._nowhere = os.open(os.devnull, os.O_WRONLY)
        self._kept = os.dup(ERRORS)

    def hide(self) -> None:
        """From now on what is written is dropped."""
        os.dup2(self._nowhere, ERRORS)

    def show(self) -> None:
        """From now on it is written again; what Python has kept back of the function's lines is dropped before."""
        if sys.__stderr__ is not None:
            sys.__stderr__.flush()
        os.dup2(self._kept, ERRORS)


@dataclass(slots=True)
class _Process:
    errors: ErrorOutput | None = None


_PROCESS = _Process()


def muffle_errors() -> None:
    """From now on standard error leads nowhere while a function runs: the process logs elsewhere."""
    _PROCESS.errors = _PROCESS.errors or ErrorOutput()


@cache
def _watch() -> None:
    # A hook stays for the life of the process, so it is made once, and only where there are such functions.
    sys.addaudithook(_hook)


def _hook(event: str, _: tuple[object, ...]) -> None:
    if _INSIDE.now and event in REFUSED:
        raise WayOut(
            f"the function {REFUSED[event]} ({event}); it must answer from the document and the context alone, because "
            "it is asked again after a conflict and by verify"
        )
