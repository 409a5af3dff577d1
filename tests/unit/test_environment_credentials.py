"""As whom Terraform acts: which credentials it is given, which are refused, and what that means for a deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.environment_world import world

from firelift.environment.credentials import TOKEN_URI, Credentials, credentials
from firelift.environment.unusable import Missing, Unusable

KEY: dict[str, Any] = {
    "type": "service_account",
    "project_id": "prod-1",
    "private_key_id": "7",
    "private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
    "client_email": "terraform@prod-1.iam.gserviceaccount.com",
    "client_id": "1",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": TOKEN_URI,
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/terraform",
    "universe_domain": "googleapis.com",
}
TAKEN = ("type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "token_uri")
RUNS = {"credential_source": {"executable": {"command": "/bin/sh -c id"}}}


def of(text: str | dict[str, Any], key: str = "credentials.json") -> Credentials:
    return credentials("google", {key: text if isinstance(text, str) else json.dumps(text)})


def test_a_service_accounts_key_is_taken_with_the_fields_that_sign_in_and_no_other() -> None:
    found = of({**KEY, **RUNS, "quota_project_id": "other"})
    assert json.loads(found.key_file) == {name: KEY[name] for name in TAKEN}
    assert found.access_token == ""
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type": "external_account", **RUNS}, "`type`.* must be service_account and is external_account"),
        ({"type": "external_account_authorized_user"}, "is external_account_authorized_user"),
        ({"type": "impersonated_service_account"}, "is impersonated_service_account"),
        ({"type": "authorized_user", "refresh_token": "1//x"}, "is authorized_user: give the operator's identity"),
        ({"type": "hunter3"}, "is something else"),
        ({"type": ["service_account"]}, "is something else"),
        ({"type": None}, "is something else"),
        ({"token_uri": "http://169.254.169.254/token"}, f"`token_uri`.* must be {TOKEN_URI}"),
        ({"token_uri": TOKEN_URI + "@evil.example"}, "`token_uri`"),
        ({"token_uri": None}, "`token_uri`"),
        ({"universe_domain": "evil.example"}, "`universe_domain`.* must be googleapis.com"),
        ({"universe_domain": ""}, "`universe_domain`"),
        ({"private_key": "/var/run/secrets/key.pem"}, "`private_key`.* must be a private key in PEM"),
        ({"private_key": {"executable": "x"}}, "`private_key`"),
        ({"private_key": "-----BEGIN \ud800-----"}, "`private_key`"),
        ({"client_email": "terraform"}, "`client_email`.* must be the address of the service account"),
    ],
)
def test_what_could_do_more_than_sign_in_is_refused_by_its_field(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Unusable, match=told) as refused:
        of({**KEY, **changes})
    assert "of key credentials.json of Secret google (`terraform.credentials`)" in str(refused.value)
    assert "hunter" not in str(refused.value)
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize("text", ["/var/run/secrets/other.json", "not json", "[]", '"text"', "{", "[" * 100_000])
def test_a_key_file_that_is_a_path_or_no_object_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="must be the key of a service account"):
        of(text)


def test_a_token_is_taken_without_the_line_that_ends_its_file() -> None:
    assert of("ya29.a0-_~+=\n", "access_token") == Credentials(access_token="ya29.a0-_~+=")  # noqa: S106 - nobody's


@pytest.mark.parametrize(
    "text", ["/var/run/secrets/token", "~/token/file", "a b", "a\nb", "data/../../key", "x" * 4097]
)
def test_a_token_that_could_be_the_name_of_a_file_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match=r"key access_token of Secret google .* must be an access token"):
        of(text, "access_token")


@pytest.mark.parametrize("values", [{}, {"other": "x"}, {"credentials.json": " \n", "access_token": ""}])
def test_credentials_that_are_not_there_are_named_with_what_to_do(values: dict[str, str]) -> None:
    with pytest.raises(Missing, match=r"key credentials.json or access_token of Secret google .*restore the Secret"):
        credentials("google", values)


@pytest.mark.parametrize(("field", "reason"), [("missing", "InputMissing"), ("invalid", "InvalidSpec")])
def test_a_destroy_waits_for_its_credentials_and_says_how_to_let_go(field: str, reason: str) -> None:
    made = world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    assert made.settle(seconds=20).reason == "Ready"
    made.unidentified = "not found: key credentials.json of Secret google"
    setattr(made, field, made.unidentified)
    made.delete()
    status = made.settle()
    assert (status.reason, made.at_work) == (reason, [])
    assert "nothing can be destroyed: not found: key credentials.json of Secret google" in status.message
    assert '"deletionPolicy":"Retain"' in status.message
    made.edit(terraform={"deletionPolicy": "Retain"})
    made.settle()
    assert made.gone
    assert made.real


def test_a_destroy_goes_on_once_its_credentials_are_restored() -> None:
    made = world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    made.settle(seconds=20)
    made.missing = made.unidentified = "not found"
    made.delete()
    made.settle()
    made.unidentified = ""
    assert made.settle().reason == "AwaitingApproval"
