"""The worker as a Job runs it: a process of its own on a real Firestore, told by environment and signals."""

import asyncio
import ctypes
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from tests.simple_work import LEDGER, SOURCE, plain, plan, seed

from firelift.api.run import RunControl, RunPlan, RunState
from firelift.api.transform import PythonTransform, TransformSpec
from firelift.functions import Context
from firelift.migration.ledger.failures import Said
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.seal import seal_run
from firelift.migration.store import Source
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SECONDS = 60


class Scene:
    """A project of its own with a run of 60 documents."""

    def __init__(self, store: FirestoreStore, emulator: str, project: str) -> None:
        self.store = store
        self.environment = {
            "PATH": os.environ["PATH"],
            "FIRESTORE_EMULATOR_HOST": emulator,
            "FIRELIFT_LEDGER": LEDGER,
            "FIRELIFT_RUN": "r1",
            "FIRELIFT_PROJECT": project,
            "FIRELIFT_DATABASE": "(default)",
            "FIRELIFT_WORKERS": "1",
            "JOB_COMPLETION_INDEX": "0",
        }

    async def begin(self, state: RunState = RunState.RUN, **changes: Any) -> RunPlan:
        await seed(self.store, {f"{SOURCE}/d{number:02d}": {"n": number, "w": 1.5} for number in range(60)})
        made = plan("r1", **changes)
        await self.control(made, state)
        return made

    async def control(self, made: RunPlan, state: RunState, lease_seconds: int = 600) -> None:
        control = RunControl(state=state, epoch=1, lease_seconds=lease_seconds)
        await RunStore(self.store, LEDGER).ensure(made, control)

    async def start(self, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "firelift.worker",
            env=self.environment | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def progress(self) -> RunProgress:
        return await Progress(self.store, LEDGER, "r1").update()

    async def documents(self) -> list[dict[str, Any] | None]:
        page = await self.store.page(Source(SOURCE), limit=100)
        return [plain(self.store, each) for each in page.documents]

    async def until_it_moves(self) -> None:
        async with asyncio.timeout(SECONDS):
            while (await self.progress()).totals.updated == 0:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.05)


async def ended(process: asyncio.subprocess.Process) -> tuple[int, list[Mapping[str, Any]]]:
    async with asyncio.timeout(SECONDS):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, [json.loads(line) for line in said.decode().splitlines()]


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[Scene]:
    project = f"test-{secrets.token_hex(6)}"
    store = open_firestore(project, emulator_host=emulator)
    yield Scene(store, emulator, project)
    await store.close()


def slow(made: RunPlan) -> dict[str, Any]:
    return {"pace": made.pace.model_copy(update={"max_writes_per_second": 20})}


async def test_a_worker_moves_its_share_and_leaves_with_nothing_to_say_but_what_changed(scene: Scene) -> None:
    await scene.begin()
    code, said = await ended(await scene.start())
    assert code == 0
    assert await scene.documents() == [{"n": number + 1, "w": 1.5, "added": "one"} for number in range(60)]
    assert (await scene.progress()).complete
    assert [line["event"].split(":")[0] for line in said] == [
        "lane 0 of run r1 begins",
        "lane 0 of run r1 is done",
        "worker done",
    ]
    assert {(line["level"], line["run"], line["index"]) for line in said} == {("info", "r1", 0)}


def telling(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Adds one, and tells everybody what it has been given."""
    print(f"secret {doc}")  # noqa: T201 - what must not be seen
    logging.getLogger("telling").error("secret %s", doc)
    return {**doc, "n": doc["n"] + 1, "added": "one"}


async def test_what_a_function_prints_does_not_reach_the_log_and_is_counted_in_one_line(scene: Scene) -> None:
    function = TransformSpec(python=PythonTransform(entrypoint=f"{__name__}:telling"))
    await scene.begin(migration=plan("r1").migration.model_copy(update={"transform": function}))
    code, said = await ended(await scene.start(PYTHONPATH=os.pathsep.join(sys.path)))
    assert code == 0
    assert (await scene.progress()).totals.updated == 60
    assert "secret" not in json.dumps(said)
    (told,) = (line for line in said if line["level"] == "warning")
    assert told["times"] >= 120


def telling_straight(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Adds one, and tells everybody past the streams of Python, as a C library does."""
    secret = f"secret {doc}\n".encode()
    for descriptor in (1, 2):
        os.write(descriptor, secret)
    library = ctypes.CDLL(None)
    library.printf(b"%s", secret)  # its buffer is written when it is full, or at the end of the process
    library.perror(secret)
    if sys.__stderr__ is not None:
        sys.__stderr__.write("secret that ends without a line")
    return {**doc, "n": doc["n"] + 1, "added": "one"}


async def test_what_a_function_writes_past_python_does_not_reach_the_log_either(scene: Scene) -> None:
    function = TransformSpec(python=PythonTransform(entrypoint=f"{__name__}:telling_straight"))
    await scene.begin(migration=plan("r1").migration.model_copy(update={"transform": function}))
    process = await scene.start(PYTHONPATH=os.pathsep.join(sys.path))
    async with asyncio.timeout(SECONDS):
        out, said = await process.communicate()
    assert process.returncode == 0
    assert (await scene.progress()).totals.updated == 60
    assert out == b""
    assert b"secret" not in said
    assert [json.loads(line)["level"] for line in said.splitlines()] == ["info"] * 3


HANGS = 7
"""The document on which the functions below hang."""


def hanging(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Adds one, but to one document."""
    while doc["n"] == HANGS:
        time.sleep(1)
    return {**doc, "n": doc["n"] + 1, "added": "one"}


def clinging(doc: dict[str, Any], context: Context) -> dict[str, Any]:
    """As `hanging`, and does not let itself be ended."""
    while doc["n"] == HANGS:
        with suppress(BaseException):
            hanging(doc, context)
    return {**doc, "n": doc["n"] + 1, "added": "one"}


async def test_a_function_that_hangs_costs_its_record_and_one_that_clings_to_the_worker_ends_it_in_words(
    emulator: str,
) -> None:
    """Both at once: each takes more than ten seconds."""

    async def with_function(name: str) -> tuple[int, str, RunProgress]:
        project = f"test-{secrets.token_hex(6)}"
        store = open_firestore(project, emulator_host=emulator)
        scene = Scene(store, emulator, project)
        function = TransformSpec(python=PythonTransform(entrypoint=f"{__name__}:{name}"))
        await scene.begin(migration=plan("r1").migration.model_copy(update={"transform": function}))
        code, said = await ended(await scene.start(PYTHONPATH=os.pathsep.join(sys.path)))
        progress = await scene.progress()
        await store.close()
        return code, json.dumps(said[-1]), progress

    hung, clung = await asyncio.gather(with_function("hanging"), with_function("clinging"))
    code, _, progress = hung
    assert (code, progress.totals.updated, progress.totals.dead_letters) == (0, 59, 1)
    assert "the function has not answered within 10 s, and was ended" in progress.examples[0]
    code, last, progress = clung
    assert code == 22
    for told in (last, progress.said.failure):
        assert f"clinging has not answered for {SOURCE}/d{HANGS:02d} within 10 s, and went on after" in told


async def test_a_killed_worker_leaves_what_its_successor_completes_once(scene: Scene) -> None:
    await scene.begin(**slow(plan("r1")))
    for _ in range(2):
        process = await scene.start()
        await scene.until_it_moves()
        process.kill()
        assert (await ended(process))[0] == -signal.SIGKILL
    moved = (await scene.progress()).totals.updated
    assert 0 < moved < 60
    await scene.control(plan("r1"), RunState.RUN)
    process = await scene.start()
    assert (await ended(process))[0] == 0
    assert await scene.documents() == [{"n": number + 1, "w": 1.5, "added": "one"} for number in range(60)]


async def test_a_frozen_worker_that_comes_back_after_another_has_done_its_work_changes_nothing(scene: Scene) -> None:
    await scene.begin(**slow(plan("r1")))
    frozen = await scene.start()
    await scene.until_it_moves()
    frozen.send_signal(signal.SIGSTOP)
    moved = (await scene.progress()).totals.updated
    assert (await ended(await scene.start()))[0] == 0
    done = await scene.progress()
    frozen.send_signal(signal.SIGCONT)
    code, _ = await ended(frozen)
    assert 0 < moved < 60
    assert code in {0, 21}, "it finds the lane worked off, or its entries taken by another"
    assert (done.complete, done.totals.updated) == (True, 60)
    assert replace(await scene.progress(), said=Said()) == done
    assert await scene.documents() == [{"n": number + 1, "w": 1.5, "added": "one"} for number in range(60)]


async def test_a_frozen_worker_that_comes_back_after_a_seal_is_history(scene: Scene) -> None:
    await scene.begin(**slow(plan("r1")))
    frozen = await scene.start()
    await scene.until_it_moves()
    frozen.send_signal(signal.SIGSTOP)
    _, seals = await seal_run(Journal(scene.store, LEDGER), "r1")
    frozen.send_signal(signal.SIGCONT)
    code, said = await ended(frozen)
    assert code == 21
    assert "is sealed at entry" in said[-1]["error"]
    moved = sum(document is not None and "added" in document for document in await scene.documents())
    assert 0 < moved == seals[0].totals.updated < 60


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [("SIGTERM", 10, "told to stop"), ("Stop", 10, "told to Stop")],
    ids=["sigterm", "stop"],
)
async def test_a_worker_that_is_told_to_leave_leaves_within_two_seconds(
    scene: Scene, how: str, code: int, reason: str
) -> None:
    made = await scene.begin(**slow(plan("r1")))
    process = await scene.start()
    await scene.until_it_moves()
    if how == "Stop":
        await scene.control(made, RunState.STOP)
    else:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(2 + 3):  # of which the interpreter takes its own to leave on a busy machine
        left, said = await ended(process)
    assert left == code
    assert reason in said[-1]["reason"]
    assert 0 < (await scene.progress()).totals.updated < 60


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({"FIRELIFT_RUN": "r9"}, 24, "has no run r9"),
        ({"FIRELIFT_WORKERS": "0"}, 1, "greater than or equal to 1"),
    ],
    ids=["no run", "bad environment"],
)
async def test_a_worker_that_cannot_work_says_why(
    scene: Scene, environment: dict[str, str], code: int, says: str
) -> None:
    left, said = await ended(await scene.start(**environment))
    assert left == code
    assert says in said[-1]["error"]


async def test_a_transform_that_cannot_be_compiled_is_a_code_of_its_own_and_a_sentence_in_the_ledger(
    scene: Scene,
) -> None:
    migration = plan("r1").migration
    transform = migration.transform.model_copy(update={"set": {"n": "doc.n +"}})
    await scene.begin(migration=migration.model_copy(update={"transform": transform}))
    code, _ = await ended(await scene.start())
    assert code == 22
    assert (await scene.progress()).said.failure.startswith("TransformUnusable: ")
