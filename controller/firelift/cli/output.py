"""`-o json|yaml|wide|name`: objects as kubectl prints them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click
import yaml

from firelift.kube.client import Json

F = TypeVar("F", bound=Callable[..., Any])

JSON, YAML, WIDE, NAME = "json", "yaml", "wide", "name"


def output_option(*formats: str) -> Callable[[F], F]:
    """The flag, with these formats."""
    return click.option("-o", "--output", default="", type=click.Choice(["", *formats]), help=" | ".join(formats) + ".")


def dumped(document: Json, form: str) -> str:
    """As JSON or YAML, without who manages which field, as kubectl leaves it out."""
    shown = _bare(document)
    if form == JSON:
        return json.dumps(shown, indent=4, ensure_ascii=False)
    text: str = yaml.safe_dump(shown, allow_unicode=True, width=120)
    return text.rstrip("\n")


def counted(number: int, noun: str) -> str:
    """Such as ``1 object`` and ``2 objects``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: list[Json]) -> Json:
    """Many objects as one document."""
    return {"apiVersion": "v1", "kind": "List", "items": [_bare(item) for item in items], "metadata": {}}


def _bare(document: Json) -> Json:
    metadata = document.get("metadata", {})
    if "managedFields" not in metadata:
        return document
    return {**document, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}
