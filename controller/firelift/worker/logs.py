"""Logs as JSON lines on standard error, one for each change."""

from __future__ import annotations

import sys

import structlog


def configure_logging() -> None:
    """Every line has a time, a level and what is bound to the context, such as run and index."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
