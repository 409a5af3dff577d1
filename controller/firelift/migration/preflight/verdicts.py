"""What a check says, in one sentence."""

from __future__ import annotations

from firelift.api.plan import LONGEST_CHECK, SENTENCE, Check, CheckVerdict
from firelift.migration.sentences import sentence


def passed(name: str, message: str) -> Check:
    """It is as it should be."""
    return _said(CheckVerdict.PASS, name, message)


def warned(name: str, message: str) -> Check:
    """A person should know it."""
    return _said(CheckVerdict.WARN, name, message)


def refused(name: str, message: str) -> Check:
    """Nothing may be written before it is mended."""
    return _said(CheckVerdict.FAIL, name, message)


def _said(verdict: CheckVerdict, name: str, message: str) -> Check:
    return Check(check=name[:LONGEST_CHECK], verdict=verdict, message=sentence(message, SENTENCE))
