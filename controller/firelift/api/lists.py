"""How a list merges under server-side apply, and what must be unique in it: for the API server and for pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Unique:
    """An annotation of a tuple: its items are unique, or have a `key` that is."""

    key: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The tuple's own validation, then ours."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The same as an `x-kubernetes-list-type`."""
        keys = {"x-kubernetes-list-map-keys": [self.key]} if self.key else {}
        return {**handler(schema), "x-kubernetes-list-type": "map" if self.key else "set", **keys}

    def _check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        keys = [getattr(item, self.key) if self.key else item for item in items]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"Duplicate value: {', '.join(twice)}")
        return items


AS_SET = Unique()
BY_NAME = Unique("name")
BY_TYPE = Unique("type")
