"""What a lane's reader and processor know of the pace."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from firelift.migration.clock import Pause
from firelift.migration.entities.pace import EntityPace
from firelift.migration.readers import Limit, whole_page


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long they wait, with a `sleep` that ends when the worker has to leave, and how much they read.

    A reader that is given the pace of `entities` gives out just what may be written; any other that writes, as many
    documents at once as the `limit` says.
    """

    sleep: Pause = asyncio.sleep
    entities: EntityPace | None = None
    limit: Limit = whole_page


UNHURRIED = Tempo()
"""Of a lane that nothing limits."""
