"""Calls to the API server, counted by what they ask for and how they end."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram

_GROUPLESS, _GROUPED = 2, 3
"""How many parts of a path stand before what it asks for: ``api/v1`` and ``apis/<group>/<version>``."""


def resource_of(path: str) -> str:
    """The plural that a path asks for, such as ``jobs`` or ``migrationrollouts/status``: never a name."""
    parts = path.strip("/").split("/")
    rest = parts[_GROUPED if parts[0] == "apis" else _GROUPLESS :]
    if rest[:1] == ["namespaces"] and len(rest) > 2:  # noqa: PLR2004 - namespaces/<name>/<plural>
        rest = rest[2:]
    return "/".join(rest[::2]) or "other"


class RequestCounter:
    """To be called after each request: ``(method, path, status, seconds)``; status 0 is no answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "firelift_kubernetes_request_seconds",
            "Duration of calls to the API server by method, resource and HTTP status (0: no answer).",
            ["method", "resource", "status"],
            registry=registry,
        )

    def __call__(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count it."""
        self._seconds.labels(method, resource_of(path), status).observe(seconds)
