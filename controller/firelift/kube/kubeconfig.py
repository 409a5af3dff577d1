"""A person's kubeconfig: which cluster, which identity, which namespace."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio import client, config
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


async def connect(path: str = "", context: str = "", *, timeout_seconds: float = 10.0) -> Connected:
    """Choose as kubectl does: the path given, else KUBECONFIG, else ~/.kube/config, else the pod's own identity.

    Nothing is sent yet, but a credential plugin of the kubeconfig is run.

    Raises:
        BadKubeconfig: when no cluster can be chosen so, with what to do about it.
    """
    configuration = client.Configuration()
    files, in_pod = await asyncio.to_thread(_found, path or os.environ.get(_VARIABLE, ""))
    if in_pod:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call] # the official client is typed only in part
        namespace = await asyncio.to_thread(_NAMESPACE_OF_A_POD.read_text, encoding="utf-8")
    else:
        namespace = await _load(files, context, configuration)
    return Connected(Cluster(client.ApiClient(configuration), timeout_seconds=timeout_seconds), namespace or "default")


def _found(chosen: str) -> tuple[str, bool]:
    """The kubeconfigs that are there, or whether this is a pod that needs none."""
    if not chosen and not _DEFAULT.expanduser().exists() and _NAMESPACE_OF_A_POD.exists():
        return "", True
    named = chosen.split(os.pathsep) if chosen else [str(_DEFAULT.expanduser())]
    if there := [file for file in named if file and Path(file).is_file()]:
        return os.pathsep.join(there), False
    raise BadKubeconfig("choosing a cluster", 0, f"there is no kubeconfig {' or '.join(named)}; {_REMEDY}")


async def _load(files: str, context: str, configuration: client.Configuration) -> str:
    try:
        loader = await config.load_kube_config(  # type: ignore[no-untyped-call] # as above
            files, context=context or None, client_configuration=configuration, persist_config=False
        )
        return str(dict(loader.current_context["context"]).get("namespace") or "")
    except (config.ConfigException, YAMLError, OSError, KeyError, TypeError, ValueError) as error:
        attempted = f"reading the kubeconfig {files}{f' for context {context}' if context else ''}"
        raise BadKubeconfig(attempted, 0, f"{str(error).strip().rstrip('.')}; {_REMEDY}") from error
