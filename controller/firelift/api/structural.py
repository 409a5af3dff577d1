"""From pydantic's JSON schema to the structural OpenAPI v3 schema that a CustomResourceDefinition needs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from firelift.api.base import Model

Schema = dict[str, Any]

_INT32_MAX = 2**31 - 1
_SNAKE = re.compile(r"(?<=`)[a-z]+(_[a-z]+)+(?=`)")
_DROPPED = {"title", "$defs", "propertyNames"}


def structural(model: type[BaseModel]) -> Schema:
    """The schema of a model: references inlined, optional instead of nullable, every field described.

    A JSON `propertyNames`, which structural schemas lack, becomes a CEL rule over the keys.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_Described)
    return _convert(schema, schema.get("$defs", {}))


def without_defaults(schema: Schema) -> Schema:
    """The same schema with nothing defaulted, as a status wants it: what was not observed stays absent."""
    kept = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in kept:
        kept["properties"] = {name: without_defaults(child) for name, child in kept["properties"].items()}
    if isinstance(kept.get("items"), dict):
        kept["items"] = without_defaults(kept["items"])
    return kept


class _Described(GenerateJsonSchema):
    """Takes a field's description from the string that follows it in the source, where pydantic would at import."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        model: type[BaseModel] = schema["cls"]
        described = super().model_schema(schema)
        for base in reversed([each for each in model.__mro__ if issubclass(each, Model)]):
            for field, text in _field_texts(base).items():
                name = model.model_fields[field].alias or field
                described["properties"][name]["description"] = text
        return described


def _convert(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    schema = _resolved(schema, definitions)
    out: Schema = {key: value for key, value in schema.items() if key not in _DROPPED}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if "description" in out:
        out["description"] = _SNAKE.sub(lambda word: to_camel(word[0]), " ".join(out["description"].split()))
    if out.get("additionalProperties") is False:
        del out["additionalProperties"]
    match out.get("type"):
        case "object":
            _convert_object(out, schema, definitions)
        case "array":
            out["items"] = _convert(out["items"], definitions)
            out.setdefault("x-kubernetes-list-type", "atomic")
        case "integer":
            out.setdefault("format", "int32" if out.get("maximum", 2**63) <= _INT32_MAX else "int64")
    return out


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema without `$ref` and without the `null` branch of an optional field; what stands beside them wins."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        (only,) = choices
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        if beside.get("default", ...) is None:
            del beside["default"]
        return _resolved({**only, **beside}, definitions)
    if "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return {**_resolved(target, definitions), **beside}
    return schema


def _convert_object(out: Schema, schema: Schema, definitions: Mapping[str, Schema]) -> None:
    if "properties" in out:
        out["properties"] = {name: _convert(child, definitions) for name, child in out["properties"].items()}
        if "default" in out:
            out["default"] = _without_nulls(out["default"])
    for pattern, values in out.pop("patternProperties", {"": out.get("additionalProperties")}).items():
        if isinstance(values, dict):
            out["additionalProperties"] = _convert(values, definitions)
            names = {"pattern": pattern, **_resolved(schema.get("propertyNames", {}), definitions)}
            out["x-kubernetes-validations"] = [_key_rule(names)]


def _key_rule(names: Schema) -> Schema:
    """A rule over the keys of a map, which structural schemas cannot bound otherwise."""
    high, pattern = names["maxLength"], names["pattern"]
    rule = f"size(k) <= {high}" + (f" && k.matches('{pattern}')" if pattern else "")
    words = f"keys must be at most {high} characters long" + (f" and match {pattern}" if pattern else "")
    return {"rule": f"self.all(k, {rule})", "message": words}


def _without_nulls(default: Schema) -> Schema:
    """A default as the API server takes it: complete, because it is judged by the rules before nested defaults."""
    filled = {name: value for name, value in default.items() if value is not None}
    return {name: _without_nulls(value) if isinstance(value, dict) else value for name, value in filled.items()}


@cache
def _field_texts(model: type) -> dict[str, str]:
    module = inspect.getmodule(model)
    return _texts_of_module(module).get(model.__name__, {}) if module else {}


@cache
def _texts_of_module(module: ModuleType) -> dict[str, dict[str, str]]:
    classes = (node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_described(node)) for node in classes}


def _described(node: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, text in zip(node.body, node.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                found.append((name, words))
    return found
