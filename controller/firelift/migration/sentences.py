"""Text of strangers made fit for the ledger: what a user's function or a document says must not stop a run."""

from __future__ import annotations

import traceback

MAX_SENTENCE = 1_000
"""Characters. A thousand dead letters of this length leave a commit far below its limit."""


def sentence(text: str, limit: int = MAX_SENTENCE) -> str:
    """The text as valid Unicode, cut after `limit` characters; what is not valid becomes a question mark."""
    return text[:limit].encode(errors="replace").decode()


def is_ours(error: BaseException) -> bool:
    """Whether code of Firelift's has raised it, whose sentences quote no value."""
    raised_in = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        raised_in = str(frame.f_globals.get("__name__", ""))
    return raised_in.partition(".")[0] == __name__.partition(".")[0]


def told(error: BaseException) -> str:
    """An error of a stranger's with its type, whatever becomes of asking it for its text."""
    return sentence(f"{type(error).__name__}: {text_of(error)}")


def text_of(error: BaseException) -> str:
    """What an error of a stranger's says."""
    try:
        return sentence(str(error))
    except Exception as failed:  # noqa: BLE001 - the text is made by code of the user's, which may raise anything
        return f"its text cannot be had: {type(failed).__name__}"
