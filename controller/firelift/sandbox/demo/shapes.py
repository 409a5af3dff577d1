"""How the app itself understands its data: the new shape of a fitness log, and who writes and reads it.

The cohort follows the published hash (docs/cohorts.md), written here once more as any app would write it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Fields = dict[str, Any]


def bucket(seed: str, entity: str) -> int:
    """The entity's bucket of 10,000."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{entity}".encode()).digest()[:8], "big") % 10_000


def opened(flags: Mapping[str, str], flag: str, user: str) -> bool:
    """Whether a published percent covers the user. A flag that is not there covers nobody."""
    return bucket(flags.get(f"{flag}_SEED", ""), user) < int(flags.get(flag, "0")) * 100


def new_log_path(log_id: str, log: Fields) -> str:
    """Where a fitness log lives in the new shape."""
    return f"users/{log['userId']}/fitness_logs/{log_id}"


def new_log(log: Fields) -> Fields:
    """A fitness log in the new shape: `logType` for `type`, `createdAt` for `ts`."""
    kept = {name: value for name, value in log.items() if name not in {"type", "ts"}}
    return kept | {"logType": log["type"], "createdAt": datetime.fromtimestamp(log["ts"], tz=UTC)}
