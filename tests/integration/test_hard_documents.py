"""Documents at the limits, documents that are never quiet, and names that need every escape: there and back again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.cloud.firestore import Increment
from tests.fault_proxy import Call, Fault
from tests.integration.fault_scene import FaultScene, behind, fault_scene
from tests.moving import counts, migration, plan
from tests.recount import documents, images

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan

MEBIBYTE = 2**20
ROOM = 400
"""What a name, a marker and the rest of a document's own bytes need."""

HOT_WRITES_PER_SECOND = 30
"""To one document; Firestore's own advice is one."""

RESHAPED: dict[str, Any] = {
    "name": "big",
    "source": {"collection": "big"},
    "target": {"inPlace": {}},
    "marker": {"field": "moved", "value": "yes"},
    "transform": {"rename": {"blob": "content.blob"}},
}
COPIED: dict[str, Any] = {
    "name": "big",
    "source": {"collection": "big"},
    "target": {"document": "people/ada/copies/{id}"},
    "transform": {"rename": {"blob": "content"}},
}


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[FaultScene]:
    async with fault_scene(emulator) as scene:
        yield scene


def noise(size: int, seed: int) -> bytes:
    """Bytes that no journal can make smaller."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - any bytes will do


async def large(scene: FaultScene, count: int, *, room: int = ROOM) -> dict[str, dict[str, Any]]:
    seeded = {f"big/d{number}": {"blob": noise(MEBIBYTE - room, number)} for number in range(count)}
    for path, fields in seeded.items():
        await scene.client.document(path).set(fields)
    return seeded


def made(base: dict[str, Any], **changes: Any) -> RunPlan:
    pace = PaceSpec(max_writes_per_second=100_000, batch_size=changes.pop("batch_size", 50), max_retries=3)
    return plan(RunKind.MIGRATE, migration(base, **changes), pace=pace)


async def test_documents_of_a_mebibyte_are_reshaped_in_parts_and_taken_back(scene: FaultScene) -> None:
    seeded = await large(scene, 7)
    sent: list[int] = []
    scene.proxy.decide = lambda call: _noted(sent, call)
    forth = made(RESHAPED)
    assert counts(await scene.run(forth)) == {"read": 7, "updated": 7}
    assert await documents(scene.client, "big") == {
        path: {"content": fields, "moved": "yes"} for path, fields in seeded.items()
    }
    parts = [each async for each in scene.client.collection_group("firelift_journal").stream() if ".p0" in each.id]
    assert len(parts) == 7, "a before-image of a mebibyte does not fit the entry's own document"
    assert len(await images(scene.client)) == 7
    assert sum(size > 4 * MEBIBYTE for size in sent) <= 2, "what the server cannot take is learnt, not tried for ever"
    assert counts(await scene.run(behind(forth, RunKind.VERIFY))) == {"read": 7, "unchanged": 7}
    assert counts(await scene.run(behind(forth, RunKind.REVERT))) == {"read": 7, "updated": 7}
    assert await documents(scene.client, "big") == seeded


async def test_documents_of_a_mebibyte_are_copied_and_taken_back(scene: FaultScene) -> None:
    seeded = await large(scene, 7)
    forth = made(COPIED)
    assert counts(await scene.run(forth)) == {"read": 7, "created": 7}
    copies = {f"people/ada/copies/{path[4:]}": {"content": fields["blob"]} for path, fields in seeded.items()}
    assert await documents(scene.client, "copies") == copies
    assert counts(await scene.run(behind(forth, RunKind.VERIFY))) == {"read": 7, "unchanged": 7}
    assert counts(await scene.run(behind(forth, RunKind.REVERT))) == {"read": 7, "deleted": 7}
    assert await documents(scene.client, "copies") == {}
    assert await documents(scene.client, "big") == seeded


async def test_a_document_that_would_outgrow_its_limit_is_a_dead_letter_and_stays(scene: FaultScene) -> None:
    seeded = await large(scene, 1, room=100)
    small = {f"big/s{number}": {"blob": noise(10, number)} for number in range(20)}
    for path, fields in small.items():
        await scene.client.document(path).set(fields)
    more = {**RESHAPED["transform"], "set": {"padding": repr("p" * 200)}}
    forth = made(RESHAPED, transform=more)
    assert counts(await scene.run(forth)) == {"read": 21, "updated": 20, "dead_letters": 1}
    found = await documents(scene.client, "big")
    assert found["big/d0"] == seeded["big/d0"]
    assert all(found[path]["moved"] == "yes" for path in small)
    [letter] = (await documents(scene.client, "firelift_deadletters")).values()
    assert (letter["path"], letter["rule"]) == ("big/d0", "database")
    assert counts(await scene.run(behind(forth, RunKind.REVERT)))["updated"] == 20
    assert await documents(scene.client, "big") == seeded | small


def nested(levels: int, inside: dict[str, Any]) -> dict[str, Any]:
    return inside if not levels else {f"m{levels}": nested(levels - 1, inside)}


async def test_maps_of_twenty_levels_are_reshaped_and_a_level_more_is_a_dead_letter(scene: FaultScene) -> None:
    seeded: dict[str, dict[str, Any]] = {
        "deep/fits": {"tree": nested(19, {"was": 1}), "leaf": "x"},
        "deep/outgrows": {"tree": nested(19, {"was": 1}), "leaf": {"of": "a map"}},
    }
    for path, fields in seeded.items():
        await scene.client.document(path).set(fields)
    deepest = ".".join(["tree", *(f"m{level}" for level in range(19, 0, -1)), "leaf"])
    forth = made(RESHAPED, source={"collection": "deep"}, transform={"rename": {"leaf": deepest}})
    assert counts(await scene.run(forth)) == {"read": 2, "updated": 1, "dead_letters": 1}
    reshaped = {"tree": nested(19, {"was": 1, "leaf": "x"}), "moved": "yes"}
    assert await documents(scene.client, "deep") == seeded | {"deep/fits": reshaped}
    [letter] = (await documents(scene.client, "firelift_deadletters")).values()
    assert (letter["path"], letter["rule"]) == ("deep/outgrows", "database")
    assert counts(await scene.run(behind(forth, RunKind.REVERT))) == {"read": 1, "updated": 1}
    assert await documents(scene.client, "deep") == seeded


async def test_a_hot_document_is_changed_once_and_keeps_every_live_write(scene: FaultScene) -> None:
    hot = ["hot/d0", "hot/d1"]
    for path in [*hot, *(f"hot/e{number}" for number in range(20))]:
        await scene.client.document(path).set({"n": 0})
    added: dict[str, int] = dict.fromkeys(hot, 0)
    leaving = False

    async def keep_writing(path: str) -> None:
        while not leaving:
            await scene.client.document(path).update({"n": Increment(100)})
            added[path] += 1
            await asyncio.sleep(1 / HOT_WRITES_PER_SECOND)

    spec = {
        "name": "hot",
        "source": {"collection": "hot"},
        "target": {"inPlace": {}},
        "marker": {"field": "moved", "value": "yes"},
        "transform": {"set": {"n": "doc.n + 1"}},
    }
    writing = [asyncio.create_task(keep_writing(path)) for path in hot]
    try:
        await asyncio.sleep(0.2)
        found = counts(await scene.run(made(spec)))
    finally:
        leaving = True
        await asyncio.gather(*writing)
    assert found["updated"] == 22
    after = await documents(scene.client, "hot")
    assert {path: fields["n"] for path, fields in after.items()} == {
        path: added.get(path, 0) * 100 + 1 for path in after
    }
    assert min(added.values()) > 5


def _noted(sent: list[int], call: Call) -> Fault | None:
    if call.is_entry:
        sent.append(len(call.request))
    return None


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "with space",
        "a.b",
        "`tick`",
        "back\\slash",
        '"quoted"',
        "ünï-çødé",
        "😀",
        "0",
        "-1",
        "__id7__",
        "~",
        "a" * 1_300,
        "%2F",
        "?",
        "#",
        "*",
        "[x]",
        "\u200b",
        "日本語",
    ],
)
async def test_odd_ids_and_odd_field_names_survive(scene: FaultScene, name: str) -> None:
    path = f"odd/{name}"
    key = "reserved" if name.startswith("__") else name
    fields = {key: 1, "other": {key: {"deep": "kept"}}}
    await scene.client.document(path).set(fields)
    spec = {
        "name": "odd",
        "source": {"collection": "odd"},
        "target": {"document": "people/{id}/copies/{id}"},
        "transform": {"set": {"added": "1"}},
    }
    forth = made(spec)
    assert counts(await scene.run(forth)) == {"read": 1, "created": 1}
    assert await documents(scene.client, "copies") == {f"people/{name}/copies/{name}": fields | {"added": 1}}
    assert counts(await scene.run(behind(forth, RunKind.VERIFY))) == {"read": 1, "unchanged": 1}
    assert counts(await scene.run(behind(forth, RunKind.REVERT))) == {"read": 1, "deleted": 1}
    assert await documents(scene.client, "copies") == {}
