"""Run the Google Cloud stand-in: `python -m firelift.sandbox.google --ready-file F`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from firelift.sandbox.google.server import Options, StandIn, running_stand_in


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(_arguments()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="firelift-google", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="gRPC port; 0 picks a free one")
    parser.add_argument("--control-port", type=int, default=0, help="HTTP port of the control API; 0 picks a free one")
    parser.add_argument("--rest-port", type=int, default=0, help="HTTP port of the REST APIs; 0 picks a free one")
    parser.add_argument("--ready-file", type=Path, help="written, atomically, once all ports answer")
    parser.add_argument(
        "--shortest-period", type=int, default=1, help="least alignment period in seconds (60 in Cloud Monitoring)"
    )
    parser.add_argument("--namespace", default="", help="identity of the data; the uid of databases follows from it")
    parser.add_argument("--firestore-host", default="", help="the emulator whose documents are exported and imported")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    ports = arguments.port, arguments.control_port, arguments.rest_port
    options = Options(*ports, arguments.shortest_period, arguments.namespace, arguments.firestore_host)
    async with running_stand_in(options) as stand_in:
        _announce(stand_in, arguments.ready_file)
        await stopped.wait()


def _announce(stand_in: StandIn, ready_file: Path | None) -> None:
    ready = json.dumps({"monitoring": stand_in.endpoint, "control": stand_in.control, "rest": stand_in.rest})
    if ready_file is None:
        sys.stdout.write(ready + "\n")
        sys.stdout.flush()
        return
    partial = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
    partial.write_text(ready, encoding="utf-8")
    partial.replace(ready_file)


if __name__ == "__main__":
    main()
