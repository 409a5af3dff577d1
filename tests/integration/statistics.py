"""Diaries of an app, what their statistics must come to by plain Python, and an app that goes on writing them."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from google.cloud.firestore import AsyncClient

from firelift.functions import Context

START = datetime(2024, 3, 1, tzinfo=UTC)
USERS = [*(f"u{number}" for number in range(37)), "42"]

DAILY: dict[str, Any] = {
    "name": "daily",
    "source": {"collection": "diary"},
    "entityKey": "userId",
    "entityCollection": "people",
    "target": {
        "aggregate": {
            "document": "people/{entity}/daily_stats/{day}",
            "keys": {"day": "string(doc.at).substring(0, 10)"},
            "orderBy": "doc.at",
            "set": {
                "meals": {"count": "doc.kind == 'meal'"},
                "kcal.total": {"sum": "doc.kcal"},
                "kcal.least": {"min": "doc.kcal"},
                "kcal.most": {"max": "doc.kcal"},
                "kcal.mean": {"avg": "doc.kcal"},
                "firstKind": {"first": "doc.kind"},
                "lastKind": {"last": "doc.kind"},
            },
            "fingerprintField": "madeOf",
        }
    },
}
STREAKS: dict[str, Any] = {
    **{key: value for key, value in DAILY.items() if key != "entityCollection"},
    "name": "streaks",
    "target": {
        "aggregate": {
            "document": "people/{entity}/stats/streaks",
            "orderBy": "doc.at",
            "python": {"entrypoint": f"{__name__}:streaks"},
        }
    },
}


def streaks(documents: list[dict[str, Any]], context: Context) -> dict[str, Any] | None:
    """What a user's own code would be: the longest run of days with an entry."""
    best = current = 1
    days = sorted({document["at"].date() for document in documents})
    for before, day in pairwise(days):
        current = current + 1 if (day - before).days == 1 else 1
        best = max(best, current)
    return {"longest": best, "entries": len(documents), "whose": context.entity}


def entry(chance: random.Random, user: str) -> dict[str, Any]:
    """A diary entry; user 42 has keys of both types."""
    return {
        "userId": 42 if user == "42" and chance.random() < 0.5 else user,
        "at": START + timedelta(days=chance.randrange(12), seconds=chance.randrange(86_400)),
        "kind": chance.choice(["meal", "snack"]),
        "kcal": chance.choice([chance.randrange(900), chance.random() * 900]),
        "note": "of no interest",
    }


def daily(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the daily statistics of some entries must be, but for their fingerprints."""
    days: dict[str, list[tuple[Any, str, Mapping[str, Any]]]] = defaultdict(list)
    for path, each in entries.items():
        day = f"people/{each['userId']}/daily_stats/{each['at'].date()}"
        days[day].append((each["at"], path, each))
    return {path: _day([each for *_, each in sorted(found, key=lambda one: one[:2])]) for path, found in days.items()}


def _day(entries: list[Mapping[str, Any]]) -> dict[str, Any]:
    amounts = sorted(each["kcal"] for each in entries)
    total = sum(amounts) if all(isinstance(each, int) for each in amounts) else _about(sum(amounts))
    return {
        "meals": sum(each["kind"] == "meal" for each in entries),
        "kcal": {
            "total": total,
            "least": amounts[0],
            "most": amounts[-1],
            "mean": _about(sum(amounts) / len(amounts)),
        },
        "firstKind": entries[0]["kind"],
        "lastKind": entries[-1]["kind"],
    }


def _about(value: float) -> float:
    """Plain addition depends on its order in the last digits."""
    return round(value, 6)


def rounded(found: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Statistics as they were found, as `daily` has them."""
    return {path: _rounded(each) for path, each in found.items()}


def _rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    kcal, total = fields["kcal"], fields["kcal"]["total"]
    amounts = {"total": total if isinstance(total, int) else _about(total), "mean": _about(kcal["mean"])}
    return {name: value for name, value in fields.items() if name != "madeOf"} | {"kcal": kcal | amounts}


def longest(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the streaks of some entries must be."""
    days: dict[str, list[Any]] = defaultdict(list)
    for each in entries.values():
        days[str(each["userId"])].append(each["at"].date())
    return {
        f"people/{user}/stats/streaks": {"longest": _streak(set(found)), "entries": len(found), "whose": user}
        for user, found in days.items()
    }


def _streak(days: set[Any]) -> int:
    beginnings = [day for day in days if day - timedelta(days=1) not in days]
    return max(next(n for n in range(1, 99) if day + timedelta(days=n) not in days) for day in beginnings)


@dataclass
class Diary:
    """The entries as the app was told that they are."""

    client: AsyncClient
    chance: random.Random
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    leaving: bool = False

    async def fill(self, count: int) -> None:
        """People, and entries of theirs."""
        batch = self.client.batch()
        for user in USERS:
            batch.set(self.client.document(f"people/{user}"), {"plan": "pro"})
        for number in range(count):
            path = f"diary/d{number:05d}"
            self.entries[path] = entry(self.chance, self.chance.choice(USERS))
            batch.set(self.client.document(path), self.entries[path])
        await batch.commit()

    async def live(self) -> None:
        """Write, change and tear out entries until told to leave."""
        self.leaving = False
        while not self.leaving:
            await self.chance.choice((self.write, self.write, self.change, self.tear_out))()
            await asyncio.sleep(self.chance.uniform(0, 0.02))

    async def write(self) -> None:
        """An entry that comes late."""
        path = f"diary/d{self.chance.randrange(99_999):05d}x{len(self.entries)}"
        fields = entry(self.chance, self.chance.choice(USERS))
        await self.client.document(path).create(fields)
        self.entries[path] = fields

    async def change(self) -> None:
        """Another amount."""
        path = self.chance.choice(list(self.entries))
        kcal = self.chance.randrange(5_000)
        await self.client.document(path).update({"kcal": kcal})
        self.entries[path] = self.entries[path] | {"kcal": kcal}

    async def tear_out(self) -> None:
        """One entry less."""
        path = self.chance.choice(list(self.entries))
        await self.client.document(path).delete()
        del self.entries[path]
