"""Exchanges between the real Terraform provider and a server, replayed on the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

# What a server makes up: compared by its type only.
_MADE_UP = frozenset({"@type", "uid", "etag", "uniqueId", "projectNumber", "concurrencyMode", "message", "version"})
_NAMES = frozenset({"name", "index", "field", "parent"})
_TIMES = ("Time", "Period")
# Of the recording's own server, and in no API of Google's.
_FOREIGN = frozenset({"_p"})
HEADERS = {"Authorization": "Bearer test"}


def recorded(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


@dataclass
class Replay:
    """Sends recorded requests in order, under the names that the stand-in gave, and says what differs."""

    session: aiohttp.ClientSession
    names: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)

    async def exchange(self, line: dict[str, Any]) -> list[str]:
        """Send one recorded request; return a sentence for each way in which the answer is another."""
        path, body = self._renamed(line["path"]), self._renamed(line["req"])
        resource = path.partition(":")[0]
        if body and "policy" in body:  # the recording has the etag of the answer there
            body["policy"]["etag"] = self.etags[resource]
        async with self.session.request(line["m"], path, params=line["query"], json=body, headers=HEADERS) as answer:
            status, given = answer.status, await answer.json()
        if "etag" in given:
            self.etags[resource] = given["etag"]
        at = f"{line['m']} {path}"
        if status != line["status"]:
            return [f"{at}: {line['status']} expected, {status} answered: {given}"]
        self._learn(line["resp"], given)
        return [f"{at}: {difference}" for difference in differences(self._renamed(line["resp"]), given)]

    def _learn(self, expected: Any, given: Any) -> None:
        for old, new in names_of(expected, given):
            self.names[old] = new

    def _renamed(self, value: Any) -> Any:
        """Replace recorded names, the longest first, wherever they stand in a path, a body or an answer."""
        text = json.dumps(value)
        for old in sorted(self.names, key=len, reverse=True):
            text = text.replace(old, self.names[old])
        return json.loads(text)


def names_of(expected: Any, given: Any) -> Iterator[tuple[str, str]]:
    """Yield the recorded name and the given one, wherever both sides have a resource that names itself."""
    if isinstance(expected, dict) and isinstance(given, dict):
        for key in expected.keys() & given.keys():
            old, new = expected[key], given[key]
            if key in _NAMES and isinstance(old, str) and isinstance(new, str) and old != new:
                yield old, new
            yield from names_of(old, new)
    elif isinstance(expected, list) and isinstance(given, list):
        for old, new in zip(expected, given, strict=False):
            yield from names_of(old, new)


def differences(expected: Any, given: Any, at: str = "") -> Iterator[str]:
    """Yield what is missing or another; a given object may say more than the expected one."""
    if isinstance(expected, dict) and isinstance(given, dict):
        for key, value in expected.items():
            if key in given:
                yield from differences(value, given[key], f"{at}.{key}")
            elif key not in _FOREIGN and value not in ([], {}):  # Google leaves empty lists out
                yield f"{at}.{key} is missing"
    elif isinstance(expected, list) and isinstance(given, list):
        if len(expected) != len(given):
            yield f"{at} has {len(given)} items, not {len(expected)}"
        for number, (old, new) in enumerate(zip(expected, given, strict=False)):
            yield from differences(old, new, f"{at}[{number}]")
    elif type(expected) is not type(given):
        yield f"{at} is {given!r}, not a {type(expected).__name__} like {expected!r}"
    elif expected != given and not _made_up(at.rpartition(".")[2]):
        yield f"{at} is {given!r}, not {expected!r}"


def _made_up(key: str) -> bool:
    return key in _MADE_UP or key.endswith(_TIMES)
