"""The fixture for aggregates and for the way back."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from tests.moving import COPY
from tests.unit.test_aggregates import BOB, DAILY, FIRST, LOGS, log

from firelift.functions import Context, Document
from firelift.testing import DeadLetter, InputChanged, LeftAlone, Moved, NotRepeatable, TransformTester

NUMBERS = count()
AGGREGATE = DAILY["target"]["aggregate"]
BOTH_WAYS: dict[str, Any] = {
    **COPY,
    "transform": {"rename": {"type": "logType"}, "set": {"created": "doc.ts"}, "remove": ["ts"]},
    "reverse": {"document": "fitness_logs/{id}", "transform": {"set": {"ts": "doc.created"}, "remove": ["created"]}},
}


def total(documents: list[dict[str, Any]], context: Context) -> dict[str, Any] | None:
    return {"total": sum(each["calories"] for each in documents)} if context.entity != "bob" else None


def counting(_: list[dict[str, Any]], __: Context) -> dict[str, Any]:
    return {"n": next(NUMBERS)}


def emptying(documents: list[dict[str, Any]], _: Context) -> dict[str, Any]:
    return {"last": documents.pop()["calories"]}


def by(function: str, **options: Any) -> TransformTester:
    python = {"entrypoint": f"{__name__}:{function}"}
    target = {"aggregate": {"document": "users/{entity}/stats/all", "python": python}}
    return TransformTester.of_migration({**DAILY, "target": target}, **options)


def test_groups_are_those_that_the_worker_would_make() -> None:
    tester = TransformTester.of_migration({**DAILY, "target": {"aggregate": {**AGGREGATE, "fingerprintField": None}}})
    found = tester.run_group(LOGS | {"logs/bad": {"userId": "ada"}, "logs/stray": {"userId": 1.5}})
    assert len(found) == 6
    assert found[BOB] == Moved(
        BOB,
        {
            "meals": 1,
            "calories": {"total": 100, "most": 100, "least": 100, "mean": 100.0},
            "firstType": "meal",
            "lastType": "meal",
        },
    )
    assert isinstance(found[FIRST], Moved)
    stray, bad = found["logs/stray"], found["logs/bad"]
    assert isinstance(stray, DeadLetter)
    assert isinstance(bad, DeadLetter)
    assert (stray.rule, bad.rule) == ("entityKey", "target.aggregate.keys.day")


def test_a_reducer_is_given_whole_groups() -> None:
    assert by("total").run_group(LOGS) == {
        "users/ada/stats/all": Moved("users/ada/stats/all", {"total": 1_600}),
        "users/bob/stats/all": LeftAlone("the function answered None"),
        "users/42/stats/all": Moved("users/42/stats/all", {"total": 250}),
    }


def test_a_reducer_that_is_not_repeatable_or_changes_its_documents_is_said() -> None:
    with pytest.raises(NotRepeatable, match="n is another integer"):
        by("counting").run_group(LOGS)
    with pytest.raises(InputChanged, match="the documents that it was given"):
        by("emptying").run_group(LOGS)
    assert by("emptying", may_change_input=True).run_group({"logs/1": log("eve", 1, 5)}) == {
        "users/eve/stats/all": Moved("users/eve/stats/all", {"last": 5})
    }


def test_a_document_of_the_new_shape_goes_back_as_a_revert_would_take_it() -> None:
    tester = TransformTester.of_migration(BOTH_WAYS)
    new = {"logType": "run", "created": 7}
    back = tester.run_reverse(new, path="users/ada/fitness_logs/9")
    assert back == Moved("fitness_logs/9", {"userId": "ada", "type": "run", "ts": 7})
    assert isinstance(back, Moved)
    assert tester.run(back.fields, path=back.target) == Moved("users/ada/fitness_logs/9", {**new, "userId": "ada"})
    elsewhere = tester.run_reverse(new, path="users/ada/others/9")
    assert elsewhere == LeftAlone("users/ada/others/9 is no path that fitness-logs leads to")
    assert isinstance(tester.run_reverse({**new, "userId": "bob"}, path="users/ada/fitness_logs/9"), DeadLetter)


def backwards(doc: Document, _: Context) -> Document:
    return {**doc, "n": next(NUMBERS)}


def test_a_way_back_that_is_not_repeatable_is_said() -> None:
    python = {"entrypoint": f"{__name__}:backwards"}
    spec = {**COPY, "reverse": {"document": "fitness_logs/{id}", "transform": {"python": python}}}
    with pytest.raises(NotRepeatable, match="n is another integer"):
        TransformTester.of_migration(spec).run_reverse({"userId": "ada"}, path="users/ada/fitness_logs/9")


def test_each_kind_of_migration_has_its_own_call() -> None:
    with pytest.raises(TypeError, match="give `run_group` its documents together"):
        by("total").run(log("ada", 1, 1))
    with pytest.raises(TypeError, match="is no aggregate"):
        TransformTester.of_migration(COPY).run_group(LOGS)
    with pytest.raises(TypeError, match="has no `reverse`"):
        TransformTester.of_migration(COPY).run_reverse({}, path="users/ada/fitness_logs/9")
