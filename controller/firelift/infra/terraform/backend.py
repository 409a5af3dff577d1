"""Where a state lives. Credentials are never part of it: whatever a backend block says is written into every plan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

_READABLE = 40  # what is kept of a name; the Lease's label value that holds the suffix may have 63


@dataclass(frozen=True)
class KubernetesBackend:
    """A Secret and a Lease in `namespace`. The cluster's credentials come by `environment.cluster_environment`."""

    namespace: str
    suffix: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def secret_name(self) -> str:
        """The state's Secret; a state above 1 MiB has more, `-part-1` and so on behind this name."""
        return f"tfstate-default-{self.suffix}"

    @property
    def lease_name(self) -> str:
        """The lock's Lease, whose annotation `app.terraform.io/lock-info` is the lock while it is held."""
        return f"lock-{self.secret_name}"

    def block(self) -> dict[str, Any]:
        """The backend block's content."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"kubernetes": {"namespace": self.namespace, "secret_suffix": self.suffix, **labels}}


@dataclass(frozen=True)
class GcsBackend:
    """Objects below `prefix` in a bucket, with the credentials of the provider."""

    bucket: str
    prefix: str

    def block(self) -> dict[str, Any]:
        """The backend block's content."""
        return {"gcs": {"bucket": self.bucket, "prefix": self.prefix}}


@dataclass(frozen=True)
class LocalBackend:
    """A file, for tests and for a single person's use."""

    path: Path

    def block(self) -> dict[str, Any]:
        """The backend block's content."""
        return {"local": {"path": str(self.path.absolute())}}


Backend: TypeAlias = KubernetesBackend | GcsBackend | LocalBackend


def state_suffix(namespace: str, name: str) -> str:
    """A Secret's suffix for one object: readable, unique, 63 characters at most.

    Terraform refuses a suffix that ends in a dash and a number, which is how it numbers the parts of a large state.
    """
    digest = hashlib.sha256(f"{namespace}\0{name}".encode()).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9-]+", "-", f"{namespace}-{name}".lower())[:_READABLE].strip("-")
    return f"{readable}-x{digest}"
