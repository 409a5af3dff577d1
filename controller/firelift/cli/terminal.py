"""Whether somebody looks, and how wide the window is."""

from __future__ import annotations

import os
import shutil
import sys


def is_terminal() -> bool:
    """Whether stdout is a terminal that can move its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"


def width() -> int:
    """Columns to break lines at; 0, for not at all, when nobody looks."""
    return shutil.get_terminal_size().columns if is_terminal() else 0
