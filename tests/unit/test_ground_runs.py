"""Runs of Terraform in the operator: one for each environment, their ends, and which operators may have one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
import structlog
from tests.waiting import until

from firelift.environment.observation import Applied, Outcome, RunFailed, RunSeen, Unlocked
from firelift.operator.ground.operators import Claim
from firelift.operator.ground.runs import Runs
from firelift.operator.telemetry.metrics import Metrics
from firelift.operator.wakeups import Key

PROD = Key("shop", "prod")


class Work:
    """What a run does: it waits, and ends as it is told."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.outcome: Outcome | Exception = Applied("line", 3)

    async def __call__(self) -> Outcome:
        self.begun += 1
        await self.may_end.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Scene:
    """Runs, and which environments they have woken."""

    def __init__(self) -> None:
        self.woken: list[Key] = []
        self.runs = Runs(self.woken.append, structlog.get_logger(), Metrics().terraform)
        self.work = Work()


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.runs.stop()


async def test_a_run_that_is_asked_for_again_is_begun_once_and_its_end_wakes_the_environment(scene: Scene) -> None:
    scene.runs.start(PROD, "apply-1", scene.work)
    scene.runs.start(PROD, "apply-1", scene.work)
    assert scene.runs.seen(PROD, "apply-1") == RunSeen("apply-1", running=True)
    scene.work.may_end.set()
    await until(lambda: scene.woken == [PROD])
    scene.runs.start(PROD, "apply-1", scene.work)
    assert scene.runs.seen(PROD, "apply-1") == RunSeen("apply-1", outcome=Applied("line", 3))
    assert scene.work.begun == 1


async def test_another_run_waits_for_the_end_of_the_one_at_work(scene: Scene) -> None:
    second = Work()
    second.outcome = Unlocked()
    scene.runs.start(PROD, "plan-1", scene.work)
    scene.runs.start(PROD, "unlock-2", second)
    assert scene.runs.seen(PROD, "unlock-2") == RunSeen("unlock-2")
    scene.work.may_end.set()
    await until(lambda: scene.woken == [PROD])
    second.may_end.set()
    scene.runs.start(PROD, "unlock-2", second)
    await until(lambda: scene.runs.seen(PROD, "unlock-2").outcome == Unlocked())


async def test_an_error_that_nobody_expected_is_an_outcome(scene: Scene) -> None:
    scene.work.outcome = ZeroDivisionError("of a test")
    scene.work.may_end.set()
    scene.runs.start(PROD, "plan-1", scene.work)
    await until(lambda: scene.woken == [PROD])
    failed = RunFailed("plan-1 ended by ZeroDivisionError: of a test")
    assert scene.runs.seen(PROD, "plan-1") == RunSeen("plan-1", outcome=failed)


async def test_a_run_that_was_stopped_says_so(scene: Scene) -> None:
    scene.runs.start(PROD, "plan-1", scene.work)
    await until(lambda: scene.work.begun == 1)
    await scene.runs.stop()
    outcome = scene.runs.seen(PROD, "plan-1").outcome
    assert isinstance(outcome, RunFailed)
    assert outcome.interrupted


async def test_the_document_of_a_run_that_is_over_is_let_go(scene: Scene) -> None:
    scene.work.may_end.set()
    scene.runs.start(PROD, "plan-1", scene.work)
    await until(lambda: scene.woken == [PROD])
    scene.runs.forget(PROD, "plan-1")
    assert scene.runs.seen(PROD, "plan-1").outcome is not None
    scene.runs.forget(PROD, "apply-2")
    assert scene.runs.seen(PROD, "plan-1") == RunSeen("plan-1")


HOLDER = """
import sys
from pathlib import Path
from firelift.operator.ground.operators import Claim
claim = Claim(Path(sys.argv[1]), "other")
print("held", flush=True)
sys.stdin.read()
"""


def test_an_operator_lives_until_its_process_has_ended_however_it_ends(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "me")
    assert claim.lives("me")
    assert not claim.lives("other")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert claim.lives("other")
        assert claim.tidy() == []
        assert (tmp_path / "other").is_dir()
        other.kill()
    assert not claim.lives("other")
    claim.tidy()
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == ["me"]
    claim.release()


def test_a_state_that_a_dead_operator_never_wrote_is_kept(tmp_path: Path) -> None:
    unwritten = tmp_path / "dead" / "firelift-tf-1"
    (unwritten / "module").mkdir(parents=True)
    (unwritten / "owner").touch()
    (unwritten / "module" / "errored.tfstate").write_text("{}")
    claim = Claim(tmp_path, "me")
    state = unwritten / "module" / "errored.tfstate"
    assert claim.tidy() == [state]
    assert state.read_text() == "{}"
    claim.release()


def test_an_operator_that_ends_keeps_a_state_that_was_never_written(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "me")
    unwritten = claim.directory / "firelift-tf-1"
    (unwritten / "module").mkdir(parents=True)
    (unwritten / "owner").touch()
    (unwritten / "module" / "errored.tfstate").write_text("{}")
    claim.release()
    assert (unwritten / "module" / "errored.tfstate").read_text() == "{}"
