"""`make demo`: set up, play, check."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from google.cloud.firestore import AsyncClient

from firelift.sandbox.demo import data, manifests
from firelift.sandbox.demo.checks import Check, check_conflicts, check_database
from firelift.sandbox.demo.ground import GroundScenes
from firelift.sandbox.demo.scenes import Scenes
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox


def main() -> None:
    """Play the demonstration; exit with 0 only when every check holds."""
    started = time.monotonic()
    click.echo("starting a control plane, a node, the Firestore emulator and the Google Cloud stand-in …")
    with Sandbox() as sandbox:
        click.echo(f"  done in {time.monotonic() - started:.1f} s")
        checks = play(sandbox)
    failed = _report(checks)
    click.echo(f"took {time.monotonic() - started:.0f} s")
    click.secho(
        f"demo: {len(checks) - failed} checks passed, {failed} failed", fg="red" if failed else "green", bold=True
    )
    sys.exit(1 if failed else 0)


def play(sandbox: Sandbox) -> list[Check]:
    """Every scene on a sandbox that has been started, and then the checks against its database."""
    os.environ |= sandbox.google_environment()
    log = sandbox.directory / "app.log"
    with _told("seeding the app's data"):
        count = asyncio.run(_seed())
    click.echo(f"  {count:,} documents in users, fitness_logs, tasks, chat_messages and food_database")
    with _told("installing the custom resources, the operator's rights and the team's namespace"):
        _install(sandbox)
    app = _start_app(sandbox, log)
    scenes, ground = Scenes(sandbox), GroundScenes(sandbox)
    checks = [ground.lay(), scenes.move()]
    ground.drift()
    checks += [*scenes.take_back(), ground.repair(), scenes.killed(), scenes.own_keys()]
    return [*checks, _stop_app(app), *asyncio.run(_check(log))]


def _install(sandbox: Sandbox) -> None:
    sandbox.install_crds()
    sandbox.install_manifests()
    for manifest in (manifests.namespace(), manifests.app_flags()):
        sandbox.kubectl("apply", "--server-side", "-f", "-", stdin=manifests.text(manifest))


def _start_app(sandbox: Sandbox, log: Path) -> Process:
    click.echo("starting the live application: it reads and writes until the end")
    options = [
        f"--project={manifests.PROJECT}",
        f"--monitoring={sandbox.monitoring_host}",
        f"--namespace={manifests.NAMESPACE}",
        f"--log={log}",
    ]
    return sandbox.supervisor.start(
        "app", [sys.executable, "-m", "firelift.sandbox.demo.app", *options], sandbox.environment()
    )


def _stop_app(app: Process) -> Check:
    """An app that has died proves nothing about live writes."""
    alive = app.running
    app.stop()
    return Check("the application ran to the end", alive, "stopped after the last scene" if alive else app.tail())


async def _seed() -> int:
    client = AsyncClient(project=manifests.PROJECT)
    documents = data.documents(client)
    await data.seed(client, documents)
    return len(documents)


async def _check(log: Path) -> list[Check]:
    client = AsyncClient(project=manifests.PROJECT)
    return [await check_conflicts(client, *manifests.DEMO.ledgers), *await check_database(client, log)]


def _report(checks: list[Check]) -> int:
    """Print one line per check; the number of those that failed."""
    click.secho("\nWhat was claimed, against the database:", bold=True)
    for check in checks:
        mark = click.style("ok  ", fg="green") if check.holds else click.style("FAIL", fg="red", bold=True)
        click.echo(f"  {mark}  {check.claim}: {check.counted}")
    return sum(not check.holds for check in checks)


@contextmanager
def _told(what: str) -> Iterator[None]:
    started = time.monotonic()
    click.echo(f"{what} …")
    yield
    click.echo(f"  done in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
