"""What takes time to be built: indexes, TTLs and the operations that build them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from firelift.sandbox.google.values import SECOND

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.resources import Json

State = Literal["CREATING", "READY", "NEEDS_REPAIR"]
_Seconds = Field(default=0, ge=0, le=86_400)


class BuildTimes(BaseModel):
    """How long things take from now on, in seconds of the stand-in's clock; 0 answers with a finished operation."""

    model_config = ConfigDict(extra="forbid")

    index_seconds: float = _Seconds
    field_seconds: float = _Seconds
    ttl_seconds: float = _Seconds
    database_seconds: float = _Seconds
    export_seconds: float = _Seconds
    export_error: str = Field(default="", max_length=500, description="what exports and imports fail with at their end")
    documents: int = Field(default=1_000, ge=0, description="how many documents a build says it has to read")


@dataclass(slots=True)
class _Build:
    ends: int
    forced: State | None = None


class Builds:
    """In which state each thing is now, by its name."""

    def __init__(self, clock: Clock) -> None:
        self.times = BuildTimes()
        self._clock = clock
        self._kept: dict[str, _Build] = {}

    def begin(self, name: str, seconds: float) -> None:
        """Note that the building of something begins now."""
        self._kept[name] = _Build(self._clock.now() + round(seconds * SECOND))

    def force(self, name: str, state: State) -> None:
        """Put something into a state until it is built anew or forced otherwise; READY ends a build."""
        self._kept[name] = _Build(self._clock.now(), None if state == "READY" else state)

    def state(self, name: str) -> State:
        """Return the state of something now."""
        build = self._kept.get(name)
        if build is None:
            return "READY"
        return build.forced or ("READY" if self._clock.now() >= build.ends else "CREATING")

    def forget(self, name: str) -> None:
        """Drop what is known of something that is gone, and of all below it."""
        for known in [known for known in self._kept if known == name or known.startswith(f"{name}/")]:
            del self._kept[known]

    def progress(self, fraction: float) -> Json:
        """Return how many documents a build has read, as google.firestore.admin.v1.Progress."""
        documents = self.times.documents
        return {"estimatedWork": str(documents), "completedWork": str(int(documents * fraction))}
