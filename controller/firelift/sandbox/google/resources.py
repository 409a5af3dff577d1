"""What every API does alike: resources by full name, update masks, pages, ids and times."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import grpc

from firelift.sandbox.google.values import SECOND, RefusedError, invalid

Json = dict[str, Any]

MAX_RESOURCES = 10_000
"""Of one kind; the stand-in keeps everything in memory."""
_PAGE = 100
_UNDERSCORE = re.compile(r"_([a-z])")


def not_found(name: str) -> RefusedError:
    """Return the refusal for a resource that is not there."""
    return RefusedError(grpc.StatusCode.NOT_FOUND, f"{name} not found")


def precondition(message: str) -> RefusedError:
    """Return the refusal for what the state of a resource does not allow (HTTP 400)."""
    return RefusedError(grpc.StatusCode.FAILED_PRECONDITION, message)


def aborted(message: str) -> RefusedError:
    """Return the refusal of a write that another has overtaken (HTTP 409)."""
    return RefusedError(grpc.StatusCode.ABORTED, message)


def timestamp(nanoseconds: int) -> str:
    """Return a time of the stand-in's clock as JSON has it: RFC 3339 in UTC with microseconds."""
    return datetime.fromtimestamp(nanoseconds / SECOND, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Ids:
    """Numbers that are never given twice, as Google's ids look."""

    def __init__(self) -> None:
        self._numbers = count(1_000)

    def number(self) -> str:
        """Return the next one."""
        return str(next(self._numbers))


class Resources:
    """The resources of one kind by full name, in the order of their making."""

    def __init__(self) -> None:
        self._kept: dict[str, Json] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def add(self, name: str, resource: Json) -> Json:
        """Keep a new resource.

        Raises RefusedError: ALREADY_EXISTS when one has that name, RESOURCE_EXHAUSTED when 10,000 are kept.
        """
        if name in self._kept:
            raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, f"{name} already exists")
        if len(self._kept) >= MAX_RESOURCES:
            raise RefusedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"the stand-in keeps at most {MAX_RESOURCES} of these"
            )
        self._kept[name] = resource
        return resource

    def get(self, name: str) -> Json:
        """Return a resource, or raise RefusedError (NOT_FOUND)."""
        if name not in self._kept:
            raise not_found(name)
        return self._kept[name]

    def put(self, name: str, resource: Json) -> Json:
        """Keep a resource in the place of the one by that name, or of none."""
        self._kept[name] = resource
        return resource

    def update(self, name: str, body: Json, mask: Sequence[str] | None) -> Json:
        """Change the fields that the mask names (without one: those of the body); the name stays."""
        return self.put(name, {**masked(self.get(name), body, mask), "name": self.get(name).get("name", name)})

    def remove(self, name: str) -> Json:
        """Forget a resource and return it, or raise RefusedError (NOT_FOUND)."""
        resource = self.get(name)
        del self._kept[name]
        return resource

    def remove_below(self, parent: str) -> None:
        """Forget all resources whose names begin with a parent's."""
        for name in [name for name in self._kept if name.startswith(f"{parent}/")]:
            del self._kept[name]

    def below(self, parent: str) -> list[Json]:
        """Return all resources whose names begin with a parent's; `-` in the parent is any one segment."""
        pattern = re.compile("/".join("[^/]+" if part == "-" else re.escape(part) for part in parent.split("/")) + "/")
        return [resource for name, resource in self._kept.items() if pattern.match(name)]


def masked(current: Json, body: Json, mask: Sequence[str] | None) -> Json:
    """Return a copy with the masked fields taken from the body: set where it has them, gone where it does not."""
    changed = copy.deepcopy(current)
    for path in body if mask is None else mask:
        _take(changed, body, [_UNDERSCORE.sub(lambda part: part[1].upper(), step) for step in path.split(".")])
    return changed


def _take(target: Json, source: Json, path: list[str]) -> None:
    *steps, last = path
    for step in steps:
        source = source.get(step) or {}
        target = target.setdefault(step, {})
    if last in source and source[last] is not None:
        target[last] = copy.deepcopy(source[last])
    else:
        target.pop(last, None)


def page(kind: str, items: Iterable[Json], size: str | int | None, token: str | None) -> Json:
    """Return {kind: [...], "nextPageToken": ...}; an empty list is absent, as in Google's JSON.

    Raises RefusedError (INVALID_ARGUMENT) for a size or token that is no number.
    """
    try:
        start, length = int(token or 0), int(size or 0) or _PAGE
    except ValueError as error:
        raise invalid(f"page size {size!r} or token {token!r} is not valid: {error}") from error
    found = list(items)
    answer: Json = {kind: found[start : start + length]} if found[start:] else {}
    return answer | ({"nextPageToken": str(start + length)} if len(found) > start + length else {})
