"""What people read beside the status: the whole plan as text, and the outputs of the last apply."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from firelift.environment.observation import Environment
from firelift.environment.state import EnvironmentState, PlanEnd
from firelift.kube import owned
from firelift.kube.client import Cluster
from firelift.kube.environments import owner_of
from firelift.kube.errors import Refused
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.material import remedy

_MOST = 900_000
"""Bytes of a plan's text as it is sent; a ConfigMap may have 1 MiB."""

NOT_OURS = "{kind} {name} is somebody else's and was left as it is: remove it, and it is written"

NOT_ALLOWED = "Secret {name} with the sensitive outputs may not be written by the operator: {remedy}"


@dataclass(slots=True)
class Shown:
    """What this process has shown already; the next one shows it once more."""

    plan: str = ""
    outputs: str = ""


class PlanState(StrEnum):
    """What has become of the plan whose text is shown."""

    PLANNED = "Planned"
    """It waits, or is being applied: what the status tells of it is true now."""
    APPLIED = "Applied"
    FAILED = "Failed"
    """Its apply was begun and did not end well: some of it may be done."""
    DROPPED = "Dropped"
    """It was never applied and never will be."""


@dataclass(frozen=True, slots=True)
class Showcase:
    """What is shown of one environment."""

    cluster: Cluster
    bundles: Bundles
    environment: Environment
    now: datetime

    async def show(self, state: EnvironmentState, shown: Shown) -> list[str]:
        """Show what is new; sentences about what could not be shown."""
        unshown = await self._show_plan(state) if shown.plan != _mark(state) else []
        shown.plan = "" if unshown else _mark(state)
        applied = f"{state.applied.lineage}/{state.applied.serial}" if state.applied is not None else ""
        if self.environment.deleting or not applied or state.run is not None or shown.outputs == applied:
            return unshown
        unpublished = await self._show_outputs()
        shown.outputs = "" if unpublished else applied
        return [*unshown, *unpublished]

    async def _show_plan(self, state: EnvironmentState) -> list[str]:
        name, plan = f"{self.environment.name}-plan", state.plan
        if plan is None:
            return await self._show_end(name, state.ended)
        kept = await self.bundles.plan(plan.run)
        if kept is None:
            return []
        data = {
            "digest": plan.digest,
            "purpose": plan.purpose.value,
            "state": PlanState.PLANNED.value,
            "time": plan.created.isoformat(timespec="seconds"),
            "summary": f"{plan.add} to add, {plan.change} to change, {plan.destroy} to destroy",
            "plan.txt": _fitting(kept.text),
        }
        return await self._put("ConfigMap", name, data)

    async def _show_end(self, name: str, ended: PlanEnd | None) -> list[str]:
        """The text of a plan stays when the plan goes, for on-call asks what was done; it must not read as open."""
        seen = await owned.read(self.cluster, owner_of(self.environment), "ConfigMap", name)
        if seen is None or not owned.is_of(seen, owner_of(self.environment)):
            return []
        data = dict(seen.get("data") or {})
        if ended is not None and data.get("digest") == ended.digest:
            state, time = PlanState.APPLIED if ended.whole else PlanState.FAILED, ended.time
        elif data.get("state") == PlanState.PLANNED:
            state, time = PlanState.DROPPED, self.now
        else:
            return []
        told = data | {"state": state.value, "time": time.isoformat(timespec="seconds")}
        return await self._put("ConfigMap", name, told) if told != data else []

    async def _show_outputs(self) -> list[str]:
        applied = await self.bundles.applied()
        if applied is None or applied.serial is None:
            return []
        name = f"{self.environment.name}-outputs"
        problems = []
        if applied.sensitive or await self._published(name):
            problems += await self._put("Secret", name, _texts(applied.sensitive))
        return problems + await self._put("ConfigMap", name, _texts(applied.plain))

    async def _published(self, name: str) -> bool:
        """Whether outputs of ours are in a Secret that the operator may read."""
        try:
            seen = await owned.read(self.cluster, owner_of(self.environment), "Secret", name)
        except Refused:
            return False
        return seen is not None and owned.is_of(seen, owner_of(self.environment))

    async def _put(self, kind: owned.Kind, name: str, data: Mapping[str, str]) -> list[str]:
        try:
            done = await owned.show(self.cluster, owner_of(self.environment), kind, name, data)
        except Refused as error:
            if self.environment.deleting:
                return []  # its namespace may be going as well, and takes nothing new
            if kind == "Secret" and error.status == HTTPStatus.FORBIDDEN:
                return [NOT_ALLOWED.format(name=name, remedy=remedy(self.environment.namespace))]
            # A quota or a policy: what only shows something must not keep the ground from being looked after.
            return [f"{kind} {name} could not be written and is tried again: {error.message}"]
        return [] if done else [NOT_OURS.format(kind=kind, name=name)]


def _mark(state: EnvironmentState) -> str:
    """Changes with what is to be shown of the plan; never empty."""
    if state.plan is not None:
        return state.plan.digest
    return f"none since {state.ended.time}" if state.ended is not None else "none"


def _fitting(text: str) -> str:
    if _bytes(text) <= _MOST:
        return text
    # Of all beginnings the longest that fits.
    most = bisect_right(range(len(text)), _MOST, key=lambda length: _bytes(text[:length])) - 1
    return f"{text[:most]}\n… and {len(text) - most:,} more characters\n"


def _bytes(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode(errors="replace"))


def _texts(outputs: Mapping[str, Any]) -> dict[str, str]:
    """Texts as they are, everything else as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in outputs.items()
    }
