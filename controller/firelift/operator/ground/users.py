"""Which rollouts stand on an environment, and how far they are."""

from __future__ import annotations

from collections.abc import Iterator

from firelift.api.conditions import ConditionStatus, ConditionType, Reason
from firelift.environment.observation import RolloutSeen
from firelift.kube.client import Json

_WAITING = {
    Reason.WAITING_FOR_ENVIRONMENT,
    Reason.WAITING_FOR_BACKUP,
    Reason.WAITING_FOR_LOCK,
    Reason.WAITING_FOR_ROLLOUT,
}
"""Nothing is written meanwhile. What is waited for may come by the apply: the ground itself, a schedule of backups, or
another rollout that waits for the ground and holds the lock."""


def user(rollout: Json, name: str) -> RolloutSeen | None:
    """The rollout, a document of the API server, as a user of the environment; None when it is none."""
    spec, status = rollout["spec"], rollout.get("status") or {}
    awaited = list(_awaited(spec, name))
    if not (awaited or _requires(spec, name) or _is_measured(spec, name)):
        return None
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    begun = bool(status.get("startedPhases")) and conditions.get(ConditionType.SUCCEEDED) != ConditionStatus.TRUE
    return RolloutSeen(
        rollout["metadata"]["name"],
        working=begun and _is_mid_phase(status) and conditions.get(ConditionType.RECONCILING) == ConditionStatus.TRUE,
        begun=begun,
        # One that waits for all of them needs all of them.
        indexes=frozenset(name for names in awaited for name in names) if all(awaited) else frozenset(),
    )


def _is_mid_phase(status: Json) -> bool:
    return status.get("phase", "") in status["startedPhases"] and status.get("reason") not in _WAITING


def _requires(spec: Json, name: str) -> bool:
    required = (spec.get("requires") or {}).get("environment") or {}
    return bool(required.get("name") == name)


def _is_measured(spec: Json, name: str) -> bool:
    gates = [*spec.get("gates", ()), *(gate for phase in _phases(spec) for gate in phase.get("gates", ()))]
    return any((gate.get("environment") or {}).get("name") == name for gate in gates)


def _awaited(spec: Json, name: str) -> Iterator[list[str]]:
    """The indexes that each step of the verb `indexes` waits for; none are all."""
    for phase in _phases(spec):
        for step in phase.get("steps", ()):
            indexes = step.get("indexes") or {}
            if indexes.get("environment") == name:
                yield indexes.get("names") or []


def _phases(spec: Json) -> list[Json]:
    return list(spec.get("phases", ()))
