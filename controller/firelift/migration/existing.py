"""What a copy leads to where its target exists: the pure decision of `onExisting`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from firelift.api.migration import OnExisting
from firelift.migration import fields as paths
from firelift.migration.ignored import respecting
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.ledger.moved import Ours
from firelift.migration.store import Document, Fields, Missing


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
        wanted = self._respecting(wanted, target)
        match self.policy:
            case OnExisting.SKIP:
                return Idle.SKIPPED
            case OnExisting.FILL_MISSING:
                mask = paths.absent_paths(self.imager.kit, target.fields, wanted)
            case OnExisting.KEEP_NEWER if source.update_time <= target.update_time:
                return Idle.SKIPPED
            case OnExisting.OVERWRITE | OnExisting.KEEP_NEWER:
                mask = paths.changed_paths(self.imager.kit, target.fields, wanted)
        return self.imager.update(target, wanted, mask, source.path) or Idle.UNCHANGED

    def renewed(self, source: Document, wanted: Fields, target: Document, ours: Ours) -> Decision:
        """What to do with a copy of our own that nobody has touched, and whose source has changed since."""
        wanted = self._respecting(wanted, target)
        changed = paths.changed_paths(self.imager.kit, target.fields, wanted)
        there = target.fields
        mask = [path for path in changed if ours.holds(path) or paths.get(self.imager.kit, there, path) is None]
        return self.imager.update(target, wanted, mask, source.path) or Idle.UNCHANGED

    def contested(self, decision: Decision, wanted: Fields, target: Document) -> bool:
        """Whether it matters who wrote the target: it would be written, or is not what this source becomes."""
        if isinstance(decision, Imaged):
            return True
        return any(paths.missed_paths(self.imager.kit, target.fields, self._respecting(wanted, target)))

    def _respecting(self, wanted: Fields, target: Document) -> Fields:
        return respecting(self.imager.kit, wanted, target.fields, self.imager.ignored)
