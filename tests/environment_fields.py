"""The table of an environment's fields in docs/environment-fields.md: `python -m tests.environment_fields`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.structural import Schema, structural

PAGE = Path(__file__).resolve().parents[1] / "docs" / "environment-fields.md"
_BEGIN, _END = "<!-- fields -->\n", "<!-- end of fields -->"


def page() -> str:
    """The page with its table as it must be."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(_BEGIN)[0], text.partition(_END)[2]
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def table() -> str:
    """The Markdown table, a section in front of its fields."""
    head = "| field | default | meaning |\n|---|---|---|\n"
    rows = (
        f"| `{path}` | {default} | {meaning} |\n" for path, default, meaning in _rows("", structural(EnvironmentSpec))
    )
    return head + "".join(rows)


def _rows(path: str, schema: Schema) -> Iterator[tuple[str, str, str]]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, _default(field, required=name in required), _meaning(field)
        yield from _rows(here, field)
        for inside, mark in (("additionalProperties", ".<key>"), ("items", "[]")):
            yield from _rows(here + mark, field.get(inside) or {})


def _default(field: Schema, *, required: bool) -> str:
    if required:
        return "required"
    value: Any = field.get("default")
    if value is None:
        return "absent"
    # A section that is left out is one of which every field is.
    return "`{}`" if isinstance(value, dict) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _meaning(field: Schema) -> str:
    text = str(field.get("description", "")).replace("|", "\\|")
    choices = ", ".join(f"`{each}`" for each in field.get("enum", ()))
    return f"{text} One of {choices}." if choices else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
