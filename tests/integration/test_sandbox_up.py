import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.waiting import eventually

from firelift.sandbox.marks import SANDBOX_MARK, find


def said(output: IO[str], pattern: str) -> str:
    """Read lines until one matches; the group of the match."""
    for line in output:
        if match := re.search(pattern, line):
            return match[1]
    raise AssertionError(f"the output ended without {pattern}")


def mark_of(pid: int) -> str:
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(each.split("=", 1) for each in variables if each)[SANDBOX_MARK]


def test_the_sandbox_in_the_foreground_replaces_a_killed_operator_and_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "firelift.sandbox", "up"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        kubeconfig = Path(said(running.stdout, r"export KUBECONFIG=(\S+)"))
        port = said(running.stdout, r"127\.0\.0\.1:(\d+)/healthz")
        (first,) = find("FIRELIFT_HEALTH_PORT", port)
        mark = mark_of(first)

        os.kill(first, signal.SIGKILL)
        eventually(lambda: find("FIRELIFT_HEALTH_PORT", port) not in ([], [first]))
        running.send_signal(signal.SIGINT)

    assert running.returncode == 0
    assert find(SANDBOX_MARK, mark) == []
    assert not kubeconfig.exists()


def test_a_bare_sandbox_takes_the_release_that_it_prints() -> None:
    command = [sys.executable, "-m", "firelift.sandbox", "up", "--bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        kubeconfig = said(running.stdout, r"export KUBECONFIG=(\S+)")
        install = said(running.stdout, r"^(\S+ install firelift .+)$")

        told = subprocess.run(
            shlex.split(install),
            env={**os.environ, "KUBECONFIG": kubeconfig},
            capture_output=True,
            text=True,
            check=False,
        )
        running.send_signal(signal.SIGINT)

    assert told.returncode == 0, told.stderr
    assert "STATUS: deployed" in told.stdout
    assert running.returncode == 0
