"""What is planned: files, variables, secrets and where the state lives; and the form in which it is kept."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from firelift.infra.terraform.backend import Backend, GcsBackend, KubernetesBackend, LocalBackend
from firelift.infra.terraform.errors import TooLarge

CHUNK_BYTES = 900_000  # a Secret's data may have 1 MiB, names and labels take some of the object
_FORMAT = 1
_MOST_BYTES = 64 * 1024 * 1024  # a plan of ten thousand resources has a few
_SUFFIXES = frozenset({".tf", ".json", ".tpl", ".tftpl", ".hcl"})


@dataclass(frozen=True)
class Configuration:
    """A root module (relative paths and their texts), its variables, and its backend.

    `secrets` are variables too, and never kept: they are given again for an apply. Declare them `ephemeral`, else
    Terraform itself writes them into plan and state. Their values are taken out of every message.
    """

    files: Mapping[str, str]
    backend: Backend
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in self.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ValueError(f"a file of a configuration is {name!r}: it must lie below the root module")


@dataclass(frozen=True)
class SavedPlan:
    """A plan with all that it takes to apply it in another process; without `plan`, what it takes to plan again."""

    configuration: Configuration
    lock_file: str = ""
    plan: bytes = field(default=b"", repr=False)

    def with_secrets(self, secrets: Mapping[str, Any]) -> SavedPlan:
        """The same with the secrets, which were not kept."""
        return replace(self, configuration=replace(self.configuration, secrets=secrets))

    def pack(self) -> bytes:
        """Compress it, without the secrets; the same content gives the same bytes."""
        document = {
            "format": _FORMAT,
            "files": dict(self.configuration.files),
            "variables": dict(self.configuration.variables),
            "backend": self.configuration.backend.block(),
            "lockFile": self.lock_file,
            "plan": base64.b64encode(self.plan).decode(),
        }
        return gzip.compress(json.dumps(document, sort_keys=True).encode(), mtime=0)

    @classmethod
    def unpack(cls, packed: bytes) -> SavedPlan:
        """Read what `pack` wrote.

        Raises:
            ValueError: it is damaged, incomplete, or of a format of another version.
        """
        try:
            document = json.loads(gzip.decompress(packed))
            if document["format"] != _FORMAT:
                raise ValueError(f"a saved plan has format {document['format']}, this version reads {_FORMAT}")
            configuration = Configuration(
                document["files"], _backend_of(document["backend"]), variables=document["variables"]
            )
            return cls(configuration, document["lockFile"], base64.b64decode(document["plan"], validate=True))
        except (OSError, EOFError, KeyError, TypeError) as error:
            raise ValueError(f"a saved plan is damaged ({type(error).__name__}): plan again") from error


def split(packed: bytes) -> list[bytes]:
    """Cut it into parts that fit into a Secret each.

    Raises:
        TooLarge: it has more than 64 MiB.
    """
    if len(packed) > _MOST_BYTES:
        raise TooLarge(
            f"a saved plan has {len(packed):,} bytes, {_MOST_BYTES:,} can be kept: divide the environment into several"
        )
    return [packed[start : start + CHUNK_BYTES] for start in range(0, len(packed), CHUNK_BYTES)]


def join(parts: Sequence[bytes]) -> bytes:
    """Put the parts together again."""
    return b"".join(parts)


def module_files(directory: Path, prefix: str = "modules") -> dict[str, str]:
    """Read the modules below a directory as files of a configuration, below `prefix`."""
    return {
        f"{prefix}/{path.relative_to(directory).as_posix()}": path.read_text(encoding="utf-8")
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix in _SUFFIXES and ".terraform" not in path.parts
    }


def _backend_of(document: Mapping[str, Any]) -> Backend:
    ((kind, content),) = document.items()
    if kind == "kubernetes":
        return KubernetesBackend(content["namespace"], content["secret_suffix"], content.get("labels", {}))
    if kind == "gcs":
        return GcsBackend(content["bucket"], content["prefix"])
    if kind == "local":
        return LocalBackend(Path(content["path"]))
    raise ValueError(f"a saved plan keeps its state in {kind!r}, which this version does not know")
