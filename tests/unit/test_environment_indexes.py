"""Composite indexes as Terraform, Firestore and a spec write them are one index."""

from __future__ import annotations

from typing import Any

import pytest
from tests.environment_plans import index, spec_index

from firelift.api.environment.indexes import CompositeIndex
from firelift.environment.indexes import from_terraform, same, single_fields, text

PLAIN = CompositeIndex.model_validate(spec_index("telemetry", "device", "-time"))
VECTOR = {"field_path": "embedding", "order": "", "array_config": "", "vector_config": [{"dimension": 3, "flat": [{}]}]}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (index("telemetry", "device", "-time"), True),
        (index("telemetry", "device", "-time", "-__name__"), True),
        (index("telemetry", "device", "-time", "__name__"), False),
        (index("telemetry", "-time", "device"), False),
        (index("telemetry", "device", "-time", scope="COLLECTION_GROUP"), False),
        (index("users", "device", "-time"), False),
    ],
)
def test_the_name_that_firestore_appends_by_itself_does_not_count(
    attributes: dict[str, Any], *, expected: bool
) -> None:
    found = from_terraform(attributes)
    assert found is not None
    assert same(found, PLAIN) is expected


def test_the_name_before_a_vector_does_not_count() -> None:
    attributes = index("docs", "__name__")
    attributes["fields"] = [*attributes["fields"], VECTOR]
    found = from_terraform(attributes)
    assert found is not None
    assert text(found) == "docs (embedding vector 3)"


@pytest.mark.parametrize("attributes", [{}, index("telemetry", "device", scope="COLLECTION_RECURSIVE")])
def test_an_index_that_a_spec_has_no_words_for_is_nobodys(attributes: dict[str, Any]) -> None:
    assert from_terraform(attributes) is None


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({}, 3),
        ({"index_config": []}, 3),
        ({"index_config": [{"indexes": []}]}, 0),
        ({"index_config": [{"indexes": [{"order": "ASCENDING", "query_scope": "COLLECTION_GROUP"}]}]}, 1),
    ],
)
def test_a_field_without_an_override_has_firestores_own_indexes(config: dict[str, Any], count: int) -> None:
    assert len(single_fields(config)) == count
