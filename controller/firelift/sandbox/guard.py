"""Ends a sandbox whose owner is gone, even by SIGKILL.

It holds the reading end of a pipe whose writing end only the owner has: the end of the file is the owner's end.
"""

import os
import shutil
import signal
import sys

from firelift.sandbox.marks import SANDBOX_MARK, kill_all


def main(sandbox_id: str, *directories: str) -> None:
    """Wait for the owner's end, kill what carries the sandbox's mark, remove the directories."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 1):
        pass
    survivors = kill_all(SANDBOX_MARK, sandbox_id)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(f"sandbox {sandbox_id}: processes {survivors} did not end" if survivors else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
