"""The probe of a real project, run against the emulator: what it claims there, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

from tests.recount import official_client

PROVEN = {
    "one-time",
    "guard",
    "unchanged",
    "order",
    "large-entry",
    "long-masks",
    "before-image",
    "many-writes",
    "twice",
}
REFUTED = {"large-commit": "9000 KiB are refused: RESOURCE_EXHAUSTED (Firelift does not rely on it)"}
UNANSWERED = {"partitions": "PartitionQuery is not implemented here"}


async def probed(*options: str, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "firelift.cli.probe",
        *options,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(90):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_emulator_answers_what_it_can_and_is_left_as_it_was(emulator: str) -> None:
    project = f"probe-{secrets.token_hex(6)}"
    code, said = await probed(f"--project={project}", FIRESTORE_EMULATOR_HOST=emulator)
    first, *lines, last = said.splitlines()
    assert code == 0, said
    assert first.startswith(
        f"probing projects/{project}/databases/(default) on the emulator {emulator} in firelift_probe_"
    )
    verdicts = {line.split()[1].rstrip(":"): line.split()[0] for line in lines}
    assert verdicts == (
        dict.fromkeys(PROVEN, "proven") | dict.fromkeys(REFUTED, "refuted") | dict.fromkeys(UNANSWERED, "unanswered")
    ), said
    for check, why in (REFUTED | UNANSWERED).items():
        assert any(check in line and line.endswith(why) for line in lines), said
    assert last.startswith("cleaned up: 0 documents are left in ")
    async with official_client(emulator, project) as client:
        assert [each.id async for each in client.collections()] == []


async def test_a_project_that_cannot_be_reached_is_a_sentence(tmp_path: os.PathLike[str]) -> None:
    nobody = {"GOOGLE_APPLICATION_CREDENTIALS": os.path.join(tmp_path, "none.json"), "FIRESTORE_EMULATOR_HOST": ""}  # noqa: PTH118
    code, said = await probed("--project=nobody", **nobody)
    assert code == 1
    assert said.startswith("probe: nobody (default) could not be checked: ")
    assert len(said.splitlines()) == 1
