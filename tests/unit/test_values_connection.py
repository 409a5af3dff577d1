"""Where a Firestore store connects to, and as whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth.exceptions import DefaultCredentialsError

from firelift.migration.errors import UnknownOutcome
from firelift.migration.store import Source
from firelift.stores.firestore.store import open_firestore
from firelift.stores.firestore.transport import Patience

NOWHERE = "127.0.0.1:9"
IMPATIENT = Patience(call=0.2, reads=0.2)


async def test_the_emulator_is_found_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", NOWHERE)
    store = open_firestore("shop", patience=IMPATIENT)
    with pytest.raises(UnknownOutcome, match=r"count of users on projects/shop/databases/\(default\)"):
        await store.count(Source("users"))
    await store.close()


async def test_without_emulator_and_credentials_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(DefaultCredentialsError, match=r"absent\.json was not found"):
        open_firestore("shop")


async def test_without_emulator_a_service_account_opens_an_encrypted_channel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "client_email": "firelift@shop.iam.gserviceaccount.com",
        "token_uri": f"http://{NOWHERE}/token",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    store = open_firestore("shop", "orders", patience=IMPATIENT)
    assert await store.get([]) == []
    await store.close()
