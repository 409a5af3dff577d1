"""Stands between us and one Terraform process, so that it ends when we do, even by SIGKILL.

Started as a plain script, with the standard library alone: `guard.py GRACE_SECONDS COMMAND...`. Its standard input is a
pipe whose writing end only the owner has. The end of the file, the owner's end or its wish, is SIGINT to Terraform,
which stops its providers, writes its state and releases its lock; after the grace it is SIGKILL. Terraform's own end
is passed on as the exit code, 128 + n for a signal n. Nothing that Terraform started is alive when the guard ends.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None).prctl


def main(grace_seconds: float, command: list[str]) -> int:
    """Run `command` until it ends or the owner does; return its exit code."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a killed Terraform leaves behind becomes a child of ours
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    woken = _wake_on_child()
    child = subprocess.Popen(  # noqa: S603  # the command is the runner's own
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_before_terraform,  # noqa: PLW1509  # this process has one thread
    )
    _wait(child, woken, grace_seconds)
    code = child.returncode
    _end_descendants()
    return code if code >= 0 else 128 - code


def _before_terraform() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)  # for the case that the guard is killed as well


def _wake_on_child() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _wait(child: subprocess.Popen[bytes], woken: int, grace_seconds: float) -> None:
    owner: list[int] = [0]
    deadline: float | None = None
    while child.poll() is None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            child.kill()
            child.wait()
            return
        ready, _, _ = select.select([*owner, woken], [], [], left)
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
        if 0 in ready and not os.read(0, 4096):
            owner = []
            deadline = time.monotonic() + grace_seconds
            child.send_signal(signal.SIGINT)


def _end_descendants() -> None:
    """Kill and reap children until there are none: those of a killed child become ours."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    own = str(os.getpid())
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # the name in parentheses may hold anything, spaces and parentheses included
            if stat.read_text(errors="replace").rpartition(")")[2].split()[1] == own:
                found.append(int(stat.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
