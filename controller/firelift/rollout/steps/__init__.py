"""The registry: one line per verb. Its spec stands in `firelift.api.steps`, what it does in the module of its name."""

from __future__ import annotations

from firelift.rollout.place import Place
from firelift.rollout.steps.approve import APPROVE
from firelift.rollout.steps.backup import BACKUP
from firelift.rollout.steps.delete import DELETE
from firelift.rollout.steps.flags import FLAGS
from firelift.rollout.steps.indexes import INDEXES
from firelift.rollout.steps.migrate import MIGRATE
from firelift.rollout.steps.restore import RESTORE
from firelift.rollout.steps.soak import SOAK
from firelift.rollout.steps.sweep import SWEEP
from firelift.rollout.steps.verify import VERIFY
from firelift.rollout.twin import Twin

TWINS: dict[str, Twin] = {
    "flags": FLAGS,
    "migrate": MIGRATE,
    "verify": VERIFY,
    "soak": SOAK,
    "approve": APPROVE,
    "sweep": SWEEP,
    "delete": DELETE,
    "indexes": INDEXES,
    "backup": BACKUP,
    "restore": RESTORE,
}


def twin(place: Place) -> Twin:
    """What the verb of the step at this place does."""
    return TWINS[place.spec.verb]
