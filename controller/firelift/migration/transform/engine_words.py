"""What CEL's engine says of an evaluation that failed: what may be shown, and what quotes a document."""

from __future__ import annotations

import re

_PLAIN = re.compile(
    r"String to (?:Timestamp|Duration) conversion failed"
    r"|cannot convert string to (?:int|uint|double)"
    r"|Type conversion error from '\w{1,40}' to '\w{1,40}'"
    r"|No matching overloads found : [\w.@<>!&|?:()\[\]{}+*/%=, -]{1,400}"
    r"|(?:divide|modulus) by zero"
    r"|(?:integer|unsigned integer|timestamp|duration) overflow"
    r"|(?:double|int64|uint64) out of (?:int64|uint64|double) range"
    r"|malformed UTF-8 bytes|invalid base64 data|Invalid timezone|duplicate key in map"
    r"|Applying SELECT to non-message type"
    r"|<string>\.\w{1,40}\([^)\"]{0,80}\): [\w<>.() -]{1,120}"
    r"|\w{1,40} clause can only be used on [\w ,]{1,80}, was given \w{1,40}"
)
_NO_KEY = re.compile(r'Key not found in map : "([^"]{1,200})"')
_MOST = 600


def told(message: str, text: str) -> tuple[str, str]:
    """The engine's message of the expression `text`, and what it quotes: one of the two is empty.

    What is not known to be free of values is taken to quote one, be it the engine's next version's. A missing key is
    shown when the expression itself names it.
    """
    key = _NO_KEY.fullmatch(message[:_MOST])
    if _PLAIN.fullmatch(message[:_MOST]) or (key and key[1] in text):
        return message, ""
    return "", message
