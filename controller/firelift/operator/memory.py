"""What the operator keeps of an object between two turns. All of it may be lost at any time: it only saves work."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from firelift.migration.budget_leases import Lease
from firelift.migration.ledger.progress import Progress
from firelift.operator.measure import Measurer
from firelift.rollout.ground import RolloutKey
from firelift.rollout.observation import PaceSeen, Refusal

FIRST_BACKOFF_SECONDS = 0.1
_SHOWN_PROBLEMS = 3


@dataclass(slots=True, kw_only=True)
class TurnMemory:
    """Of an object of any kind. `problems` are sentences since the last turn that went well."""

    uid: str = ""
    problems: tuple[str, ...] = ()
    failures: int = 0
    status_time: float = float("-inf")

    def succeeded(self) -> None:
        """A whole turn went well."""
        self.failures, self.problems = 0, ()

    def failed(self, sentence: str, longest_seconds: float) -> float:
        """Keep what went wrong; how many seconds to wait before trying again."""
        self.problems = tuple(dict.fromkeys((*self.problems, sentence)))[-_SHOWN_PROBLEMS:]
        return self.again(longest_seconds)

    def again(self, longest_seconds: float) -> float:
        """A turn came to nothing; how many seconds to wait before the next one, twice as long each time."""
        self.failures += 1
        exponent = min(self.failures - 1, 16)
        return min(FIRST_BACKOFF_SECONDS * 2.0**exponent, longest_seconds)

    @property
    def seconds_since_status(self) -> float:
        """How long ago the status was written."""
        return time.monotonic() - self.status_time


@dataclass(slots=True)
class ObjectMemory(TurnMemory):
    """Of a rollout."""

    measurer: Measurer
    progress: dict[str, Progress] = field(default_factory=dict)
    pace: PaceSeen | None = None
    """What the last turn was granted."""
    lease: Lease | None = None
    """That, or what an earlier one was and nobody has given back yet."""
    tidied: bool = False
    lock_leases: frozenset[str] | None = None
    """The Leases that show this object's locks, None while nobody has looked."""
    checked_generation: int = 0
    grounds: frozenset[str] = frozenset()
    """The environments that the last turn looked at."""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    """Why exports and imports were not begun, by the export's place."""
    rests_on: frozenset[RolloutKey] = frozenset()
    """The other rollouts that it looked at."""
    unusable: str = ""
    """What `checked_generation` has against its migrations."""

    def belongs_to(self, uid: str) -> None:
        """Forget what was known of an earlier object of this name."""
        if self.uid != uid:
            self.uid, self.tidied, self.status_time = uid, False, float("-inf")
            self.checked_generation, self.pace, self.lease, self.lock_leases = 0, None, None, None
            self.progress.clear()
            self.refusals.clear()
