"""What a ledger may be read as: documents of one format, and of no other.

A before-image that is taken for something else would be restored as something else, so nothing is ever guessed.
"""

from __future__ import annotations

from firelift.api.run import FORMAT
from firelift.migration.errors import LedgerBroken

_OLDER = "finish or revert the rollout with the version that wrote it, or make a new object with another spec.ledgerID"
_NEWER = "upgrade the operator and the workers' image"
_STRANGE = "it is not a ledger's: move it elsewhere, or make a new object with another spec.ledgerID"


def check(what: str, found: object, reads: int = FORMAT, *, remedy: str = "") -> None:
    """Refuse what is not of the format that this version `reads`; `found` is None where a document names none.

    Raises:
        LedgerBroken: with what was found, what is understood, and the `remedy`; that for a ledger unless it is given.
    """
    if found == reads:
        return
    if isinstance(found, int):
        has, known = f"format {found}", _OLDER if found < reads else _NEWER
    else:
        has, known = "no format", _STRANGE
    raise LedgerBroken(
        f"{what} has {has}; this version of Firelift reads format {reads} and no other, and has changed nothing: "
        f"{remedy or known}"
    )
