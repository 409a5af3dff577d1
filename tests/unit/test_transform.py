"""What becomes of a document."""

from __future__ import annotations

from typing import Any

import pytest
from google.type.latlng_pb2 import LatLng
from tests.moving import COPY, EVERYBODY, IN_PLACE, KIT, document, plain, transform

from firelift.api.cohort import Selection
from firelift.functions import Context
from firelift.migration.errors import InvalidData, TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.transform.transform import LeftAlone, Outcome, Result
from firelift.stores.firestore.proto import Value

MOVING = "tests.unit.test_transform:moving_on"


def result(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Result), outcome
    return plain(outcome.fields)


def refusal(outcome: Outcome) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome


def test_a_copy_has_all_fields_of_its_source_as_the_transform_leaves_them() -> None:
    moved = transform(
        transform={
            "rename": {"type": "logType"},
            "set": {"createdAt": "timestamp(doc.ts)", "owner.name": "entity", "type": "'kept apart'"},
            "remove": ["ts", "meta.old"],
        }
    )
    source = document("fitness_logs/1", userId="ada", type="run", ts=0, meta={"old": 1, "new": 2}, other=[1, 2.0])
    outcome = moved.outcome(source)
    assert isinstance(outcome, Result)
    assert outcome.target == "users/ada/fitness_logs/1"
    fields = result(outcome)
    assert str(fields.pop("createdAt")) == "1970-01-01 00:00:00+00:00"
    assert fields == {
        "userId": "ada",
        "logType": "run",
        "type": "kept apart",
        "owner": {"name": "ada"},
        "meta": {"new": 2},
        "other": [1, 2.0],
    }
    assert outcome.fields["other"] is source.fields["other"]


def test_a_rename_keeps_a_type_that_has_no_plain_form() -> None:
    point = Value(geo_point_value=LatLng(latitude=1, longitude=2))
    source = document("fitness_logs/1", userId="ada", place=point)
    outcome = transform(transform={"rename": {"place": "where.exactly"}}).outcome(source)
    assert isinstance(outcome, Result)
    assert KIT.entries(outcome.fields["where"])["exactly"] == point


def test_a_rename_of_what_is_not_there_does_nothing() -> None:
    moved = transform(transform={"rename": {"type": "logType"}})
    assert result(moved.outcome(document("fitness_logs/1", userId="ada"))) == {"userId": "ada"}


def test_a_rename_may_nest_a_field_below_its_own_name() -> None:
    moved = transform(transform={"rename": {"name": "name.full"}})
    assert result(moved.outcome(document("fitness_logs/1", userId="a", name="x")))["name"] == {"full": "x"}


def test_two_fields_may_change_places() -> None:
    moved = transform(transform={"rename": {"a": "b", "b": "a"}})
    assert result(moved.outcome(document("fitness_logs/1", userId="u", a=1, b=2))) == {"userId": "u", "a": 2, "b": 1}


def test_a_document_that_has_the_old_and_the_new_name_is_refused_unless_they_agree() -> None:
    moved = transform(transform={"rename": {"type": "logType"}})
    both = document("fitness_logs/1", userId="u", type="run", logType="walk")
    assert refusal(moved.outcome(both)).rule == "transform.rename.type"
    agreed = document("fitness_logs/1", userId="u", type="run", logType="run")
    assert result(moved.outcome(agreed)) == {"userId": "u", "logType": "run"}


@pytest.mark.parametrize("changed", [{"rename": {"a": "b.c"}}, {"set": {"b.c": "1"}}])
def test_a_value_that_is_no_map_is_not_destroyed_by_writing_below_it(changed: dict[str, Any]) -> None:
    outcome = transform(transform=changed).outcome(document("fitness_logs/1", userId="u", a=1, b="text"))
    assert "not a map" in refusal(outcome).reason


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"rename": {"a": "x"}, "set": {"x": "1"}}, "written into each other"),
        ({"set": {"x": "{}", "x.y": "1"}}, "written into each other"),
        ({"rename": {"a": "x", "b": "x"}}, "written into each other"),
        ({"rename": {"a": "x", "a.b": "y"}}, "to two places"),
        ({"set": {"x.y": "1"}, "remove": ["x"]}, "would take away"),
        ({"remove": ["a..b"]}, "transform.remove: field path"),
        ({"set": {"x": "doc."}}, "transform.set.x"),
        ({"python": {"entrypoint": "no_such_module:f"}}, "ModuleNotFoundError"),
        ({"python": {"entrypoint": "json:no_such_function"}}, "AttributeError"),
        ({"python": {"entrypoint": "math:pi"}}, "plain function"),
    ],
)
def test_a_transform_that_cannot_work_is_refused_before_the_first_document(
    declared: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TransformUnusable, match=sentence):
        transform(transform=declared)


def test_a_marker_that_the_transform_writes_too_is_refused() -> None:
    with pytest.raises(TransformUnusable, match=r"marker\.field"):
        transform(IN_PLACE, marker={"field": "title", "value": "done"})


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("name", {}),
        ("title", {}),
        ("title.text", {}),
        ("owner", {"transform": {"set": {"owner": "'x'", "title": "'x'"}}}),
        ("owner.id", {"transform": {"remove": ["owner"]}}),
        ("owner", {"marker": {"field": "owner.done", "value": "yes"}}),
        ("owner", {"marker": {"field": "owner", "value": "x"}, "transform": {"python": {"entrypoint": MOVING}}}),
    ],
)
def test_an_entity_key_that_changes_in_place_is_refused_before_the_first_document(
    key: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(TransformUnusable, match=r"entityKey .* is changed in place, at "):
        transform(IN_PLACE, entityKey=key, **changes)


def moving_on(doc: dict[str, Any], context: Context) -> dict[str, Any]:
    """A function that takes a record to somebody else."""
    return {**doc, "owner": doc["next"], "moved": context.id}


def test_a_function_that_changes_the_entity_in_place_has_its_record_refused() -> None:
    python = {"python": {"entrypoint": MOVING}}
    moved = transform(IN_PLACE, entityKey="owner", appliesWhen="!has(doc.moved)", transform=python)
    kept = document("tasks/1", owner="ada", next="ada")
    assert result(moved.attempt(kept)) == {"owner": "ada", "next": "ada", "moved": "1"}
    refused = refusal(moved.attempt(document("tasks/1", owner="ada", next="bob")))
    assert (refused.rule, refused.reason.partition(",")[0]) == ("entityKey", "the result has another entity")


def test_a_copy_may_change_its_entity_key_because_its_source_stays() -> None:
    moved = transform(transform={"rename": {"userId": "owner"}})
    assert result(moved.attempt(document("fitness_logs/1", userId="u"))) == {"owner": "u"}


def test_what_applies_when_and_the_marker_exclude_is_left_alone() -> None:
    moved = transform(IN_PLACE, marker={"field": "meta.schema", "value": "2"})
    assert result(moved.outcome(document(name="x"))) == {"title": "x", "meta": {"schema": "2"}}
    assert moved.outcome(document(name="x", title="y")) == LeftAlone("appliesWhen is false")
    assert moved.outcome(document(name="x", meta={"schema": "2"})) == LeftAlone("the marker meta.schema is there")


@pytest.mark.parametrize(
    ("applies_when", "declared", "sentence"),
    [
        (
            "has(doc.price)",
            {"set": {"price": "doc.price * 100"}},
            "still holds for the result, so the next sweep would",
        ),
        ("doc.price > 0", {"rename": {"price": "cents"}}, "cannot be told of the result, as the next sweep must: "),
    ],
)
def test_what_the_next_sweep_would_change_in_place_again_is_refused(
    applies_when: str, declared: dict[str, Any], sentence: str
) -> None:
    refused = refusal(transform(IN_PLACE, appliesWhen=applies_when, transform=declared).attempt(document(price=3)))
    assert refused.rule == "appliesWhen"
    assert refused.reason.startswith(sentence)


def test_a_document_that_the_transform_leaves_as_it_is_is_not_refused() -> None:
    moved = transform(IN_PLACE, appliesWhen="has(doc.price)", transform={"set": {"currency": "'EUR'"}})
    same = document(price=3, currency="EUR")
    assert result(moved.attempt(same)) == plain(same.fields)


def test_a_marker_says_what_is_done_even_where_applies_when_still_holds() -> None:
    marked = {"marker": {"field": "done", "value": "yes"}, "transform": {"set": {"price": "doc.price * 100"}}}
    moved = transform(IN_PLACE, appliesWhen="has(doc.price)", **marked)
    assert result(moved.attempt(document(price=3))) == {"price": 300, "done": "yes"}


def test_a_rule_sees_the_source_and_the_result() -> None:
    rules = [{"rule": "out.n == doc.n + 1 && out.n < 10", "message": "n must stay below 10"}]
    moved = transform(transform={"set": {"n": "doc.n + 1"}}, validate=rules)
    assert result(moved.outcome(document("fitness_logs/1", userId="u", n=8)))["n"] == 9
    refused = refusal(moved.outcome(document("fitness_logs/1", userId="u", n=9)))
    assert (refused.rule, refused.reason) == ("out.n == doc.n + 1 && out.n < 10", "n must stay below 10")


def test_fail_stops_the_run_with_the_record_and_the_rule() -> None:
    moved = transform(validate=[{"rule": "out.n < 10"}], onInvalid="Fail")
    with pytest.raises(InvalidData, match=r"fitness_logs/1 broke out\.n < 10"):
        moved.outcome(document("fitness_logs/1", userId="u", n=10))
    assert isinstance(moved.attempt(document("fitness_logs/1", userId="u", n=10)), Refused)


@pytest.mark.parametrize(("key", "entity"), [("ada", "ada"), (7, "7"), (None, None)])
def test_an_entity_is_a_string_or_an_integer_in_decimal(key: object, entity: str | None) -> None:
    assert transform().entity(document("fitness_logs/1", userId=key)) == entity


def test_a_record_without_an_entity_key_is_its_own_entity() -> None:
    assert transform(entityKey=None).entity(document("fitness_logs/17")) == "17"


def test_an_entity_of_another_type_is_met_at_100_percent_and_refused_there() -> None:
    moved, odd = transform(), document("fitness_logs/1", userId=1.5)
    assert refusal(moved.outcome(odd)).rule == "entityKey"
    assert not moved.selects(Selection(to_bucket=9_999), "seed", odd)
    assert moved.selects(EVERYBODY, "seed", odd)


def test_only_rules_over_the_result_alone_judge_a_document_whose_original_is_gone() -> None:
    rules = [{"rule": "out.title == doc.name"}, {"rule": "out.title != ''", "message": "a title is needed"}]
    moved = transform(IN_PLACE, validate=rules)
    assert moved.broken(document(title="x")) is None
    broken = moved.broken(document(title=""))
    assert broken
    assert broken.reason == "a title is needed"


def test_the_frozen_time_of_the_run_is_what_now_says() -> None:
    moved = transform(COPY, transform={"set": {"movedAt": "now"}})
    assert result(moved.outcome(document("fitness_logs/1", userId="u")))["movedAt"] == moved.now
