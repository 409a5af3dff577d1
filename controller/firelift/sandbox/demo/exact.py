"""Type-exact comparison of what the official client read with what should be there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.cloud.firestore import GeoPoint
from google.cloud.firestore_v1.base_document import BaseDocumentReference
from google.cloud.firestore_v1.vector import Vector


def same(left: Any, right: Any) -> bool:
    """Equal in value and in Firestore type: 1 is not 1.0, and NaN is itself."""
    return bool(_canonical(left) == _canonical(right))


def _canonical(value: Any) -> Any:  # noqa: PLR0911 - one line per Firestore type
    match value:
        case Mapping():
            return ("map", {name: _canonical(entry) for name, entry in value.items()})
        case Vector():
            return ("vector", tuple(value))
        case list() | tuple():
            return ("array", [_canonical(entry) for entry in value])
        case datetime():
            return ("timestamp", value)
        case GeoPoint():
            return ("geopoint", value.latitude, value.longitude)
        case BaseDocumentReference():
            return ("reference", value.path)
        case float() if math.isnan(value):
            return ("double", "NaN")
        case _:
            return (type(value).__name__, value)
