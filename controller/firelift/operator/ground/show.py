"""What people read beside the status: the whole plan as text, and the outputs of the last apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from firelift.environment.observation import Environment
from firelift.environment.state import EnvironmentState
from firelift.kube import owned
from firelift.kube.environments import owner_of
from firelift.kube.errors import Refused
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.material import remedy
from firelift.operator.ground.services import Ground

_MOST = 900_000
"""Characters of a plan's text; a ConfigMap holds 1 MiB."""

NOT_OURS = "{kind} {name} is somebody else's and was left as it is: remove it, and it is written"

NOT_ALLOWED = "Secret {name} with the sensitive outputs may not be written by the operator: {remedy}"


@dataclass(slots=True)
class Shown:
    """What this process has shown already; the next one shows it once more."""

    plan: str = ""
    outputs: str = ""


async def show(ground: Ground, environment: Environment, state: EnvironmentState, shown: Shown) -> list[str]:
    """Show what is new; sentences about what could not be shown."""
    bundles = ground.bundles(environment)
    plan = state.plan.digest if state.plan is not None else ""
    unshown = await _show_plan(ground, environment, state, bundles) if plan and shown.plan != plan else []
    shown.plan = "" if unshown else plan
    applied = f"{state.applied.lineage}/{state.applied.serial}" if state.applied is not None else ""
    if not applied or state.run is not None or shown.outputs == applied:
        return unshown
    unpublished = await _show_outputs(ground, environment, bundles)
    shown.outputs = "" if unpublished else applied
    return [*unshown, *unpublished]


async def _show_plan(ground: Ground, environment: Environment, state: EnvironmentState, bundles: Bundles) -> list[str]:
    plan = state.plan
    kept = await bundles.plan(plan.run) if plan is not None else None
    if plan is None or kept is None:
        return []
    text, more = kept.text[:_MOST], len(kept.text) - _MOST
    data = {
        "digest": plan.digest,
        "purpose": plan.purpose.value,
        "summary": f"{plan.add} to add, {plan.change} to change, {plan.destroy} to destroy",
        "plan.txt": f"{text}\n… and {more:,} more characters\n" if more > 0 else text,
    }
    return await _put(ground, environment, "ConfigMap", f"{environment.name}-plan", data)


async def _show_outputs(ground: Ground, environment: Environment, bundles: Bundles) -> list[str]:
    applied = await bundles.applied()
    if applied is None or applied.serial is None:
        return []
    name = f"{environment.name}-outputs"
    problems = []
    if applied.sensitive or await _published(ground, environment, name):
        problems += await _put(ground, environment, "Secret", name, _texts(applied.sensitive))
    return problems + await _put(ground, environment, "ConfigMap", name, _texts(applied.plain))


async def _published(ground: Ground, environment: Environment, name: str) -> bool:
    """Whether outputs of ours are in a Secret that the operator may read."""
    try:
        seen = await owned.read(ground.services.cluster, owner_of(environment), "Secret", name)
    except Refused:
        return False
    return seen is not None and owned.is_of(seen, owner_of(environment))


async def _put(
    ground: Ground, environment: Environment, kind: owned.Kind, name: str, data: Mapping[str, str]
) -> list[str]:
    try:
        done = await owned.show(ground.services.cluster, owner_of(environment), kind, name, data)
    except Refused as error:
        if kind == "Secret" and error.status == HTTPStatus.FORBIDDEN:
            return [NOT_ALLOWED.format(name=name, remedy=remedy(environment.namespace))]
        # A quota or a policy: what only shows something must not keep the ground from being looked after.
        return [f"{kind} {name} could not be written and is tried again: {error.message}"]
    return [] if done else [NOT_OURS.format(kind=kind, name=name)]


def _texts(outputs: Mapping[str, Any]) -> dict[str, str]:
    """Texts as they are, everything else as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in outputs.items()
    }
