"""Expressions that would take all time and memory are refused, or fail as one record does."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from firelift.api.gates import Limit
from firelift.api.tightened import AS_NEW
from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.transform.cel import compile_expression, scope
from firelift.rollout import condition

TEN = "[1,2,3,4,5,6,7,8,9,0]"
LONG = "a" * 200_000
CPU_SECONDS = 20.0
"""Each takes less than 0.2 s on an idle machine."""


def cpu() -> float:
    """Seconds that this process has worked."""
    return time.process_time()


@pytest.mark.parametrize(
    "text",
    [
        f"{TEN}.map(z, " * 8 + "1" + ")" * 8,
        f"{TEN}.all(z, " * 8 + "true" + ")" * 8,
        "doc.list.map(a, doc.list.map(b, doc.list.map(c, 1)))",
    ],
    ids=["nested maps", "nested quantifiers", "a document's list in itself"],
)
def test_loops_in_loops_end_at_the_engines_budget(text: str) -> None:
    began = cpu()
    with pytest.raises(Refused, match="failed"):
        compile_expression(text, "here").evaluate(scope({}, doc={"list": list(range(1_000))}))
    assert cpu() - began < CPU_SECONDS


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "(.*)(.*)(.*)(.*)(.*)b", "(a{0,500}){0,2}b"])
def test_a_pattern_takes_time_by_the_length_of_its_text_alone(pattern: str) -> None:
    began = cpu()
    assert compile_expression(f"doc.s.matches('{pattern}')", "here").evaluate(scope({}, doc={"s": LONG})) is False
    assert cpu() - began < CPU_SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "1" + ")" * 500,
        "[" * 500 + "]" * 500,
        "+".join(["1"] * 500),
        "true ? 1 : " * 90 + "1",
        "['a']" + ".map(a, a + a)" * 60,
        "[1].map(a, true, " * 40 + "a" + ")" * 40,
    ],
    ids=["parentheses", "lists", "sums", "choices", "a chain that doubles", "nested macros"],
)
def test_what_is_nested_too_deep_does_not_compile(text: str) -> None:
    began = cpu()
    with pytest.raises(TransformUnusable, match="is not valid CEL"):
        compile_expression(text[:1024], "here")
    assert cpu() - began < CPU_SECONDS


_BOMB = """
from firelift.migration.refusal import Refused
from firelift.migration.transform.cel import compile_expression, scope, together
from firelift.worker.functions import bound_memory
from firelift.worker.settings import WorkerSettings
bound_memory(WorkerSettings(ledger="l", run="r", project="p", memory_mib=512))
document = scope({}, doc={"s": "a" * 50_000})
bomb = compile_expression("doc.s.replace('a', doc.s)", "transform.set.x")
assert together([bomb, bomb]).answers(document) is None
try:
    bomb.evaluate(document)
except Refused as refused:
    print(refused)
print(compile_expression("doc.s.size()", "transform.set.y").evaluate(document))
"""


def test_a_text_that_grows_beyond_memory_is_one_dead_letter_and_the_worker_goes_on() -> None:
    ended = subprocess.run([sys.executable, "-c", _BOMB], capture_output=True, text=True, check=False, timeout=120)
    assert ended.stdout.splitlines() == [
        "transform.set.x: \"doc.s.replace('a', doc.s)\" needs more memory than the worker may have",
        "50000",
    ], ended.stderr


@pytest.mark.parametrize(
    "text",
    [
        "value < 0.5 && samples > 10",
        "value <= 1e-3 || samples == 0",
        "double(samples) * value < 100.0 ? true : false",
        "!(value > 3.0) && samples in [1, 2, 3]",
        "1 / (samples - samples) > 0",
    ],
)
def test_a_gates_condition_is_arithmetic_over_its_two_numbers(text: str) -> None:
    assert Limit.model_validate({"condition": text}, context=AS_NEW).condition == text
    assert condition.check(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "['aaaaaaaa']" + ".map(a, a + a)" * 27 + "[0].size() > 0",
        f"{TEN}.map(z, " * 5 + "1" + ")" * 5 + ".size() > 0",
        "'a'.matches('(a*)*b')",
        "b'a' == b'b'",
        "string(value) == '1'",
        "timestamp(samples) < timestamp(1)",
        "[value].exists(x, x > 1.0)",
        "{1: 2}[samples] > 1",
        "type(value) == double",
        "valued > 1",
        "1map",
    ],
)
def test_whatever_grows_or_loops_is_no_condition_of_a_gate(text: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Limit.model_validate({"condition": text}, context=AS_NEW)
    assert "is more than numbers, comparisons and logic" in condition.check(text)


def test_a_condition_that_an_older_schema_has_let_in_is_not_evaluated() -> None:
    with pytest.raises(condition.ConditionError, match="is more than numbers"):
        condition.holds("['a'].map(a, a + a)[0] == 'aa'", 1.0, 1)


def test_a_long_condition_is_read_in_linear_time() -> None:
    began = cpu()
    for tail in ("x", "e", "1map", "va"):
        assert condition.check("1" * 1_000 + tail) != ""
        assert condition.check("in" * 500 + tail) != ""
    assert cpu() - began < CPU_SECONDS
