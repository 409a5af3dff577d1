"""Why something waits, reason by reason, as `kubectl firelift explain` has it: for docs/faq.md and docs/concepts.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.documentation.generated import Part

from firelift.api.base import API_VERSION
from firelift.api.conditions import (
    ENDED_BADLY,
    PAUSED,
    PROGRESSING,
    SUCCEEDED,
    ConditionStatus,
    ConditionType,
    Reason,
    conditions_of,
)
from firelift.api.environment.conditions import EnvironmentReason
from firelift.cli import views
from firelift.cli.actions import Action
from firelift.cli.environment_actions import of_environment
from firelift.cli.explanations import ENVIRONMENTS, ROLLOUTS, Explanation
from firelift.cli.rollout_actions import of_rollout
from firelift.cli.views import NOT_OBSERVED

_NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_SPEC: dict[str, Any] = {
    "database": {"project": "shop-prod"},
    "requires": {"environment": {"name": "shop-prod"}},
    "migrations": [
        {"name": "logs", "source": {"collection": "logs"}, "target": {"document": "users/{doc.u}/logs/{id}"}}
    ],
    "phases": [{"name": "everyone", "steps": [{"migrate": {"migrations": ["logs"], "cohort": {"percent": 100}}}]}],
}
_STATUS: dict[str, Any] = {
    "phase": "everyone",
    "step": "migrate",
    "startedPhases": ["everyone"],
    "revertibleUntil": "2026-12-21T12:00:00Z",
    "waitingFor": {"name": "MigrationRollout staging/logs"},
    "gates": [{"name": "error-rate", "verdict": "Fail"}],
}


def parts() -> tuple[Part, ...]:
    """The answers of the FAQ, and the table of states."""
    return (
        Part("faq.md", "rollouts", rollouts),
        Part("faq.md", "environments", environments),
        Part("concepts.md", "states", states),
    )


def rollouts() -> str:
    """A section for each reason of a rollout, in the order of precedence."""
    return "".join(_section(reason, "", ROLLOUTS[reason], rollout_actions(reason)) for reason in rollout_reasons())


def environments() -> str:
    """A section for each reason of an environment, in the order of precedence."""
    asked = [(reason, ENVIRONMENTS[reason], environment_actions(reason)) for reason in environment_reasons()]
    return "".join(_section(reason, " of an environment", known, actions) for reason, known, actions in asked)


def rollout_reasons() -> tuple[str, ...]:
    """Every reason that a rollout can give, and the one that it has before anybody has looked."""
    return (*Reason, NOT_OBSERVED)


def environment_reasons() -> tuple[str, ...]:
    """Every reason that an environment can give, and the one that it has before anybody has looked."""
    return (*EnvironmentReason, NOT_OBSERVED)


def rollout_actions(reason: str) -> tuple[Action, ...]:
    """What `explain` offers for a rollout `logs` in the namespace `shop`."""
    return of_rollout(views.rollout(_object("MigrationRollout", "logs", _SPEC, {**_STATUS, "reason": reason})), _NOW)


def environment_actions(reason: str) -> tuple[Action, ...]:
    """What `explain` offers for an environment `shop-prod` in the namespace `shop`."""
    return of_environment(views.environment(_object("FirestoreEnvironment", "shop-prod", {}, {"reason": reason})))


def states() -> str:
    """The table of states: four conditions, and the reasons that go with them."""
    rows = [["what it is", *ConditionType, "reasons"], ["---"] * (2 + len(ConditionType))]
    for title, conditions in _STATES:
        reasons = ", ".join(f"`{reason}`" for reason in Reason if conditions_of(reason) == conditions)
        rows.append([title, *(_shown(conditions[kind]) for kind in ConditionType), reasons])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


_STATES = (
    ("on its way, forward or back, or waiting", PROGRESSING),
    ("failed: it stands still until a person acts", PAUSED),
    ("ended without success", ENDED_BADLY),
    ("all phases are done", SUCCEEDED),
)


def _shown(status: ConditionStatus) -> str:
    return f"**{status}**" if status is ConditionStatus.TRUE else str(status)


def _object(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": "uid-1", "generation": 1, "resourceVersion": "1"}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def _section(reason: str, of: str, known: Explanation, actions: Sequence[Action]) -> str:
    lines = "".join(_commands(actions))
    what = f"{known.means[:1].upper()}{known.means[1:]}.\n\nIt goes on {known.goes_on}."
    return f"\n### `{reason}`{of}\n\n{what} Who moves it: **{known.mover}**.\n\n```\n{lines}```\n"


def _commands(actions: Sequence[Action]) -> Iterator[str]:
    width = max(len(action.line) for action in actions)
    return (f"{action.line:{width}}   # {action.leads_to}\n" for action in actions)
