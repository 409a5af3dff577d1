"""What is kept of a plan, and what a run is given."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from firelift.infra.terraform.backend import (
    Backend,
    GcsBackend,
    KubernetesBackend,
    LocalBackend,
    state_suffix,
)
from firelift.infra.terraform.configuration import CHUNK_BYTES, Configuration, SavedPlan, join, module_files, split
from firelift.infra.terraform.errors import TooLarge
from firelift.infra.terraform.settings import TerraformSettings, cluster_environment, google_identity, inherited

BACKENDS: list[Backend] = [
    KubernetesBackend("firelift-system", "prod-x0", {"firelift.dev/environment": "prod"}),
    GcsBackend("states", "prod"),
    LocalBackend(Path("/somewhere/terraform.tfstate")),
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_kept_is_read_back_as_it_was_but_for_the_secrets(backend: Backend) -> None:
    configuration = Configuration({"main.tf.json": "{}"}, backend, variables={"a": [1]}, secrets={"b": "hunter22"})
    packed = SavedPlan(configuration, "lock", b"\0plan").pack()
    assert SavedPlan.unpack(packed).with_secrets({"b": "hunter22"}) == SavedPlan(configuration, "lock", b"\0plan")
    assert b"hunter22" not in gzip.decompress(packed)


def test_the_same_is_packed_into_the_same_bytes() -> None:
    first = SavedPlan(Configuration({"a": "1", "b": "2"}, BACKENDS[0]))
    second = SavedPlan(Configuration({"b": "2", "a": "1"}, BACKENDS[0]))
    assert first.pack() == second.pack()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}"),
        gzip.compress(b"[]"),
        gzip.compress(b'{"format": 2}'),
        SavedPlan(Configuration({}, BACKENDS[0]), plan=b"plan" * 99).pack()[:-9],
    ],
)
def test_what_is_damaged_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"saved plan|Expecting"):
        SavedPlan.unpack(damaged)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_parts_fit_into_a_secret_and_make_the_whole(size: int) -> None:
    packed = bytes(size)
    parts = split(packed)
    assert all(0 < len(part) <= CHUNK_BYTES for part in parts)
    assert join(parts) == packed


def test_what_is_too_large_to_keep_is_refused_with_the_remedy() -> None:
    with pytest.raises(TooLarge, match="divide the environment"):
        split(bytes(64 * 1024 * 1024 + 1))


@pytest.mark.parametrize("name", ["/etc/passwd", "../main.tf", "modules/../../main.tf", ""])
def test_a_file_outside_of_the_root_module_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must lie below the root module"):
        Configuration({name: ""}, BACKENDS[0])


def test_modules_are_read_without_what_terraform_left_in_them(tmp_path: Path) -> None:
    for name in ("firestore/main.tf", "firestore/.terraform/modules.json", "firestore/notes.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert module_files(tmp_path) == {"modules/firestore/main.tf": "firestore/main.tf"}


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("productivity", "productivityai-prod"), ("n" * 63, "x" * 200), ("a", "b-1"), ("a", "B.c_d")],
)
def test_a_states_suffix_is_a_label_and_never_ends_in_a_dash_and_a_number(namespace: str, name: str) -> None:
    suffix = state_suffix(namespace, name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", suffix)
    assert len(suffix) <= 63
    assert not re.search(r"-\d+$", suffix)


def test_two_objects_never_share_a_state() -> None:
    assert len({state_suffix("a-b", "c"), state_suffix("a", "b-c"), state_suffix("a", "b.c")}) == 3


def test_a_run_inherits_what_is_named_and_nothing_else() -> None:
    environ = {
        "PATH": "/bin",
        "TF_LOG": "TRACE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GOOGLE_CREDENTIALS": "y",
        "KUBECONFIG": "/k",
        "LD_PRELOAD": "z",
    }
    assert inherited(environ) == {"PATH": "/bin", "GOOGLE_CREDENTIALS": "y"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"KUBECONFIG": "/a:/b"}, {"KUBE_CONFIG_PATHS": "/a:/b"}),
        ({"KUBECONFIG": "/a", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"KUBE_CONFIG_PATHS": "/a"}),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"KUBE_IN_CLUSTER_CONFIG": "true"}),
        ({}, {}),
    ],
)
def test_the_cluster_is_reached_as_the_operator_reaches_it(environ: dict[str, str], expected: dict[str, str]) -> None:
    assert cluster_environment(environ) == expected


def test_an_identity_of_its_own_leaves_nothing_of_the_operators() -> None:
    identity = google_identity(credentials_json="{}")
    assert identity.pop("GOOGLE_CREDENTIALS") == "{}"
    assert {"GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"} <= identity.keys()
    assert set(identity.values()) == {""}
    assert google_identity() == {}


def test_a_mirror_and_a_binary_are_taken_from_the_environment(tmp_path: Path) -> None:
    settings = TerraformSettings.from_environment(
        {"TERRAFORM_BIN": "/opt/terraform", "FIRELIFT_PROVIDER_MIRROR": str(tmp_path), "GOOGLE_CREDENTIALS": "hunter22"}
    )
    assert (settings.binary, settings.provider_mirror) == ("/opt/terraform", tmp_path)
    assert "hunter22" not in repr(settings)
