"""Two sources for one target: the first one has it, each other is a dead letter that names both."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.migration.ledger.origins import Origins
from firelift.migration.refusal import Refused
from firelift.migration.store import Document


def second_source(target: str, first: str) -> Refused:
    """Why a source has no target."""
    return Refused("target", f"two sources for one target: {target} is the copy of {first}")


async def owners(origins: Origins, targets: Iterable[Document]) -> dict[str, str]:
    """The source of each of these targets that this migration has written, by the target's path."""
    found = {target.path: await origins.of(target) for target in targets}
    return {path: source for path, source in found.items() if source is not None}
