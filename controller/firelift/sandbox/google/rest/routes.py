"""Calls over REST: which method of which API a path means, as Google's references write their paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from firelift.sandbox.google.resources import Json, Resources, page

Serve = Callable[["Call"], Json]

_VARIABLE = re.compile(r"\\\{(\w+)(=\\\*\\\*)?\\\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    `name` is the path without version and verb, such as `projects/p/databases/d/backupSchedules`; `path` holds the
    template's variables. Both are decoded, so that `app%2Ferrors` is one segment of the path and `app/errors` here.
    """

    name: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    @property
    def parent(self) -> str:
        """The name without its last segment: what a collection, or a custom verb of one, belongs to."""
        return self.name.rpartition("/")[0]

    @property
    def window(self) -> tuple[str | None, str | None]:
        """The size and the token of the page that a list is asked for."""
        return self.query.get("pageSize"), self.query.get("pageToken")

    @property
    def mask(self) -> list[str] | None:
        """The paths of `updateMask`, wherever the API takes it; None when there is none."""
        mask = self.query.get("updateMask") or self.body.get("updateMask")
        return mask.split(",") if mask else None


@dataclass(frozen=True, slots=True)
class Route:
    """A method of an API: `template` is `v1/projects/{project}/secrets/{secret}:addVersion`.

    A variable is one segment without a colon; `{release=**}` is all the rest of a path.
    """

    verb: str
    template: str
    method: str
    serve: Serve
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        version, _, rest = self.template.partition("/")
        name, _, custom = rest.partition(":")
        ending = f":{custom}" if custom else ""
        pattern = f"{version}/(?P<name>{_VARIABLE.sub(_group, re.escape(name))}){ending}"
        object.__setattr__(self, "pattern", re.compile(pattern))

    def match(self, verb: str, path: str) -> re.Match[str] | None:
        """Return the match of an encoded path without its leading slash."""
        return self.pattern.fullmatch(path) if verb == self.verb else None


def listed(kind: str, kept: Resources) -> Serve:
    """Return the method that answers a page of the resources below the call's name."""
    return lambda call: page(kind, kept.below(call.name), *call.window)


def call_of(match: re.Match[str], query: Mapping[str, str], body: Json) -> Call:
    """Return the call that a matched path, a query and a body make."""
    groups = {name: unquote(value) for name, value in match.groupdict().items()}
    return Call(groups.pop("name"), groups, query, body)


def _group(variable: re.Match[str]) -> str:
    return f"(?P<{variable[1]}>{'.+' if variable[2] else '[^/:]+'})"
