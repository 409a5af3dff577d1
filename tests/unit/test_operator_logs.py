"""What the log says of an error: where it happened and why, and nothing of what the code held in its hands."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HELD = "pl4nted-5ecret"
PROGRAM = """
import logging, os, sys
from firelift.operator.telemetry.logs import configure_logging, logger

def fail(held):
    raise RuntimeError("as injected")

configure_logging(sys.argv[1])
for log in (logger(), logging.getLogger("kopf.objects")):
    try:
        fail(os.environ["HELD"])
    except RuntimeError:
        log.warning("turn failed", exc_info=True)
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_values_of_variables(log_format: str) -> None:
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, log_format],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HELD": HELD},
        timeout=60,
    )
    assert told.returncode == 0, told.stderr
    assert HELD not in told.stdout + told.stderr
    assert told.stderr.count("RuntimeError: as injected") == 2, "of the operator and of kopf"
    assert told.stderr.count("in fail") == 2
