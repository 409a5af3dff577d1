"""Text of strangers made fit for the ledger: what a user's function or a document says must not stop a run."""

from __future__ import annotations

MAX_SENTENCE = 1_000
"""Characters. A thousand dead letters of this length leave a commit far below its limit."""


def sentence(text: str, limit: int = MAX_SENTENCE) -> str:
    """The text as valid Unicode, cut after `limit` characters; what is not valid becomes a question mark."""
    return text[:limit].encode(errors="replace").decode()


def told(error: BaseException) -> str:
    """An error of a stranger's with its type, whatever becomes of asking it for its text."""
    try:
        text = str(error)
    except Exception as failed:  # noqa: BLE001 - the text is made by code of the user's, which may raise anything
        text = f"its text cannot be had: {type(failed).__name__}"
    return sentence(f"{type(error).__name__}: {text}")
