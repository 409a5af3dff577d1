"""CEL over documents."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from math import isnan, nan

import pytest
from tests.moving import NOW

from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.transform.cel import compile_expression, scope, together, variables
from firelift.migration.transform.names import BESIDE, names

MOMENT = datetime(1969, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)

DOC = {
    "n": 7,
    "x": 1.5,
    "text": "a\0b ü",
    "bytes": b"a\0\xff",
    "time": MOMENT,
    "none": None,
    "yes": True,
    "deep": {"list": [1, "a", {"t": MOMENT, "b": b"\0"}]},
    "odd-name": 3,
    "nan": nan,
}


def answer(text: str) -> object:
    """What an expression answers: alone, and beside another one the same."""
    known = scope(variables(BESIDE, path="logs/1", entity="ada", now=NOW), doc=DOC)
    expression = compile_expression(text, "transform.set.x")
    alone = expression.evaluate(known)
    both = together([expression, compile_expression("id // of the document", "transform.set.y")])
    assert both is not None
    answers = both.answers(known)
    assert answers is not None
    beside = [expression.storable(each) for each in answers]
    assert repr(beside) == repr([alone, "1"])
    return alone


def test_expressions_that_fail_together_answer_nothing_together() -> None:
    both = together([compile_expression(text, "transform.set.x") for text in ("id", "doc.absent")])
    assert both is not None
    assert both.answers(scope({"id": "1"}, doc={})) is None


def test_what_is_too_deep_to_stand_in_a_list_stands_alone() -> None:
    deep = compile_expression("[" * 31 + "1" + "]" * 31, "transform.set.x")
    assert together([deep, deep]) is None or deep.evaluate(scope({}, doc={}))
    deepest = compile_expression("(" * 32 + "1" + ")" * 32, "transform.set.x")
    assert together([deepest, deepest]) is None


@pytest.mark.parametrize("name", [name for name in DOC if name != "nan"])
def test_every_type_goes_through_the_engine_unharmed(name: str) -> None:
    result = answer(f"doc[{name!r}]")
    assert result == DOC[name]
    assert type(result) is type(DOC[name])


def test_a_nan_stays_one() -> None:
    result = answer("doc.nan")
    assert isinstance(result, float)
    assert isnan(result)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("doc.n * 2", 14),
        ("doc.x + double(doc.n)", 8.5),
        ("has(doc.absent)", False),
        ("!has(doc.deep.absent)", True),
        ("id + ':' + path + ':' + entity", "1:logs/1:ada"),
        ("now", NOW),
        ("timestamp(0)", datetime(1970, 1, 1, tzinfo=UTC)),
        ("uint(3)", 3),
        ("{'a': [1, 2.0, doc.time]}", {"a": [1, 2.0, MOMENT]}),
        ("dyn(null)", None),
        ("doc.deep.list[2].b", b"\0"),
        ("'A,b'.split(',')", ["A", "b"]),
        ("doc.`odd-name`", 3),
    ],
)
def test_an_expression_answers_plain_values(text: str, result: object) -> None:
    assert answer(text) == result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("doc.absent", "Key not found"),
        ("doc.n / 0", "divide by zero"),
        ("duration('3s')", "duration, which Firestore cannot store; use .getSeconds"),
        ("[duration('3s')]", "duration"),
        ("18446744073709551615u", "beyond 2\\^63-1"),
        ("{1: 2}", "a key that is a int and no string"),
        ("type(1)", "cannot store"),
    ],
)
def test_what_fails_or_cannot_be_stored_is_refused_with_the_expression(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        answer(text)
    assert refused.value.rule == "transform.set.x"
    assert text in refused.value.reason


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("doc.", "line 1:5"),
        ("nobody", "undeclared reference to 'nobody'"),
        ("out.x == 1", "undeclared reference to 'out.x'"),
        ("id + 1", "no matching overload"),
    ],
)
def test_an_expression_that_is_not_valid_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(TransformUnusable, match=f"appliesWhen: .*{sentence}"):
        compile_expression(text, "appliesWhen")


def test_a_rule_must_answer_true_or_false() -> None:
    with pytest.raises(TransformUnusable, match="must answer true or false"):
        compile_expression("id", "appliesWhen", boolean=True)
    with pytest.raises(Refused, match="answered int"):
        compile_expression("doc.n", "appliesWhen", boolean=True).is_true(scope({}, doc={"n": 1}))


def test_a_field_name_that_the_engine_cannot_take_is_refused() -> None:
    with pytest.raises(Refused, match="NUL"):
        scope({}, doc={"a": {"b\0": 1}})


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("doc.a + doc.b.c", {"a", "b"}),
        ("doc['a'] + doc [ \"b\" ]", {"a", "b"}),
        ("has(doc.a) && doc.`b-c` == 1", {"a", "b-c"}),
        ("'doc.x' + doc.a // doc.y", {"a"}),
        ("'''doc.x\n'''+doc.a", {"a"}),
        (r"r'\' + doc.a + 'b'", {"a"}),
        (r"'\'' + doc.a + '\''", {"a"}),
        ("id in .doc.a", {"a"}),
        ("1 + 2", set()),
        ("docs.a + mydoc.b", set()),
    ],
)
def test_only_the_named_fields_have_to_be_decoded(text: str, fields: set[str]) -> None:
    found = names(text, "doc")
    assert (found.used, found.fields) == (bool(fields), frozenset(fields))


@pytest.mark.parametrize("text", ["size(doc)", "doc[id]", "doc.a == 1 || doc == {}", "doc['a' + 'b']"])
def test_a_document_that_is_used_as_a_whole_is_decoded_whole(text: str) -> None:
    found = names(text, "doc")
    assert (found.used, found.fields) == (True, None)


def test_only_the_named_variables_have_to_be_made() -> None:
    assert names("doc.path + id + 'now'", "doc").beside == {"path", "id"}
    assert names("size(doc) > 1 && entity == 'ada'", "doc").beside == {"entity"}
    assert names("now", "doc").union(names("id", "doc")).beside == {"now", "id"}


def test_all_fields_are_asked_for_when_one_expression_asks_for_them() -> None:
    assert names("doc.a", "doc").union(names("size(doc)", "doc")).fields is None


NULLS = """
from firelift.migration.transform.cel import compile_expression, scope
for text in ("null", "[null, {'a': null}]", "doc.a"):
    expression, known = compile_expression(text, "test"), scope({}, doc={"a": None})
    for _ in range(25_000):
        expression.evaluate(known)
"""


def test_a_process_outlives_any_number_of_nulls() -> None:
    assert subprocess.run([sys.executable, "-c", NULLS], check=False, capture_output=True).returncode == 0
