"""`python -m firelift.operator`: one operator process, set up by environment variables."""

from __future__ import annotations

import asyncio
import gc
import sys

from firelift.operator.app import Operator
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import configure_logging

_COLLECTED_AFTER = (20_000, 20, 20)
"""Objects made until the collector looks for cycles, and how many looks until it looks at all of them. By Python's
defaults it looked at all that a thousand rollouts are every 2.5 s, at a new leader twice a second, and nothing else
happened for those 0.2 s."""

_SWITCH_SECONDS = 0.001
"""How long the thread that answers a scrape may keep Python's lock from the event loop, by default 5 ms. It writes
22,000 samples of a thousand rollouts in 0.3 s, and a turn that waits for one answer after another asks for the lock
each time."""


async def _run(settings: Settings) -> None:
    await Operator(settings).run()


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings()
    configure_logging(settings.log_format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)
    asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
