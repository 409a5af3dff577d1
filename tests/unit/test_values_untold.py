"""What a document holds is told in its dead letter alone: not in what a run shows, nor in why it failed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, KIT, LEDGER, NOW, migration, plan, ran, seeded
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind
from firelift.functions import Context
from firelift.migration.errors import InvalidData
from firelift.migration.ledger import paths
from firelift.migration.ledger.failures import read_said
from firelift.migration.refusal import Refused
from firelift.migration.store import Document
from firelift.migration.transform.cel import compile_expression, scope, variables

PLANTED = "planted-5ecret"
NUMBER = 918_273_645
DOCUMENT: dict[str, Any] = {
    "name": PLANTED,
    "userId": "ada",
    "n": NUMBER,
    "list": [PLANTED],
    "map": {PLANTED: 1},
    "bytes": PLANTED.encode(),
}


def quoting(doc: dict[str, Any], context: Context) -> dict[str, Any]:
    """A function whose error quotes what it was given."""
    raise ValueError(f"{context.path} has {doc['name']}")


def failing_int(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """Python's own words quote it, too."""
    return {"n": int(doc["name"])}


def unfit(doc: dict[str, Any], _: Context) -> dict[str, Any]:
    """It answers what cannot be stored."""
    return {"n": doc["n"] * 2**40, "map": {doc["n"]: 1}}


TRANSFORMS: dict[str, dict[str, Any]] = {
    "a function that quotes": {"python": {"entrypoint": f"{__name__}:quoting"}},
    "a conversion of Python's": {"python": {"entrypoint": f"{__name__}:failing_int"}},
    "a result that does not fit": {"python": {"entrypoint": f"{__name__}:unfit"}},
    "a key that is a value": {"set": {"x": "doc.map[doc.name + 'x']"}},
    "a place that is a value": {"set": {"x": "doc.list[doc.n]"}},
    "a pattern that is a value": {"set": {"x": "doc.name.matches('(' + doc.name)"}},
    "two equal keys": {"set": {"x": "{doc.name: 1, doc.name: 2}"}},
    "a time that is none": {"set": {"x": "timestamp(doc.name)", "y": "doc.n"}},
    "a key that is no text": {"set": {"x": "{doc.n: 1}"}},
    "a name that is there": {"rename": {"name": "n"}},
}


def untold(text: str) -> bool:
    """Whether neither of the planted values is quoted, be it in part."""
    return PLANTED not in text and str(NUMBER) not in text


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_run_shows_no_value_of_what_it_sets_aside(transform: str) -> None:
    @in_virtual_time
    async def check() -> None:
        store = await seeded({"fitness_logs/bad": DOCUMENT})
        made = migration(COPY, transform=TRANSFORMS[transform])
        progress = await ran(store, plan(RunKind.MIGRATE, made))
        assert progress.totals.dead_letters == 1
        assert progress.examples
        assert untold(repr(progress.examples)), progress.examples
        checked = await ran(store, plan(RunKind.VERIFY, made))
        assert untold(repr(checked.examples)), checked.examples

    check()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_run_that_fails_over_it_says_so_without_a_value(transform: str) -> None:
    @in_virtual_time
    async def check() -> None:
        store = await seeded({"fitness_logs/bad": DOCUMENT})
        made = plan(RunKind.MIGRATE, migration(COPY, transform=TRANSFORMS[transform], onInvalid="Fail"))
        with pytest.raises(InvalidData, match="fitness_logs/bad broke transform") as error:
            await ran(store, made)
        assert untold(str(error.value)), error.value
        said = await read_said(store, [paths.failure(LEDGER, made.id, 0)])
        assert said.failure
        assert untold(said.failure), said.failure

    check()


@in_virtual_time
async def test_the_dead_letter_says_all_of_it() -> None:
    store = await seeded({"fitness_logs/bad": DOCUMENT})
    await ran(store, plan(RunKind.MIGRATE, migration(COPY, transform=TRANSFORMS["a function that quotes"])))
    (letter,) = await store.get([paths.dead_letter(LEDGER, "migrate.0", "fitness_logs/bad")])
    assert isinstance(letter, Document)
    assert KIT.decode(letter.fields["reason"]) == f"ValueError: fitness_logs/bad has {PLANTED}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("timestamp(doc.name)", "String to Timestamp conversion failed"),
        ("doc.absent", 'Key not found in map : "absent"'),
        ("doc.name + 1", "No matching overloads found : _+_(string, int64)"),
        ("doc.n * doc.n * doc.n", "integer overflow"),
        ("doc.name.substring(99)", "is greater than <string>.size()"),
        ("{doc.name: 1, doc.name: 2}", "duplicate key in map"),
    ],
)
def test_what_the_engine_says_of_no_value_is_shown(text: str, shown: str) -> None:
    known = variables(["now"], path="tasks/1", entity=None, now=NOW)
    with pytest.raises(Refused) as refused:
        compile_expression(text, "here").evaluate(scope(known, doc=DOCUMENT))
    assert shown in refused.value.reason
    assert refused.value.quotes == ""
