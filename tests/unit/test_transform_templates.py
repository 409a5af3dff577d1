"""Where copies go."""

from __future__ import annotations

import pytest
from tests.moving import KIT, document, stored

from firelift.api.migration import SourceSpec
from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.store import Document
from firelift.migration.transform.template import compile_template

LOGS = SourceSpec(collection="logs")


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("users/{doc.userId}/logs/{id}", "users/ada/logs/1"),
        ("by_entity/{entity}-{id}", "by_entity/e-1"),
        ("counts/{doc.n}", "counts/7"),
        ("odd/{doc.`a/b`.c}", "odd/deep"),
    ],
)
def test_a_target_follows_from_the_document(template: str, target: str) -> None:
    source = Document("logs/1", stored({"userId": "ada", "n": 7, "a/b": {"c": "deep"}}), 1, 1, 2)
    assert compile_template(template, LOGS).path(KIT, source, "e") == target


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ("a/b", "slash"),
        (".", "is '.'"),
        ("..", "is '..'"),
        ("__x__", "reserved"),
        ("x" * 1501, "1501 bytes"),
        (1.5, "found float"),
        (True, "found bool"),
        (None, "no value"),
        ({"a": 1}, "found dict"),
    ],
)
def test_a_value_that_makes_no_path_segment_is_refused_by_name(value: object, reason: str) -> None:
    template = compile_template("users/{doc.userId}/logs/{id}", LOGS)
    with pytest.raises(Refused, match=reason):
        template.path(KIT, document("logs/1", userId=value), None)


def test_an_id_that_datastore_gave_as_a_number_is_kept() -> None:
    assert compile_template("all/{id}", LOGS).path(KIT, document("logs/__id7__"), None) == "all/__id7__"


def test_a_record_without_an_entity_has_no_target_that_names_it() -> None:
    with pytest.raises(Refused, match=r"\{entity\}"):
        compile_template("users/{entity}/logs/{id}", LOGS).path(KIT, document("logs/1"), None)


@pytest.mark.parametrize(
    ("template", "source", "sentence"),
    [
        ("logs", LOGS, "even number"),
        ("a/{x}", LOGS, "no placeholder"),
        ("a/{doc.}", LOGS, "placeholder"),
        ("a/{doc.a..b}", LOGS, "field path"),
        ("a//b/{id}", LOGS, "is empty"),
        ("__a__/{id}", LOGS, "reserved"),
        ("a/{id}/{doc.kind}/{id}", LOGS, "must be literal"),
        ("logs/{doc.key}", LOGS, "source itself"),
        ("users/{entity}/logs/{id}", SourceSpec(collection_group="logs"), "source itself"),
    ],
)
def test_a_template_that_cannot_work_is_refused_before_the_first_document(
    template: str, source: SourceSpec, sentence: str
) -> None:
    with pytest.raises(TransformUnusable, match=sentence):
        compile_template(template, source)


def test_a_target_inside_its_own_source_is_refused_per_document() -> None:
    template = compile_template("users/{entity}/logs/{id}", SourceSpec(collection="users/ada/logs"))
    assert template.path(KIT, document("users/ada/logs/1"), "eve") == "users/eve/logs/1"
    with pytest.raises(Refused, match="lies in the source"):
        template.path(KIT, document("users/ada/logs/1"), "ada")


@pytest.mark.parametrize(
    ("template", "source", "distinct"),
    [
        ("users/{entity}/logs/{id}", LOGS, True),
        ("users/{entity}/logs/x{id}", LOGS, False),
        ("users/{entity}", LOGS, False),
        ("all/{id}", SourceSpec(collection_group="logs"), False),
    ],
)
def test_only_an_own_id_segment_keeps_the_targets_of_one_collection_apart(
    template: str, source: SourceSpec, distinct: object
) -> None:
    assert compile_template(template, source).distinct is distinct
