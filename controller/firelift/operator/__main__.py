"""`python -m firelift.operator`: one operator process, set up by environment variables."""

from __future__ import annotations

import asyncio

from firelift.operator.app import Operator
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import configure_logging


async def _run(settings: Settings) -> None:
    await Operator(settings).run()


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings()
    configure_logging(settings.log_format)
    asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
