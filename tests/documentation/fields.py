"""Every field of the custom resources as Markdown tables, made of the schemas that the API server has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.documentation.generated import Part, cell

from firelift.api.base import API_VERSION
from firelift.api.crd import KINDS, Kind, crd
from firelift.api.structural import Schema

_FILLED = re.compile(r"^'(.*)'\.format\(\[.*\]\)$", re.DOTALL)
_PATTERN = re.compile(r"\^\S+\$")
"""A regular expression in a sentence, which Markdown would read as a link."""
_WIDEST = 2**31 - 1


def parts() -> tuple[Part, ...]:
    """Spec, status and rules over changes of each kind."""
    return tuple(Part("api-reference.md", kind.kind, partial(reference, kind)) for kind in KINDS)


def reference(kind: Kind) -> str:
    """The section of one kind, from its names to the rules over changes."""
    root = _root(kind)
    texts = [
        f"{kind.description} `apiVersion: {API_VERSION}`; for kubectl `{kind.plural}` or `{kind.short_name}`.\n",
        _columns(kind),
        f"### `spec` of a {kind.kind}\n\n{table('', root['properties']['spec'])}",
    ]
    if rules := _sentences(root["properties"]["spec"]):
        texts.append(f"Of the whole `spec`:\n\n{_list(rules)}")
    if rules := _sentences(root):
        texts.append(f"Of a change:\n\n{_list(rules)}")
    if "status" in root["properties"]:
        texts.append(f"### `status` of a {kind.kind}\n\n{table('', root['properties']['status'], observed=True)}")
    return "\n".join(["", *texts]) + "\n"


def table(path: str, schema: Schema, *, observed: bool = False) -> str:
    """The table of everything below a path; what is observed has no default."""
    columns = ["field", "type", *([] if observed else ["default"]), "meaning"]
    rows = [
        [f"`{here}`", _type(field), *([] if observed else [_default(field, required=required)]), _meaning(field)]
        for here, field, required in fields(path, schema)
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in [columns, ["---"] * len(columns), *rows])


def fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it is required, of each field, a section in front of its fields."""
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in required
        yield from fields(here, field)
        for inside, mark in (("additionalProperties", ".<key>"), ("items", "[]")):
            yield from fields(here + mark, field.get(inside) or {})


def _root(kind: Kind) -> Schema:
    (version,) = crd(kind)["spec"]["versions"]
    root: Schema = version["schema"]["openAPIV3Schema"]
    return root


def _columns(kind: Kind) -> str:
    shown = ", ".join(f"`{name.upper()}`" for name, _, priority in kind.columns if not priority)
    wide = ", ".join(f"`{name.upper()}`" for name, _, priority in kind.columns if priority)
    return f"Columns: `NAME`, {shown}; with `-o wide` also {wide}.\n"


def _type(field: Schema) -> str:
    match field["type"]:
        case "string":
            return _string(field)
        case "integer":
            return _integer(field)
        case "array":
            most = f" of at most {field['maxItems']}" if "maxItems" in field else ""
            return f"list{most}: {_type(field['items'])}"
        case "object" if "additionalProperties" in field:
            return f"map of at most {field['maxProperties']:,}: {_type(field['additionalProperties'])}"
        case kind:
            return str(kind)


def _string(field: Schema) -> str:
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    if field.get("format") == "date-time":
        return "time"
    low, high = field.get("minLength", 0), field.get("maxLength")
    return f"string, {low} to {high:,} characters" if low else f"string, at most {high:,} characters"


def _integer(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return "integer"
    return f"integer from {low:,}" if high is None or high >= _WIDEST else f"integer, {low:,} to {high:,}"


def _default(field: Schema, *, required: bool) -> str:
    if required:
        return "required"
    value: Any = field.get("default")
    if value is None:
        return "absent"
    # A section that is left out is one of which every field is.
    return "`{}`" if isinstance(value, dict) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _meaning(field: Schema) -> str:
    said = [cell(field.get("description", ""))]
    for part in (field, field.get("items") or {}, field.get("additionalProperties") or {}):
        if "pattern" in part:
            said.append(cell(f"Matches `{part['pattern']}`."))
        said += [f"Rule: {cell(sentence)}." for sentence in _sentences(part)]
    return "<br>".join(filter(None, said))


def _sentences(schema: Schema) -> list[str]:
    """What the API server says when a rule is broken, with … for what it fills in."""
    rules = schema.get("x-kubernetes-validations", ())
    said = (
        rule["message"] if "message" in rule else re.sub(r"%[sd]", "…", _FILLED.sub(r"\1", rule["messageExpression"]))
        for rule in rules
    )
    return [_PATTERN.sub(r"`\g<0>`", sentence) for sentence in said]


def _list(sentences: list[str]) -> str:
    return "".join(f"- {sentence}\n" for sentence in sentences)
