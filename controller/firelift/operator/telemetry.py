"""Logs as JSON lines, and metrics with bounded labels."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_QUIET = ("kopf", "aiohttp", "asyncio", "google", "grpc")


class Metrics:
    """What Prometheus is told. Labels are outcomes and reasons, never names of objects."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter("firelift_turns_total", "Turns by outcome.", ["outcome"], registry=self.registry)
        self.turn_seconds = Histogram("firelift_turn_seconds", "Duration of turns.", registry=self.registry)
        self.measurement_seconds = Histogram(
            "firelift_measurement_seconds", "Duration of questions to metric providers.", registry=self.registry
        )
        self.intents = Counter(
            "firelift_intents_total",
            "What was done for rollouts, by kind and outcome.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.rollouts = Gauge("firelift_rollouts", "Rollouts by reason.", ["reason"], registry=self.registry)
        self.environments = Gauge(
            "firelift_environments", "Environments by reason.", ["reason"], registry=self.registry
        )
        self.leader = Gauge("firelift_leader", "1 while this process leads.", registry=self.registry)


def configure_logging(log_format: str) -> None:
    """Everything goes to standard error, one line per event; libraries speak from WARNING on."""
    renderer: Any = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of signals that it does not get, because it runs in a thread of its own.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


def logger() -> structlog.stdlib.BoundLogger:
    """The operator's log."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger("firelift.operator")
    return log
