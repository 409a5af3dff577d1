"""In-cluster access of a container: the kubeconfig of its own ServiceAccount."""

import os
from pathlib import Path

from firelift.sandbox.kubeconfig import Cluster, write_kubeconfig
from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.volumes import below

_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def service_account_kubeconfig(server: str, pod: Json, container: Json, root: Path) -> str:
    """Return the value of KUBECONFIG for a container.

    It names the mounted token, which the kubelet renews; a container without one (automountServiceAccountToken is
    false) gets an empty file, so that it has no access, as in a cluster.
    """
    if all(mount["mountPath"] != _MOUNT for mount in container.get("volumeMounts", [])):
        return os.devnull
    mount = below(root, _MOUNT)
    cluster = Cluster(server, mount / "ca.crt")
    path = write_kubeconfig(
        root / ".kubeconfig", cluster, {"tokenFile": str(mount / "token")}, namespace=pod["metadata"]["namespace"]
    )
    return str(path)
