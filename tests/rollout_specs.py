"""Specs of rollouts, as short as tests want them."""

from __future__ import annotations

from typing import Any

from firelift.api.rollout import RolloutSpec

MIGRATION = {
    "name": "logs",
    "source": {"collection": "logs"},
    "target": {"document": "users/{doc.userId}/logs/{id}"},
    "entityKey": "userId",
}


def migration(name: str) -> dict[str, Any]:
    """A migration of a collection of its own."""
    return {"name": name, "source": {"collection": name}, "target": {"document": f"users/{{doc.userId}}/{name}/{{id}}"}}


def gate(name: str = "error-rate", **changes: Any) -> dict[str, Any]:
    """A gate on an error rate, judged each minute over the minute before."""
    return {
        "name": name,
        "cloudMonitoring": {"query": {"filter": "x"}},
        "limit": {"max": "0.1%"},
        "intervalSeconds": 60,
        "windowSeconds": 60,
        "delaySeconds": 0,
        **changes,
    }


def flags(key: str = "READ_NEW", **changes: Any) -> dict[str, Any]:
    """A flags step that sets one key, named after it."""
    step = {"configMap": {"name": "app-flags"}, "set": {key: "on"}, "propagationSeconds": 10, **changes}
    return {"name": key.lower().replace("_", "-"), "flags": step}


def migrate(percent: int = 100, *names: str, **changes: Any) -> dict[str, Any]:
    """A migrate step of a percent."""
    return {"migrate": {"migrations": list(names or ("logs",)), "cohort": {"percent": percent}}, **changes}


def soak(seconds: int = 300, **changes: Any) -> dict[str, Any]:
    """A soak step."""
    return {"soak": {"seconds": seconds, **changes}}


VERIFY: dict[str, Any] = {"verify": {}}
SWEEP: dict[str, Any] = {"sweep": {}}
APPROVE: dict[str, Any] = {"approve": {}}
DELETE: dict[str, Any] = {"delete": {"migrations": ["logs"]}}


def phase(name: str, *steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A phase."""
    return {"name": name, "steps": list(steps), **changes}


def spec(*phases: dict[str, Any], **changes: Any) -> RolloutSpec:
    """A rollout of one migration unless said otherwise."""
    return RolloutSpec.model_validate(
        {
            "database": {"project": "demo-project"},
            "migrations": [MIGRATION],
            "phases": list(phases),
            **changes,
        }
    )
