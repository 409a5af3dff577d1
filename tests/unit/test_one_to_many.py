"""What becomes of a document that becomes many."""

from __future__ import annotations

from typing import Any

import pytest
from google.type.latlng_pb2 import LatLng
from tests.moving import KIT, NOW, document, migration, plain

from firelift.functions import Context, Document, Element
from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused
from firelift.migration.transform.check import problem
from firelift.migration.transform.one_to_many import MAX_ELEMENTS, Elements, Outcome, compile_one_to_many
from firelift.migration.transform.transform import LeftAlone, compile_transform
from firelift.stores.firestore.proto import Value

ORDERS: dict[str, Any] = {
    "name": "items",
    "source": {"collection": "orders"},
    "target": {"document": "orders/{id}/items/{item.sku}", "forEach": "doc.items"},
}
POINT = Value(geo_point_value=LatLng(latitude=1, longitude=2))


def outcome(values: dict[str, Any], **changes: Any) -> Outcome:
    spec = migration(ORDERS, **changes)
    return compile_one_to_many(compile_transform(spec, KIT, NOW)).attempt(document("orders/7", **values))


def made(values: dict[str, Any], **changes: Any) -> dict[str, dict[str, Any]]:
    found = outcome(values, **changes)
    assert isinstance(found, Elements), found
    return {result.target: plain(result.fields) for result in found.results}


def refused(values: dict[str, Any], **changes: Any) -> str:
    found = outcome(values, **changes)
    assert isinstance(found, Refused), found
    return str(found)


ITEMS = {"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]}


def test_each_item_of_a_list_becomes_a_document() -> None:
    assert made(ITEMS) == {"orders/7/items/a": {"sku": "a", "n": 1}, "orders/7/items/b": {"sku": "b", "n": 2}}


def test_the_transform_works_on_the_item_and_sees_its_source_its_number_and_itself() -> None:
    transform = {"rename": {"n": "count"}, "set": {"at": "doc.place + string(index)", "twice": "item.n * 2"}}
    rules = [{"rule": "out.count == item.n && index >= 0 && doc.place == 'x'"}]
    found = made({**ITEMS, "place": "x"}, transform={**transform, "remove": ["sku"]}, validate=rules)
    assert found["orders/7/items/b"] == {"count": 2, "at": "x1", "twice": 4}


def test_items_of_a_field_keep_their_stored_types() -> None:
    found = outcome({"items": [{"sku": "a", "at": POINT}]})
    assert isinstance(found, Elements)
    assert found.results[0].fields["at"] == POINT


def test_an_expression_may_choose_and_make_items() -> None:
    target = {"document": "orders/{id}/items/{item.sku}", "forEach": "doc.items.filter(i, i.n > 1)"}
    assert made(ITEMS, target=target) == {"orders/7/items/b": {"sku": "b", "n": 2}}


def test_items_that_are_no_maps_make_documents_of_what_is_set() -> None:
    target = {"document": "tags/{item}/orders/{id}", "forEach": "doc.tags"}
    found = made({"tags": ["new", "hot"]}, target=target, transform={"set": {"position": "index"}})
    assert found == {"tags/new/orders/7": {"position": 0}, "tags/hot/orders/7": {"position": 1}}


@pytest.mark.parametrize("values", [{}, {"items": None}, {"items": []}])
def test_without_items_there_are_no_documents(values: dict[str, Any]) -> None:
    assert made(values) == {}


def test_what_the_migration_does_not_apply_to_is_left_alone() -> None:
    assert isinstance(outcome(ITEMS, appliesWhen="has(doc.ready)"), LeftAlone)


@pytest.mark.parametrize(
    ("values", "changes", "sentence"),
    [
        ({"items": "x"}, {}, "target.forEach: it must lead to a list, found a str"),
        ({"items": [{"sku": "a"}, {}]}, {}, "target: element 1: the record has no value for {item.sku}"),
        ({"items": [{"sku": "a"}, {"sku": "a"}]}, {}, "elements 0 and 1 have one target: orders/7/items/a"),
        (ITEMS, {"transform": {"set": {"x": "1 / (item.n - 2)"}}}, "transform.set.x: element 1:"),
        (ITEMS, {"validate": [{"rule": "out.n < 2", "message": "too many"}]}, "out.n < 2: element 1: too many"),
        ({"items": [{"sku": str(n)} for n in range(MAX_ELEMENTS + 1)]}, {}, "10,001 elements, and 10,000 are allowed"),
        (
            ITEMS,
            {"target": {"document": "o/{id}/i/{index}", "forEach": "doc.other"}, "appliesWhen": "doc.nothing"},
            "appliesWhen",
        ),
        (ITEMS, {"target": {"document": "o/{id}/i/{index}", "forEach": "doc.items[0]['n']"}}, "must answer a list"),
    ],
)
def test_one_element_that_breaks_a_rule_refuses_its_whole_source(
    values: dict[str, Any], changes: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(values, **changes)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("doc.items[", "is not valid CEL"), ("'a'", "must answer a list, and answers STRING"), ("item.x", "undeclared")],
)
def test_an_expression_that_can_never_answer_a_list_is_refused_at_once(text: str, sentence: str) -> None:
    spec = migration(ORDERS, target={"document": "orders/{id}/items/{index}", "forEach": text})
    assert sentence in problem(spec, KIT)
    with pytest.raises(TransformUnusable):
        compile_one_to_many(compile_transform(spec, KIT, NOW))


def by_day(doc: Document, context: Context) -> list[Document | Element] | None:
    """Two levels of a list, which no expression flattens."""
    if doc.get("quiet"):
        return None
    return [
        Element({"text": each, "of": context.id, "place": doc["place"]}, key={"day": day["day"], "n": n})
        for day in doc["days"]
        for n, each in enumerate(day["texts"])
    ]


def odd(doc: Document, _: Context) -> Any:
    return doc["answer"]


PYTHON: dict[str, Any] = {
    "target": {"document": "days/{item.day}/texts/{id}-{item.n}"},
    "transform": {"python": {"entrypoint": f"{__name__}:by_day", "many": True}},
}


def test_a_function_may_split_by_itself_and_keep_what_is_part_of_the_path_out_of_the_document() -> None:
    days = [{"day": "mon", "texts": ["x", "y"]}, {"day": "tue", "texts": ["z"]}]
    found = outcome({"days": days, "place": POINT}, **PYTHON)
    assert isinstance(found, Elements)
    assert [result.target for result in found.results] == [
        "days/mon/texts/7-0",
        "days/mon/texts/7-1",
        "days/tue/texts/7-0",
    ]
    assert plain(found.results[1].fields) == {"text": "y", "of": "7", "place": {"latitude": 1.0, "longitude": 2.0}}
    assert found.results[1].fields["place"] == POINT
    assert isinstance(outcome({"quiet": True}, **PYTHON), LeftAlone)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"a": 1}, "the function answered a dict instead of a list or None"),
        ("text", "the function answered a str instead of a list or None"),
        ([{"sku": "a"}, 3], "element 1: it is an int instead of a dict or an Element"),
        ([{"n": 1}], "element 0: the record has no value for {item.sku}"),
    ],
)
def test_a_function_that_answers_anything_else_makes_a_dead_letter(answer: Any, sentence: str) -> None:
    changes = {
        "target": {"document": "orders/{id}/items/{item.sku}"},
        "transform": {"python": {"entrypoint": f"{__name__}:odd", "many": True}},
    }
    assert sentence in refused({"answer": answer}, **changes)
