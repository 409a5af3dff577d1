"""As whom Terraform acts: what is taken of the Secret that a spec names, and what is refused.

Google's libraries do what a credentials file says: run a program, fetch any address, read any file. Whoever may write
a Secret must not be able to do that as the operator, so that only a service account's own key is taken, field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firelift.environment.unusable import Missing, Unusable

KEY_FILE, TOKEN = "credentials.json", "access_token"
FIELD = "terraform.credentials"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

_SERVICE_ACCOUNT = "service_account"
_OTHERS = (
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "gdch_service_account",
    "impersonated_service_account",
)
_NEEDED: Mapping[str, tuple[re.Pattern[str], str]] = {
    "client_email": (re.compile(r"[^@\s]+@[a-z0-9.-]+"), "must be the address of the service account"),
    "private_key": (re.compile(r"-----BEGIN [\x20-\x7e\r\n]*-----\s*"), "must be a private key in PEM"),
    "token_uri": (re.compile(re.escape(TOKEN_URI)), f"must be {TOKEN_URI}"),
}
_TAKEN_TOO = ("project_id", "private_key_id", "client_id")
_OF_TOKENS = re.compile(r"[A-Za-z0-9._~+=-]+")
"""No slash: to the provider a text that names a file is the file's content."""
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Credentials:
    """One of the two: a service account's key, as JSON, or a token of whoever fetched it."""

    key_file: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


def credentials(secret: str, values: Mapping[str, str]) -> Credentials:
    """Take them from the Secret of this name; a key file goes before a token.

    Raises:
        Missing: it has neither.
        Unusable: what it has is none that Terraform is given.
    """
    if text := values.get(KEY_FILE, "").strip():
        return Credentials(key_file=_key_file(text, f"key {KEY_FILE} of Secret {secret} (`{FIELD}`)"))
    if text := values.get(TOKEN, "").strip():
        return Credentials(access_token=_token(text, f"key {TOKEN} of Secret {secret} (`{FIELD}`)"))
    raise Missing(
        f"not found: key {KEY_FILE} or {TOKEN} of Secret {secret} (`{FIELD}`), and nothing is done as anybody else: "
        "restore the Secret"
    )


def _key_file(text: str, where: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unusable(f"{where} must be the key of a service account as Google gives it out, a JSON object")
    if (kind := found.get("type")) != _SERVICE_ACCOUNT:
        told = f"is {kind}" if kind in _OTHERS else "is something else"
        raise Unusable(
            f"`type` of {where} must be {_SERVICE_ACCOUNT} and {told}: give the operator's identity the right to what "
            "is declared (workload identity), or put a service account's key there"
        )
    for name, (pattern, must) in _NEEDED.items():
        if not isinstance(value := found.get(name), str) or not pattern.fullmatch(value):
            raise Unusable(f"`{name}` of {where} {must}")
    if found.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise Unusable(f"`universe_domain` of {where} must be googleapis.com")
    return json.dumps(_taken(found))


def _taken(found: Mapping[str, Any]) -> dict[str, str]:
    extra = {name: found[name] for name in _TAKEN_TOO if isinstance(found.get(name), str)}
    return {"type": _SERVICE_ACCOUNT, **extra, **{name: found[name] for name in _NEEDED}}


def _token(text: str, where: str) -> str:
    if len(text) > _MOST or not _OF_TOKENS.fullmatch(text):
        raise Unusable(f"{where} must be an access token of Google's: at most {_MOST} of A-Z a-z 0-9 . _ ~ + = -")
    return text
