"""Which series a Cloud Monitoring filter selects, and the sentences that a wrong one gets."""

from __future__ import annotations

import pytest

from firelift.sandbox.google.filters import parse
from firelift.sandbox.google.values import Identity, RefusedError

CHECKOUT = Identity.of(
    "custom.googleapis.com/requests",
    {"code": "503", "route": "/api/checkout", "shard": "7"},
    "k8s_container",
    {"namespace_name": "shop", "pod_name": "web-1"},
)
METRIC = 'metric.type = "custom.googleapis.com/requests"'


@pytest.mark.parametrize(
    ("condition", "selected"),
    [
        ("", True),
        ('AND metric.labels.code = "503"', True),
        ('AND metric.label.code = "503"', True),
        ('AND metric.labels."code" = "503"', True),
        ("AND metric.labels.code = 503", True),
        ("metric.labels.code='503'", True),
        ('AND metric.labels.code = "500"', False),
        ('AND metric.labels.code != "500"', True),
        ('AND metric.labels.absent = ""', True),
        ('AND metric.labels.route : "CHECK"', True),
        ('AND metric.labels.route : "cart"', False),
        ('AND metric.labels.route = starts_with("/api")', True),
        ('AND metric.labels.route = ends_with("/api")', False),
        ('AND metric.labels.route != has_substring("check")', False),
        ('AND metric.labels.code = monitoring.regex.full_match("5\\d.")', True),
        ('AND metric.labels.code = monitoring.regex.full_match("5")', False),
        ('AND metric.labels.code = one_of("500", "503")', True),
        ('AND metric.labels.code = one_of("500", "502")', False),
        ("AND metric.labels.shard >= 7 AND metric.labels.shard < 8", True),
        ("AND metric.labels.shard > 7", False),
        ("AND metric.labels.route > 7", False),
        ('AND resource.type = "k8s_container" AND resource.labels.namespace_name = "shop"', True),
        ('AND (resource.labels.pod_name = "web-1" OR resource.labels.pod_name = "web-2")', True),
        ('AND NOT metric.labels.code = "503"', False),
        ('AND -(metric.labels.code = "500")', True),
        ('AND NOT (metric.labels.code = "500" OR metric.labels.code = "502")', True),
        ('AND metric.labels.code = "500" OR resource.labels.pod_name = "web-1"', True),
    ],
)
def test_a_filter_selects_what_it_describes(condition: str, selected: bool) -> None:  # noqa: FBT001 - a table's column
    assert parse(f"{METRIC} {condition}").matches(CHECKOUT) is selected


def test_or_binds_tighter_than_and() -> None:
    wanted = parse(f'metric.labels.code = "503" OR resource.type = "gce_instance" AND {METRIC}')

    assert wanted.metric == "custom.googleapis.com/requests"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected word at character 0, found 'the end'"),
        ('metric.labels.code = "5"', "must specify exactly one metric type"),
        (f'{METRIC} AND metric.type = "other"', 'must specify exactly one metric type (metric.type = "..."), found 2'),
        ('metric.type = "a" OR metric.type = "b"', "must specify exactly one metric type"),
        ('metric.type = starts_with("custom")', "must specify exactly one metric type"),
        (f'{METRIC} AND user.name = "x"', "'user.name' is not a selector of time series"),
        (f"{METRIC} AND metric.labels.code", "expected operator at character 69, found 'the end'"),
        (f"{METRIC} AND metric.labels.code = ", "'' is not a value"),
        (f'{METRIC} AND metric.labels.code = glob("5*")', "'glob' is not a value; functions are ends_with"),
        (f'{METRIC} AND metric.labels.code = starts_with("5", "4")', "starts_with() takes one argument, got 2"),
        (f'{METRIC} AND metric.labels.code = monitoring.regex.full_match("(")', "'(' is not a regular expression"),
        (f'{METRIC} AND (metric.labels.code = "5"', "expected ) at character"),
        (f'{METRIC} AND metric.labels.code = "5', "unexpected '\"' at character 72"),
        (f"{METRIC} AND metric.labels.code > high", "> compares whole numbers only"),
        (f'{METRIC} AND metric.labels.code : one_of("5")', ": cannot be used with one_of()"),
        (
            f'{METRIC} AND resource.labels.a = "1" AND (resource.labels.b = "2" OR resource.labels.b = "3")',
            "AND and OR cannot be mixed for 'resource.labels' restrictions.",
        ),
        (f'{METRIC} AND metric.labels.code = "{"5" * 2048}"', "a filter has at most 2048 characters"),
    ],
)
def test_a_wrong_filter_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse(text)

    assert refused.value.message.startswith("Field filter had an invalid value of")
    assert sentence in refused.value.message
