"""The app's data before anything has moved: the same documents each time, from a fixed seed.

Keys are document paths. Values are what the official client reads and writes, so that a check can compare types too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore import AsyncClient, GeoPoint
from google.cloud.firestore_v1.vector import Vector

SEED = 20_261_121
USERS = 600
FITNESS_LOGS = 8_000
TASKS = 5_000
CHAT_MESSAGES = 5_000
FOODS = 2_000
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 400

Documents = dict[str, dict[str, Any]]


def documents(client: AsyncClient, scale: float = 1.0) -> Documents:
    """Every seeded document by path: 20,600 in five flat collections, or that many times `scale`."""
    random_ = random.Random(SEED)  # noqa: S311 - the same data each time, not a secret
    made: Documents = {}
    for generate in (_users, _fitness_logs, _tasks, _chat_messages, _foods):
        made.update(generate(random_, client, scale))
    return made


async def seed(client: AsyncClient, made: Documents) -> None:
    """Write the documents in batches of 400."""
    paths = list(made)
    for start in range(0, len(paths), BATCH):
        batch = client.batch()
        for path in paths[start : start + BATCH]:
            batch.set(client.document(path), made[path])
        await batch.commit()


def _moment(random_: random.Random) -> datetime:
    return EPOCH + timedelta(microseconds=random_.randrange(300 * 86_400 * 1_000_000))


def _name(random_: random.Random) -> str:
    return "".join(random_.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=20))


def user_ids(scale: float = 1.0) -> list[str]:
    """The ids of all users."""
    return [f"user-{number:04d}" for number in range(_count(USERS, scale))]


def _count(number: int, scale: float) -> int:
    return max(1, round(number * scale))


def _users(random_: random.Random, _client: AsyncClient, scale: float) -> Iterator[tuple[str, dict[str, Any]]]:
    for user in user_ids(scale):
        home = GeoPoint(round(random_.uniform(-80, 80), 6), round(random_.uniform(-180, 180), 6))
        yield f"users/{user}", {"email": f"{user}@example.test", "goal": 1_800 + random_.randrange(900), "home": home}


def _fitness_logs(random_: random.Random, client: AsyncClient, scale: float) -> Iterator[tuple[str, dict[str, Any]]]:
    users = user_ids(scale)
    for number in range(_count(FITNESS_LOGS, scale)):
        user = random_.choice(users)
        log: dict[str, Any] = {
            "userId": user,
            "type": random_.choice(["run", "swim", "lift", "meal"]),
            "calories": random_.randrange(0, 2_000),
            "ts": int(_moment(random_).timestamp()),
            "owner": client.document(f"users/{user}"),
            "details": {"heart rate": [60 + random_.randrange(90) for _ in range(3)], "a.b": {"deep": None}},
        }
        if number % 7 == 0:
            log |= {"place": GeoPoint(48.137, 11.575), "trace": random_.randbytes(24), "ratio": float("nan")}
        if number % 11 == 0:
            log["embedding"] = Vector([random_.random() for _ in range(4)])
        yield f"fitness_logs/{_name(random_)}", log


def _tasks(random_: random.Random, _client: AsyncClient, scale: float) -> Iterator[tuple[str, dict[str, Any]]]:
    users = user_ids(scale)
    for number in range(_count(TASKS, scale)):
        yield (
            f"tasks/{_name(random_)}",
            {
                "userId": random_.choice(users),
                "assignee": random_.choice(users),
                "title": f"task {number}",
                "done": random_.random() < 0.5,  # noqa: PLR2004 - a coin
                "due": _moment(random_),
                "steps": number % 9,
            },
        )


def _chat_messages(random_: random.Random, _client: AsyncClient, scale: float) -> Iterator[tuple[str, dict[str, Any]]]:
    users = user_ids(scale)
    for number in range(_count(CHAT_MESSAGES, scale)):
        yield (
            f"chat_messages/{_name(random_)}",
            {"userId": random_.choice(users), "text": f"message {number} \u2603", "sent": _moment(random_)},
        )


def _foods(random_: random.Random, _client: AsyncClient, scale: float) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(_count(FOODS, scale)):
        yield (
            f"food_database/{number:05d}",
            {"name": f"food {number}", "kcal": random_.randrange(900), "fat": 0.5 * (number % 60)},
        )
