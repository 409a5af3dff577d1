"""kubeconfig files of a sandbox."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml


class Cluster(NamedTuple):
    """Where the API server is and whom its clients trust."""

    server: str
    certificate_authority: Path


def write_kubeconfig(path: Path, cluster: Cluster, user: Mapping[str, str], *, namespace: str = "default") -> Path:
    """Write a kubeconfig with one context; `user` holds the keys of its user entry. Returns `path`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "sandbox",
                "cluster": {"server": cluster.server, "certificate-authority": str(cluster.certificate_authority)},
            }
        ],
        "users": [{"name": "sandbox", "user": dict(user)}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}}],
        "current-context": "sandbox",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path
