"""What no plan can be made of."""

from __future__ import annotations


class Unusable(ValueError):
    """What a spec names is there, and is wrong. The message is a sentence for the person who wrote it."""


class Missing(LookupError):
    """What a spec names is not there. The message is a sentence that says all of it."""
