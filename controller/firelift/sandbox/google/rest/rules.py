"""firebaserules.googleapis.com: rulesets, which never change, and the releases that put one in force."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Json, Resources, precondition, timestamp
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

_RULESETS = "v1/projects/{project}/rulesets"
_RELEASES = "v1/projects/{project}/releases"


class RulesApi:
    """Rulesets and releases by full name; the stand-in keeps rules and enforces none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rulesets = Resources()
        self._releases = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        ruleset, release = f"{_RULESETS}/{{ruleset}}", f"{_RELEASES}/{{release=**}}"
        rulesets, releases = self._rulesets, self._releases
        return [
            Route("POST", _RULESETS, "CreateRuleset", self._create_ruleset),
            Route("GET", _RULESETS, "ListRulesets", listed("rulesets", rulesets)),
            Route("GET", ruleset, "GetRuleset", lambda call: rulesets.get(call.name)),
            Route("DELETE", ruleset, "DeleteRuleset", self._delete_ruleset),
            Route("POST", _RELEASES, "CreateRelease", self._create_release),
            Route("GET", _RELEASES, "ListReleases", listed("releases", releases)),
            Route("GET", release, "GetRelease", lambda call: releases.get(call.name)),
            Route("PATCH", release, "UpdateRelease", self._update_release),
            Route("DELETE", release, "DeleteRelease", self._delete_release),
        ]

    def _create_ruleset(self, call: Call) -> Json:
        files = (call.body.get("source") or {}).get("files") or []
        if not files:
            raise invalid("a ruleset needs at least one file")
        for file in files:
            _check_rules(str(file.get("name", "")), str(file.get("content", "")))
        name = f"{call.name}/{uuid.uuid4()}"
        return self._rulesets.add(name, {**call.body, "name": name, "createTime": timestamp(self._clock.now())})

    def _delete_ruleset(self, call: Call) -> Json:
        self._rulesets.get(call.name)
        for release in self._releases.below("projects"):
            if release["rulesetName"] == call.name:
                raise precondition(f"{call.name} is in force by {release['name']}; release another first")
        self._rulesets.remove(call.name)
        return {}

    def _create_release(self, call: Call) -> Json:
        self._rulesets.get(str(call.body.get("rulesetName", "")))
        name, now = str(call.body.get("name", "")), timestamp(self._clock.now())
        if not name.startswith(f"{call.name}/"):
            raise invalid(f"a release's name begins with {call.name}/, not {name!r}")
        return self._releases.add(name, {**call.body, "createTime": now, "updateTime": now})

    def _update_release(self, call: Call) -> Json:
        body = call.body.get("release") or call.body
        self._rulesets.get(str(body.get("rulesetName", "")))
        changed = {"rulesetName": body["rulesetName"], "updateTime": timestamp(self._clock.now())}
        return self._releases.update(call.name, changed, None)

    def _delete_release(self, call: Call) -> Json:
        self._releases.remove(call.name)
        return {}


def _check_rules(name: str, content: str) -> None:
    """Refuse what cannot be rules; the language itself is not read."""
    opened, closed = content.count("{"), content.count("}")
    if "service " not in content or not opened or opened != closed:
        raise invalid(f"{name}: no service block, or {opened} opening and {closed} closing braces")
