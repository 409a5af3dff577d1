"""What is taken out of every word of Terraform's before anybody reads it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from firelift.infra.terraform.backend import LocalBackend
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.redact import MASK, Redactor
from firelift.infra.terraform.settings import TerraformSettings
from firelift.infra.terraform.workspace import workspace


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("hunter22", "the value hunter22 is refused"),
        ({"api-key": "hunter22"}, "hunter22"),
        ([{"deep": ["hunter22"]}], "a hunter22b"),
        ("-----BEGIN KEY-----\nhunterEvQIBADANBg\n-----END KEY-----", "bad line:   hunterEvQIBADANBg"),
        ('hunt"er\\c\nd', json.dumps({"value": 'hunt"er\\c\nd'})),
        ('pass"word\\', r'{"value":"pass\"word\\"}'),
        ("hunt\ud800", "hunt\ud800"),
        ("pässword", '"p\\u00e4ssword"'),
        ("hunter22", base64.b64encode(b"hunter22").decode()),
        ("hunter/22 x", "https://example.com/?key=hunter%2F22%20x"),
    ],
)
def test_a_secret_is_taken_out_in_every_form_that_it_is_shown_in(secret: object, text: str) -> None:
    said = Redactor([secret])(text)
    assert MASK in said
    for part in ("hunt", "aHVudGVyMjI", "word"):
        assert part not in said


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("abc", "value abc, 'abc' and abc.", f"value {MASK}, '{MASK}' and {MASK}."),
        ("abc", "abcd, xabc and ab-c", "abcd, xabc and ab-c"),
        ("1", 'code "1" at line 11', f'code "{MASK}" at line 11'),
        ("p!", "pin=p!", f"pin={MASK}"),
        ("ä1", "ä1 is not ä12", f"{MASK} is not ä12"),
        ("", "nothing", "nothing"),
        (" ", "a b", "a b"),
    ],
)
def test_a_short_secret_is_taken_out_where_it_stands_by_itself(secret: str, text: str, expected: str) -> None:
    assert Redactor([secret])(text) == expected


def test_the_lines_of_a_secret_are_taken_out_each() -> None:
    said = Redactor(["-----BEGIN-----\nabcdefgh\nQ2x=\n}"])("│ abcdefgh\n│ Q2x=\n│ }")
    assert said == f"│ {MASK}\n│ {MASK}\n│ }}"


def test_a_mask_is_never_masked() -> None:
    assert Redactor(["sensitive", "hunter22", "(s"])("hunter22 is sensitive") == f"{MASK} is {MASK}"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor(["secret", "secret-of-secrets"])("it is secret-of-secrets") == f"it is {MASK}"


def test_a_redactor_does_not_tell_its_secrets() -> None:
    assert "hunter22" not in repr(Redactor(["hunter22"]))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTPS_PROXY", "http://ada:hunter22@proxy.example:3128", "proxyconnect ada:hunter22@proxy.example: refused"),
        ("https_proxy", "ada:hunter22@proxy.example:3128", "password hunter22"),
        ("HTTP_PROXY", "http://ada:hunter%2F22@proxy.example", "hunter/22 is wrong"),
        ("HTTP_PROXY", "http://ada:hunter%2F22@proxy.example/", "http://ada:hunter%2F22@proxy.example/"),
        ("HTTPS_PROXY", "http://a:hun@ter22@proxy.example", "hun@ter22"),
        ("HTTPS_PROXY", "http://hunter22@proxy.example", "hunter22"),
        ("GOOGLE_FIRESTORE_CUSTOM_ENDPOINT", "https://ada:hunter22@firestore.example/v1/", "hunter22"),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", "hunter22", "Bearer hunter22"),
        ("GOOGLE_CREDENTIALS", '{"private_key": "hunter22"}', "hunter22"),
    ],
)
def test_secrets_of_the_environment_are_taken_out(tmp_path: Path, name: str, value: str, said: str) -> None:
    configuration = Configuration({"main.tf.json": "{}"}, LocalBackend(tmp_path / "state"))
    with workspace(configuration, TerraformSettings(root=tmp_path)) as made:
        told = made.redactor({name: value, "PATH": "/usr/bin"})(f"{said} by proxy.example")
    assert MASK in told
    assert "ter" not in told
    assert "proxy.example" in told
