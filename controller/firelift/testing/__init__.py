"""For the tests of those who write migrations: docs/testing-transforms.md shows how.

The transform that runs here is the worker's own, from the entity key to the last rule of `validate`.
"""

from firelift.stores.firestore.exact import GeoPoint, Reference, Vector
from firelift.testing.outcomes import DeadLetter, LeftAlone, Moved, Outcome, Split
from firelift.testing.tester import InputChanged, NotRepeatable, TransformTester

__all__ = [
    "DeadLetter",
    "GeoPoint",
    "InputChanged",
    "LeftAlone",
    "Moved",
    "NotRepeatable",
    "Outcome",
    "Reference",
    "Split",
    "TransformTester",
    "Vector",
]
