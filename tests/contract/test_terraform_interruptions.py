"""A run that is stopped, killed, or left by its owner leaves nothing behind, and the lock tells of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.terraform_scene import Scene, alive, data, processes_below, scene, slow
from tests.waiting import eventually

from firelift.infra.terraform.errors import StateLocked, TerraformFailed, TimedOut
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.session import Session
from firelift.infra.terraform.workspace import sweep


@pytest.fixture
def ground(tmp_path: Path) -> Scene:
    return scene(tmp_path)


async def _apply_slowly(ground: Scene, limits: Limits, *, stubborn: bool = False) -> None:
    document = slow(ground.folder, stubborn=stubborn)
    async with ground.runner.open(ground.configuration(document), limits=limits) as session:
        await session.apply((await session.plan()).saved.plan)


async def _pid(ground: Scene) -> int:
    path = ground.folder / "pid"
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, "the slow resource was never created"
        await asyncio.sleep(0.02)
    return int(path.read_text())


async def test_past_its_deadline_a_run_is_stopped_and_its_lock_released(ground: Scene) -> None:
    with pytest.raises(TimedOut, match=r"terraform apply did not end within 1\.5 s and was stopped gracefully") as late:
        await _apply_slowly(ground, Limits(deadline_seconds=1.5, grace_seconds=20))
    assert not late.value.killed
    assert not processes_below(ground.folder)
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        assert (await session.plan()).changed


async def test_what_does_not_hear_is_killed_and_what_it_left_does_not_hinder_the_next(ground: Scene) -> None:
    with pytest.raises(TimedOut, match="was killed; its state lock may still be held") as late:
        await _apply_slowly(ground, Limits(deadline_seconds=1.5, grace_seconds=0.5), stubborn=True)
    assert late.value.killed
    assert not processes_below(ground.folder)
    assert not alive(await _pid(ground))
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        assert (await session.plan()).changed


async def test_a_cancelled_run_has_stopped_when_the_cancellation_arrives(ground: Scene) -> None:
    running = asyncio.ensure_future(_apply_slowly(ground, Limits(deadline_seconds=60, grace_seconds=20)))
    child = await _pid(ground)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(child)
    assert not processes_below(ground.folder)
    assert not ground.workspaces


async def test_a_run_that_is_cancelled_twice_still_stops_first(ground: Scene) -> None:
    limits = Limits(deadline_seconds=60, grace_seconds=1)
    running = asyncio.ensure_future(_apply_slowly(ground, limits, stubborn=True))
    child = await _pid(ground)
    running.cancel()
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(child)
    assert not processes_below(ground.folder)


async def test_a_second_run_on_the_same_state_is_told_who_holds_it(ground: Scene) -> None:
    running = asyncio.ensure_future(_apply_slowly(ground, Limits(deadline_seconds=60, grace_seconds=20)))
    await _pid(ground)
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        with pytest.raises(StateLocked) as locked:
            await session.plan()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    lock = locked.value.lock
    assert (bool(lock.id), lock.operation, lock.host) == (True, "Apply", os.uname().nodename)
    assert lock.created is not None
    assert abs(lock.created.timestamp() - time.time()) < 60


async def test_no_more_run_at_once_than_are_allowed(ground: Scene) -> None:
    one_at_a_time = ground.with_settings(concurrency=1)
    seen: list[int] = []

    async def use(session: Session) -> None:
        await session.state()
        seen.append(len(one_at_a_time.workspaces))

    async def run() -> None:
        async with one_at_a_time.runner.open(ground.configuration(data(a=1))) as session:
            await use(session)

    await asyncio.gather(*(run() for _ in range(4)))
    assert seen == [1, 1, 1, 1]


_OWNER = """
import asyncio, shutil, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.terraform_scene import data, scene, slow
from firelift.infra.terraform.process import Limits

async def main(folder, stage):
    ground = scene(folder)
    script = folder / "terraform"
    script.write_text(f'''#!/bin/sh
case "$1 $2" in
  "{stage}"*) {shutil.which("sleep")} 600 & echo $! > {folder}/new; mv {folder}/new {folder}/pid; wait;;
  *) exec {ground.settings.binary} "$@";;
esac
''')
    script.chmod(0o700)
    if "apply" not in stage:
        ground = ground.with_settings(binary=str(script))
    document = slow(folder, stubborn=stage == "stubborn apply") if "apply" in stage else data(a=1)
    limits = Limits(deadline_seconds=60, grace_seconds=1)
    async with ground.runner.open(ground.configuration(document), limits=limits) as session:
        plan = await session.plan()
        await session.apply(plan.saved.plan)
        await session.outputs()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize(
    "stage", ["version", "init", "plan", "show", "apply", "stubborn apply", "state pull", "output"]
)
async def test_a_killed_owner_takes_terraform_and_all_that_it_started_with_it(tmp_path: Path, stage: str) -> None:
    repository = str(Path(__file__).parents[2])
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", _OWNER, str(tmp_path), stage, repository)
    child = await asyncio.to_thread(
        eventually, lambda: (tmp_path / "pid").exists() and int((tmp_path / "pid").read_text())
    )
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    await asyncio.to_thread(eventually, lambda: not processes_below(tmp_path), seconds=15)
    assert not alive(child)
    assert sweep(tmp_path / "w") == []
    assert list((tmp_path / "w").iterdir()) == []
    lock = tmp_path / "state" / ".terraform.tfstate.lock.info"
    assert lock.exists() == (stage == "stubborn apply")


async def test_a_killed_guard_does_not_leave_terraform_behind(ground: Scene) -> None:
    running = asyncio.ensure_future(_apply_slowly(ground, Limits(deadline_seconds=60, grace_seconds=20)))
    child = await _pid(ground)
    (guard,) = [pid for pid in processes_below(ground.folder) if b"guard.py" in _command(pid)]
    os.kill(guard, signal.SIGKILL)
    with pytest.raises(TerraformFailed, match="ended with code 137"):
        await running
    assert not alive(child)
    assert not processes_below(ground.folder)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def test_what_terraform_left_running_ends_with_it(ground: Scene) -> None:
    command = f"setsid sleep 600 >/dev/null 2>&1 & echo $! > {ground.folder}/pid"
    document = {"resource": {"terraform_data": {"a": {"provisioner": [{"local-exec": {"command": command}}]}}}}
    async with ground.runner.open(ground.configuration(document)) as session:
        await session.apply((await session.plan()).saved.plan)
    assert not alive(await _pid(ground))


async def test_a_workspace_in_use_is_never_swept(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        assert sweep(ground.settings.root) == []
        assert (await session.plan()).changed
