"""What the runner is told once: which Terraform, where from its providers come, how many at once, and how long."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from firelift.infra.terraform.process import Limits

_INHERITED = frozenset(
    {
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "LANG",
        "NO_PROXY",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
_INHERITED_PREFIXES = ("GOOGLE_", "CLOUDSDK_", "GCE_METADATA_", "GCLOUD_", "USER_PROJECT_OVERRIDE")
_IDENTITIES = frozenset(
    {
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_BACKEND_CREDENTIALS",
        "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GOOGLE_CREDENTIALS",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
    }
)


@dataclass(frozen=True)
class TerraformSettings:
    """The runner's settings; `from_environment` reads what the environment says of them."""

    binary: str = "terraform"
    provider_mirror: Path | None = None
    root: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    concurrency: int = 2
    limits: Limits = field(default_factory=Limits)
    lock_timeout_seconds: int = 60
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> TerraformSettings:
        """Read TERRAFORM_BIN and FIRELIFT_PROVIDER_MIRROR, and take over what a run may inherit."""
        mirror = environ.get("FIRELIFT_PROVIDER_MIRROR")
        return cls(
            binary=environ.get("TERRAFORM_BIN") or "terraform",
            provider_mirror=Path(mirror).absolute() if mirror else None,
            environment={**inherited(environ), **cluster_environment(environ)},
        )


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What a run may take over from this process: proxies, certificates, Google's settings and identity; no TF_."""
    return {key: value for key, value in environ.items() if key in _INHERITED or key.startswith(_INHERITED_PREFIXES)}


def cluster_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """How the kubernetes backend reaches the API server: by KUBECONFIG when it is set, else as the pod it runs in.

    By the environment, for what stands in a backend block is written into `.terraform` and into every saved plan.
    """
    if kubeconfig := environ.get("KUBECONFIG"):
        return {"KUBE_CONFIG_PATHS": os.pathsep.join(str(Path(one).absolute()) for one in kubeconfig.split(os.pathsep))}
    return {"KUBE_IN_CLUSTER_CONFIG": "true"} if "KUBERNETES_SERVICE_HOST" in environ else {}


def google_identity(*, credentials_json: str = "", access_token: str = "") -> dict[str, str]:
    """The environment of a run with an identity of its own, instead of the operator's: every other one is emptied."""
    emptied = dict.fromkeys(sorted(_IDENTITIES), "")
    if credentials_json:
        return emptied | {"GOOGLE_CREDENTIALS": credentials_json}
    return emptied | {"GOOGLE_OAUTH_ACCESS_TOKEN": access_token} if access_token else {}
