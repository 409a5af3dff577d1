"""What a copy leads to where its target exists: the pure decision of `onExisting`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from firelift.api.migration import OnExisting
from firelift.migration import fields as paths
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.store import Document, FieldPath, Fields, Missing


class Idle(Enum):
    """Why nothing is written."""

    UNCHANGED = auto()
    SKIPPED = auto()


Decision = Imaged | Idle


@dataclass(frozen=True, slots=True)
class Existing:
    """The policy of one migration."""

    policy: OnExisting
    imager: Imager

    def decide(self, source: Document, wanted: Fields, target: Document | Missing) -> Decision:
        """What to do with the target of a copy that should become `wanted`."""
        if isinstance(target, Missing):
            return self.imager.create(target.path, wanted, source.path)
        match self.policy:
            case OnExisting.SKIP:
                return Idle.SKIPPED
            case OnExisting.FILL_MISSING:
                mask = paths.absent_paths(self.imager.kit, target.fields, wanted)
            case OnExisting.KEEP_NEWER if source.update_time <= target.update_time:
                return Idle.SKIPPED
            case OnExisting.OVERWRITE | OnExisting.KEEP_NEWER:
                mask = paths.changed_paths(self.imager.kit, target.fields, wanted)
        return self.imager.update(target, wanted, self._own(mask), source.path) or Idle.UNCHANGED

    def contested(self, decision: Decision, wanted: Fields, target: Document) -> bool:
        """Whether it matters who wrote the target: it would be written, or is not what this source becomes."""
        missed = paths.missed_paths(self.imager.kit, target.fields, wanted)
        return isinstance(decision, Imaged) or any(self._own(missed))

    def _own(self, mask: Iterable[FieldPath]) -> Iterable[FieldPath]:
        """The paths that are not the app's own."""
        return (path for path in mask if not any(paths.overlap(path, other) for other in self.imager.ignored))
