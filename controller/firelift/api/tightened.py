"""Bounds that are younger than stored objects: they judge what is new, and never keep what is stored from being read.

An object, or a ledger, that cannot be read can be neither reverted nor let go of; and a phase that has started cannot
be corrected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

AS_NEW: Final = "as new"
"""The `context` of a validation that judges as the API server judges what is created."""


@dataclass(frozen=True, slots=True)
class PatternOfNew:
    """In `Annotated`: a pattern in the schema of the API server, which pydantic asks for only with `AS_NEW`."""

    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Judge a text behind its other bounds."""
        return core_schema.with_info_after_validator_function(self._judged, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell the API server."""
        return {**handler(schema), "pattern": self.pattern}

    def _judged(self, text: str, info: ValidationInfo) -> str:
        if info.context == AS_NEW and re.search(self.pattern, text) is None:
            raise PydanticCustomError(
                "string_pattern_mismatch", "String should match pattern '{pattern}'", {"pattern": self.pattern}
            )
        return text
