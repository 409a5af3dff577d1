"""The table of the chart's values in docs/install.md, made of values.yaml."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from tests.documentation.generated import Part

from firelift.sandbox.helm import CHART

VALUES = CHART / "values.yaml"
_COMMENT = re.compile(r"( *)# -- (.+)")
_KEY = re.compile(r"( *)([A-Za-z]\w*):")


def rows() -> list[tuple[str, str, str]]:
    """Path, default and meaning of each value that has a comment."""
    text = VALUES.read_text(encoding="utf-8")
    defaults = yaml.safe_load(text)
    found: list[tuple[str, str, str]] = []
    path: list[str] = []
    meaning = ""
    for line in text.splitlines():
        if comment := _COMMENT.fullmatch(line):
            meaning = comment[2]
        elif key := _KEY.match(line):
            path[len(key[1]) // 2 :] = [key[2]]
            if meaning:
                found.append((".".join(path), _default(defaults, path), meaning))
            meaning = ""
    return found


def leaves(value: Any, path: str = "") -> list[str]:
    """The paths of a tree's values; a map that is empty is one."""
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, each in value.items() for leaf in leaves(each, f"{path}.{key}" if path else key)]


def table() -> str:
    """The Markdown table."""
    head = "| value | default | meaning |\n|---|---|---|\n"
    return head + "".join(f"| `{name}` | `{default}` | {meaning} |\n" for name, default, meaning in rows())


def _default(defaults: Any, path: list[str]) -> str:
    for key in path:
        defaults = defaults[key]
    return json.dumps(defaults)


PART = Part("install.md", "values", table)
