"""A directory for one run: closed to others, locked while it is in use, and swept when its owner was killed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.redact import Redactor, userinfo
from firelift.infra.terraform.settings import TerraformSettings

_PREFIX = "firelift-tf-"
_SHORT_PREFIX = "firelift-"
_OWNER = "owner"
_TEMPORARY = "tmp"
_BACKEND = "backend.tf.json"
ERRORED_STATE = "errored.tfstate"
_KEY_FILE_SECRETS = ("private_key", "private_key_id", "client_secret", "refresh_token")


class Workspace:
    """The directory of one run, 0700, with every file 0600.

    `module` is the root module, where Terraform runs. What a plugin puts into a temporary directory is put here too.
    """

    def __init__(self, directory: Path, configuration: Configuration, settings: TerraformSettings) -> None:
        self.directory = directory
        self.module = directory / "module"
        self.plan_file = directory / "plan"
        self.configuration = configuration
        self.logs = directory / "logs"
        for name in ("module", "logs", "data", "home"):
            (directory / name).mkdir(mode=0o700)
        # plugins listen on sockets in here, whose whole path may have 107 characters
        self._temporary = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX))
        (directory / _TEMPORARY).symlink_to(self._temporary)
        self.owner = os.open(directory / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.owner, fcntl.LOCK_EX)
        self._write_module()
        write_private(directory / "terraform.rc", _cli_configuration(settings.provider_mirror))

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a run; nothing is inherited that is not named."""
        return {
            **{key: value for key, value in extra.items() if not key.startswith("TF_")},
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(self.directory / "home"),
            "TF_CLI_CONFIG_FILE": str(self.directory / "terraform.rc"),
            "TF_DATA_DIR": str(self.directory / "data"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TMPDIR": str(self._temporary),
            "USER": "firelift",  # who holds a lock, where the process's user has no name
        }

    def redactor(self, environment: Mapping[str, str]) -> Redactor:
        """Knows the secret variables and the credentials of the environment."""
        credentials = [part for key, value in environment.items() if _is_secret(key) for part in _secret_parts(value)]
        addresses = [part for key, value in environment.items() if _is_address(key) for part in userinfo(value)]
        return Redactor([self.configuration.secrets, credentials, addresses])

    def write_lock_file(self, text: str) -> None:
        """Hold the providers to those of an earlier run."""
        write_private(self.module / ".terraform.lock.hcl", text)

    def lock_file(self) -> str:
        """Which providers `init` chose, with their checksums; empty when there are none."""
        path = self.module / ".terraform.lock.hcl"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def errored_state(self) -> bytes:
        """The state that Terraform could not write where it belongs; empty when it could."""
        path = self.module / ERRORED_STATE
        return path.read_bytes() if path.is_file() else b""

    def close(self) -> None:
        """Remove it, unless it holds the only copy of a state."""
        _remove_temporary(self.directory)
        if not self.errored_state():
            shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self.owner)

    def _write_module(self) -> None:
        for name, text in self.configuration.files.items():
            path = self.module / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, text)
        backend = {"terraform": {"backend": self.configuration.backend.block()}}
        write_private(self.module / _BACKEND, json.dumps(backend))
        write_private(self.module / "terraform.tfvars.json", json.dumps(dict(self.configuration.variables)))
        if self.configuration.secrets:
            write_private(self.module / "secrets.auto.tfvars.json", json.dumps(dict(self.configuration.secrets)))


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only this user can read, from its first byte on."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def workspace(configuration: Configuration, settings: TerraformSettings) -> Iterator[Workspace]:
    """Make a workspace and remove it; one that holds a state which was not written stays for `sweep` to report."""
    made = Workspace(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=settings.root)), configuration, settings)
    try:
        yield made
    finally:
        made.close()


def left_at(state: Path) -> str:
    """Where a person finds a state that was never written."""
    return f"file {state} on {socket.gethostname()}"


def discard(state: Path) -> None:
    """Remove the workspace of a state that was never written: it is kept elsewhere now."""
    shutil.rmtree(state.parent.parent, ignore_errors=True)


def backend_block(state: Path) -> Mapping[str, Any]:
    """Where a state belongs that is still in its workspace."""
    document = json.loads((state.parent / _BACKEND).read_text())
    block: Mapping[str, Any] = document["terraform"]["backend"]
    return block


def sweep(root: Path) -> list[Path]:
    """Remove the workspaces whose owner was killed; return the states among them which were never written."""
    kept = []
    for directory in sorted(root.glob(f"{_PREFIX}*")):
        with contextlib.suppress(OSError), (directory / _OWNER).open("rb") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_temporary(directory)
            if (state := directory / "module" / ERRORED_STATE).is_file():
                kept.append(state)
            else:
                shutil.rmtree(directory, ignore_errors=True)
    return kept


def _remove_temporary(directory: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree((directory / _TEMPORARY).readlink(), ignore_errors=True)


def _cli_configuration(mirror: Path | None) -> str:
    """With a mirror nothing else is asked; a plugin cache is never used, for it is not safe between runs."""
    source = f"filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}" if mirror else "direct {}"
    return f"disable_checkpoint = true\nprovider_installation {{\n  {source}\n}}\n"


def _is_secret(key: str) -> bool:
    words = ("TOKEN", "CREDENTIALS", "KEYFILE", "PASSWORD")
    return any(word in key for word in words) and key != "GOOGLE_APPLICATION_CREDENTIALS"  # which is a path


def _is_address(key: str) -> bool:
    return key.upper().endswith(("_PROXY", "_ENDPOINT", "_URL"))


def _secret_parts(value: str) -> list[str]:
    """A credential and, of a key file, each part that is secret by itself."""
    try:
        document = json.loads(value)
    except ValueError:
        return [value]
    if not isinstance(document, dict):
        return [value]
    return [value, *(str(document[key]) for key in _KEY_FILE_SECRETS if document.get(key))]
