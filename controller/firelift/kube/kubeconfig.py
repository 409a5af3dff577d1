"""A person's kubeconfig: which cluster, which identity, which namespace."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio import client, config
from kubernetes.aio.config.kube_config import KubeConfigMerger
from yaml import YAMLError

from firelift.kube.client import Cluster
from firelift.kube.errors import KubeError

_VARIABLE = "KUBECONFIG"
_DEFAULT = Path("~/.kube/config")
_REMEDY = "give --kubeconfig or --context, or set KUBECONFIG"
_NAMESPACE_OF_A_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class BadKubeconfig(KubeError):
    """There is no kubeconfig, or it does not say which cluster or who."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A cluster, and the namespace of the context it was chosen by."""

    cluster: Cluster
    namespace: str


@dataclass(frozen=True, slots=True)
class Impersonated:
    """Whom to act as, where RBAC allows it; an empty user is oneself."""

    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """As the API server is told, one for each group."""
        named = [("Impersonate-User", self.user)] if self.user else []
        return named + [("Impersonate-Group", group) for group in self.groups]


ONESELF = Impersonated()


async def connect(
    path: str = "", context: str = "", *, impersonated: Impersonated = ONESELF, timeout_seconds: float = 10.0
) -> Connected:
    """Choose as kubectl does: the path given, else KUBECONFIG, else ~/.kube/config, else the pod's own identity.

    Who is impersonated in the kubeconfig (`as`, `as-groups`) is so here too, unless somebody else is given.

    Nothing is sent yet, but a credential plugin of the kubeconfig is run.

    Raises:
        BadKubeconfig: when no cluster can be chosen so, with what to do about it.
    """
    if impersonated.groups and not impersonated.user:
        raise BadKubeconfig("choosing whom to act as", 0, "a group was named without a user; give --as too")
    configuration = client.Configuration()
    files, in_pod = await asyncio.to_thread(_found, path or os.environ.get(_VARIABLE, ""))
    if in_pod:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call] # the official client is typed only in part
        namespace = await asyncio.to_thread(_NAMESPACE_OF_A_POD.read_text, encoding="utf-8")
    else:
        namespace, configured = await _load(files, context, configuration)
        impersonated = impersonated if impersonated.user else configured
    configuration.client_session_kwargs = {"headers": impersonated.headers}
    return Connected(Cluster(client.ApiClient(configuration), timeout_seconds=timeout_seconds), namespace or "default")


def _found(chosen: str) -> tuple[str, bool]:
    """The kubeconfigs that are there, or whether this is a pod that needs none."""
    if not chosen and not _DEFAULT.expanduser().exists() and _NAMESPACE_OF_A_POD.exists():
        return "", True
    named = chosen.split(os.pathsep) if chosen else [str(_DEFAULT.expanduser())]
    if there := [file for file in named if file and Path(file).is_file()]:
        return os.pathsep.join(there), False
    raise BadKubeconfig("choosing a cluster", 0, f"there is no kubeconfig {' or '.join(named)}; {_REMEDY}")


async def _load(files: str, context: str, configuration: client.Configuration) -> tuple[str, Impersonated]:
    try:
        loader = await config.load_kube_config(  # type: ignore[no-untyped-call] # as above
            files, context=context or None, client_configuration=configuration, persist_config=False
        )
        chosen = dict(loader.current_context["context"])
        return str(chosen.get("namespace") or ""), await asyncio.to_thread(_configured, files, chosen.get("user"))
    except (config.ConfigException, YAMLError, OSError, KeyError, TypeError, ValueError) as error:
        attempted = f"reading the kubeconfig {files}{f' for context {context}' if context else ''}"
        raise BadKubeconfig(attempted, 0, f"{str(error).strip().rstrip('.')}; {_REMEDY}") from error


def _configured(files: str, name: str | None) -> Impersonated:
    """Whom this user of the kubeconfig acts as: the official client does not look.

    Raises:
        ValueError: it acts as more than a user and groups can say.
    """
    merged = KubeConfigMerger(files).config  # type: ignore[no-untyped-call] # as above
    found = merged["users"].get_with_name(name, safe=True) if name and merged.safe_get("users") else None
    user = dict(found["user"].value or {}) if found else {}
    if beyond := sorted({"as-uid", "as-user-extra"} & user.keys()):
        raise ValueError(f"user {name} acts as somebody by {', '.join(beyond)}, which only kubectl itself can do")
    return Impersonated(str(user.get("as") or ""), tuple(str(group) for group in user.get("as-groups") or ()))
