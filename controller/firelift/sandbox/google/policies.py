"""IAM policies of any resource: read, changed by read-modify-write, refused when another was faster."""

from __future__ import annotations

from typing import Any

from firelift.sandbox.google.resources import Ids, Json, aborted
from firelift.sandbox.google.values import invalid

_CONDITIONS = 3
"""The least version of a policy that has conditional bindings."""


class Policies:
    """A policy by the name of its resource; one that was never set is empty."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._kept: dict[str, Json] = {}

    def get(self, resource: str) -> Json:
        """Return the policy as it is now."""
        return self._kept.setdefault(resource, {"version": 1, "etag": self._etag()})

    def put(self, resource: str, policy: Json) -> Json:
        """Set a policy.

        Raises RefusedError: ABORTED (409) when its etag is not the one of now, INVALID_ARGUMENT for a condition in a
        policy below version 3 or a binding without a role.
        """
        current = self.get(resource)
        if policy.get("etag", current["etag"]) != current["etag"]:
            raise aborted(
                "There were concurrent policy changes. Retry the whole read-modify-write with exponential backoff."
            )
        bindings = _merged(policy.get("bindings") or [])
        version = int(policy.get("version", 1))
        if version < _CONDITIONS and any("condition" in binding for binding in bindings):
            raise invalid("Policies with conditional bindings need version 3; ask for requestedPolicyVersion 3.")
        kept = {"version": version, "etag": self._etag()} | ({"bindings": bindings} if bindings else {})
        if policy.get("auditConfigs"):
            kept["auditConfigs"] = policy["auditConfigs"]
        self._kept[resource] = kept
        return kept

    def forget(self, resource: str) -> None:
        """Drop the policy of a resource that is gone."""
        self._kept.pop(resource, None)

    def _etag(self) -> str:
        return f"BwY{self._ids.number()}="


def _merged(bindings: list[Json]) -> list[Json]:
    """One binding per role and condition, its members sorted and once each; one without members is gone."""
    merged: dict[tuple[str, str], Json] = {}
    for binding in bindings:
        if not binding.get("role"):
            raise invalid("A binding of the policy has no role.")
        condition: Any = binding.get("condition")
        key = (binding["role"], repr(sorted(condition.items())) if condition else "")
        known = merged.setdefault(key, {**binding, "members": []})
        known["members"] = sorted({*known["members"], *(binding.get("members") or [])})
    return [binding for binding in merged.values() if binding["members"]]
