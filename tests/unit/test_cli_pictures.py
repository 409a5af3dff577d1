"""What is drawn in a terminal, and what is taken out of a report."""

from __future__ import annotations

import io
import zipfile

import click
import pytest
from tests.cli_scene import environment_view, rollout_document, rollout_view
from tests.environment_world import world as ground_world
from tests.rollout_specs import VERIFY, flags, gate, migrate, phase, soak
from tests.rollout_world import START, World, world

from firelift.cli import redaction
from firelift.cli.bundle import Bundle
from firelift.cli.picture import picture


def drawn(one: World) -> str:
    return click.unstyle(picture(rollout_view(one), one.now))


def test_a_rollout_is_a_tree_of_its_phases_with_the_one_at_work_unfolded() -> None:
    one = world(
        phase("one-percent", flags(), migrate(1)),
        phase("everyone", migrate(100), VERIFY, soak(600)),
        phase("after", soak(60)),
        gates=[gate()],
    )
    one.until("Verifying")
    one.work(0.4)
    one.pass_time(10)
    one.turn()
    lines = drawn(one).splitlines()
    assert lines[0].startswith("demo/users  Verifying")
    assert lines[1].startswith("├─ one-percent  " + "█" * 20 + "  Done")
    assert lines[2].startswith("├─ everyone     ██")
    assert "░" in lines[2]
    assert [line.split()[2] for line in lines[3:6]] == ["✔", "●", "·"]
    assert lines[3].startswith("│  ├─ ✔ migrate  Done")
    assert lines[6].startswith("└─ after        " + "░" * 20 + "  Pending")
    assert "error-rate" in lines[7]


def test_what_is_taken_back_is_drawn_so() -> None:
    one = world(phase("a", flags(), migrate(1), VERIFY))
    one.until("Verifying")
    one.edit(intent="Revert")
    one.turn()
    assert "↶" in drawn(one)
    one.until("Reverted")
    assert "Reverted" in drawn(one).splitlines()[0]


def test_an_environment_is_one_line() -> None:
    one = ground_world()
    one.settle()
    assert click.unstyle(picture(environment_view(one), START)).startswith("+")


SECRETS = {
    "a password": "password=hunter2hunter2",
    "a token of Google": "ya29.a0AfH6SMC-x_y",
    "a key of an API": "AIzaSyA-0123456789abcdefghijklmnopqrstu",
    "a token of Kubernetes": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrOHMifQ.c2lnbmF0dXJl",
    "a header": "Authorization: Bearer abcdefgh12345678",
    "a URL": "https://ada:s3cr3t@example.com/x",
    "a private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    "a key that is cut off": "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ",
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_looks_like_a_secret_is_taken_out(name: str) -> None:
    told = redaction.text(f"before {SECRETS[name]}", ())
    assert told.startswith("before ")
    assert redaction.HIDDEN in told
    for secret in ("hunter2", "a0AfH6", "AIza", "c2lnbm", "abcdefgh", "s3cr3t", "MIIEvQ"):
        assert secret not in told


@pytest.mark.parametrize(
    "harmless",
    [
        "gate error-rate: 3.692% > 1% (3 of 3 samples), reverting phase ten-percent",
        "secretName: prod-outputs",
        "https://console.cloud.google.com/firestore?project=p",
        "digest sha256:21f71a95e96e25d5420861c7baa9b66fff526a7eee3ca6178e08de48f3301b9e",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert redaction.text(harmless, ()) == harmless


def test_values_that_people_put_in_are_in_no_file_of_a_report() -> None:
    one = world(phase("a", migrate(1)))
    document = rollout_document(one)
    document["spec"]["worker"]["env"] = [{"name": "KEY", "value": "plain-but-private"}, {"name": "B", "value": "1"}]
    document["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": "plain-but-private",
        "team": "shop",
    }
    bundle = Bundle(frozenset(redaction.planted(document)))
    bundle.add_yaml("object.yaml", redaction.of_object(document))
    bundle.add("logs/x.log", "started with KEY plain-but-private and B 1")
    archive = zipfile.ZipFile(io.BytesIO(bundle.zipped()))
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert texts.keys() == {"object.yaml", "logs/x.log"}
    assert all("plain-but-private" not in text for text in texts.values())
    assert "team: shop" in texts["object.yaml"]
    assert texts["logs/x.log"] == "started with KEY [redacted] and B 1"


def test_labels_of_channels_are_taken_out_and_those_of_a_project_are_not() -> None:
    document = {
        "metadata": {"name": "prod"},
        "spec": {
            "project": {"labels": {"team": "shop"}},
            "observability": {"channels": {"a": {"type": "email", "labels": {"email_address": "ada@example.com"}}}},
        },
    }
    cleaned = redaction.of_object(document)["spec"]
    assert cleaned["project"]["labels"] == {"team": "shop"}
    assert cleaned["observability"]["channels"]["a"] == {"type": "email", "labels": redaction.HIDDEN}
    assert redaction.planted(document) == {"ada@example.com"}
