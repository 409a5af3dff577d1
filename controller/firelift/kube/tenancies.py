"""What a Namespace says its objects may touch."""

from __future__ import annotations

from http import HTTPStatus

from firelift.api.tenancy import Tenancy, of_namespace
from firelift.kube.client import Cluster
from firelift.kube.errors import Refused


async def read(cluster: Cluster, namespace: str, *, required: bool) -> Tenancy:
    """As it is now. A Namespace that the operator may not read allows nothing, and says so.

    Raises:
        KubeError: the API server did not say.
    """
    try:
        document = await cluster.get(f"/api/v1/namespaces/{namespace}")
    except Refused as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        return Tenancy(namespace, unknown=str(error))
    return of_namespace(document["metadata"], required=required)
