"""Logs as JSON lines on standard error, one for each change."""

from __future__ import annotations

import os
import sys

import structlog


def configure_logging() -> None:
    """Every line has a time, a level and what is bound to the context, such as run and index.

    They are written past `sys.stderr` and its descriptor, which lead nowhere while a user's function runs.
    """
    log = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(log),
        cache_logger_on_first_use=True,
    )
