"""One record on which a user's function misbehaves is one dead letter, and all others move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.moving import IN_PLACE, LEDGER, counts, migration, plan, ran, seeded, seen
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind
from firelift.functions import Context
from firelift.migration.errors import InvalidData
from firelift.migration.ledger import paths
from firelift.migration.ledger.failures import read_said, write_failure
from firelift.migration.sentences import MAX_SENTENCE, sentence

TASKS = {f"tasks/{number}": {"name": f"task {number}"} for number in range(3)}
BAD = "tasks/1"

SURROGATE = "\ud800"


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def _raise(error: BaseException) -> Any:
    raise error


def _nested(levels: int) -> dict[str, Any]:
    inside: dict[str, Any] = {}
    for _ in range(levels):
        inside = {"in": inside}
    return inside


DEEDS: dict[str, tuple[Callable[[], Any], str]] = {
    "a huge text": (lambda: _raise(ValueError("x" * 3_000_000)), "ValueError: xxx"),
    "text that is not Unicode": (lambda: _raise(ValueError(f"name {SURROGATE}")), "ValueError: name ?"),
    "no text": (lambda: _raise(Mute()), "Mute: its text cannot be had: RuntimeError"),
    "an exit": (lambda: _raise(SystemExit(3)), "SystemExit: 3"),
    "a cancellation": (lambda: _raise(asyncio.CancelledError("stop")), "CancelledError: stop"),
    "the end of a generator": (lambda: _raise(GeneratorExit()), "GeneratorExit"),
    "what is no exception": (lambda: _raise(BaseException("base")), "BaseException: base"),
    "a name that is not Unicode": (lambda: {SURROGATE: 1}, "the field name '\\ud800' is not valid Unicode"),
    "such a name inside": (lambda: {"a": [{SURROGATE: 1}]}, "the field name '\\ud800' is not valid Unicode"),
    "a value that is not Unicode": (lambda: {"a": SURROGATE}, "surrogates not allowed"),
    "depth": (lambda: _nested(60), "nested deeper than the 20 levels"),
    "size": (lambda: {"a": "x" * 12_000_000}, "12,000,"),
}


def misbehaving(doc: dict[str, Any], context: Context) -> dict[str, Any]:
    """Marks a document, but on one of them does what its field `deed` asks for."""
    if context.path == BAD:
        answer: dict[str, Any] = DEEDS[doc["deed"]][0]()
        return answer
    return {**doc, "title": doc["name"]}


SPEC: dict[str, Any] = {"transform": {"python": {"entrypoint": f"{__name__}:misbehaving"}}}


@pytest.mark.parametrize("deed", DEEDS)
def test_the_record_is_a_dead_letter_with_a_bounded_reason_and_the_others_move(deed: str) -> None:
    @in_virtual_time
    async def check() -> None:
        store = await seeded(TASKS | {BAD: {"name": "bad", "deed": deed}})
        progress = await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE, **SPEC)))
        assert counts(progress) == {"read": 3, "updated": 2, "dead_letters": 1}
        letter = await seen(store, paths.dead_letter(LEDGER, "migrate.0", BAD))
        assert letter
        assert DEEDS[deed][1] in letter["reason"]
        assert len(letter["reason"]) <= MAX_SENTENCE

    check()


@in_virtual_time
async def test_where_invalid_data_fail_the_run_the_failure_is_told_all_the_same() -> None:
    store = await seeded(TASKS | {BAD: {"name": "bad", "deed": "text that is not Unicode"}})
    made = plan(RunKind.MIGRATE, migration(IN_PLACE, onInvalid="Fail", **SPEC))
    with pytest.raises(InvalidData):
        await ran(store, made)
    failure = (await read_said(store, [paths.failure(LEDGER, made.id, 0)])).failure
    assert failure.startswith("InvalidData: tasks/1 broke transform.python")
    assert ": ValueError (what more is said quotes the document" in failure


@in_virtual_time
async def test_a_failure_is_kept_whatever_its_sentence_holds() -> None:
    store = await seeded({})
    await write_failure(store, LEDGER, "r1", 0, SURROGATE * 2_000_000)
    assert (await read_said(store, [paths.failure(LEDGER, "r1", 0)])).failure == "?" * MAX_SENTENCE


@pytest.mark.parametrize(
    ("text", "limit", "expected"), [("plain", 10, "plain"), ("cut off", 3, "cut"), ("é \ud800 ü", 10, "é ? ü")]
)
def test_a_sentence_is_valid_unicode_of_bounded_length(text: str, limit: int, expected: str) -> None:
    assert sentence(text, limit) == expected
