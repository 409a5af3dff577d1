"""The generated CustomResourceDefinitions: what is in the folder is what the models say, and all of it is bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from firelift.api import crd
from firelift.api.approval import ApprovalSpec
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentStatus
from firelift.api.rollout import RolloutSpec
from firelift.api.status import RolloutStatus
from firelift.api.structural import structural

_ROOT = Path(__file__).parents[2]
_LARGEST = 256 * 1024
_LISTS = {"atomic", "set", "map"}


def _walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _walk(child, f"{path}.{name}")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from _walk(schema[part], f"{path}[]")


_NODES = {
    path: schema
    for kind in crd.KINDS
    for path, schema in _walk(crd.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"], kind.kind)
}


def _bounded(schema: dict[str, Any]) -> bool:
    match schema["type"]:
        case "string":
            return bool({"maxLength", "enum"} & set(schema)) or schema.get("format") == "date-time"
        case "array":
            return "maxItems" in schema and schema["x-kubernetes-list-type"] in _LISTS
        case "object":
            return "maxProperties" in schema or "additionalProperties" not in schema
        case "integer":
            return schema["format"] in {"int32", "int64"}
        case kind:
            return bool(kind == "boolean")


@pytest.mark.parametrize("folder", crd.FOLDERS)
def test_each_folder_holds_what_the_models_say(folder: str) -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in (_ROOT / folder).iterdir()}
    assert stored == crd.files(), "run `python -m firelift.api.crd`"


@pytest.mark.parametrize("name", list(crd.files()))
def test_a_definition_is_small_enough_for_any_client(name: str) -> None:
    assert len(crd.files()[name].encode()) < _LARGEST


def test_the_generator_writes_the_folder(tmp_path: Path) -> None:
    assert crd.main([str(tmp_path / "new")]) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()} == crd.files()


def test_every_string_list_map_and_integer_is_bounded_and_nothing_is_a_float() -> None:
    assert len(_NODES) > 200
    assert [path for path, schema in _NODES.items() if not _bounded(schema)] == []


def test_a_schema_has_nothing_that_is_not_structural() -> None:
    foreign = {"nullable", "anyOf", "allOf", "$ref", "title", "const", "propertyNames", "patternProperties"}
    assert [path for path, schema in _NODES.items() if foreign & set(schema)] == []


@pytest.mark.parametrize("model", [RolloutSpec, EnvironmentSpec, ApprovalSpec])
def test_integers_of_a_spec_are_bounded_on_both_sides(model: type[BaseModel]) -> None:
    integers = {path: node for path, node in _walk(structural(model), "spec") if node["type"] == "integer"}
    assert [path for path, node in integers.items() if not {"minimum", "maximum"} <= set(node)] == []


@pytest.mark.parametrize("model", [RolloutSpec, EnvironmentSpec, ApprovalSpec])
def test_every_field_of_a_spec_is_described(model: type[BaseModel]) -> None:
    fields = [
        (f"{path}.{name}", field)
        for path, node in _walk(structural(model), "spec")
        for name, field in node.get("properties", {}).items()
    ]
    assert [path for path, field in fields if "description" not in field] == []


def test_a_description_names_fields_as_a_manifest_does() -> None:
    texts = [node.get("description", "") for _, node in _walk(structural(RolloutSpec), "spec")]
    assert any("`appliesWhen`" in text for text in texts)
    assert [text for text in texts if "applies_when" in text] == []


def test_every_default_is_written() -> None:
    spec = structural(RolloutSpec)["properties"]
    assert spec["attempt"]["default"] == 1
    assert spec["pace"]["default"] == {
        "maxWritesPerSecond": 500,
        "batchSize": 200,
        "pauseBetweenBatchesSeconds": 0,
        "maxRetries": 3,
    }
    assert "default" not in spec["intent"]


@pytest.mark.parametrize("kind", [kind for kind in crd.KINDS if kind.status], ids=lambda kind: kind.kind)
def test_a_status_has_no_default_but_the_one_of_a_new_object(kind: crd.Kind) -> None:
    status = crd.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert [path for path, node in _walk(status, "status") if "default" in node] == ["status"]
    model = EnvironmentStatus if kind.spec is EnvironmentSpec else RolloutStatus
    assert model.model_validate(status["default"]).conditions[0].reason == "NotObserved"


def test_the_definition_is_plain_yaml_without_anchors() -> None:
    for text in crd.files().values():
        assert yaml.safe_load(text)["metadata"]["name"].endswith(".firelift.dev")
        assert "&id" not in text
