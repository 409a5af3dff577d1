"""ServiceAccount tokens of a pod, asked for when needed and renewed before they expire."""

import time

from firelift.sandbox.kubelet.cluster import Cluster, Json

_RENEW_AFTER = 0.8  # of the lifetime, as the kubelet does
_DEFAULT_SECONDS = 3600  # the API's default for a projected token


class Tokens:
    """Tokens bound to one pod: they end with it."""

    def __init__(self, cluster: Cluster, pod: Json) -> None:
        """Ask for tokens of the pod's own ServiceAccount."""
        self._cluster = cluster
        self._pod = pod
        self._known: dict[tuple[str, int], tuple[str, float]] = {}

    async def token(self, projection: Json) -> str:
        """Return a token for a `serviceAccountToken` projection (`audience`, `expirationSeconds`)."""
        key = (projection.get("audience", ""), projection.get("expirationSeconds", _DEFAULT_SECONDS))
        token, renew_at = self._known.get(key, ("", 0.0))
        if time.monotonic() < renew_at:
            return token
        token = await self._request(*key)
        self._known[key] = (token, time.monotonic() + _RENEW_AFTER * key[1])
        return token

    async def _request(self, audience: str, seconds: int) -> str:
        metadata = self._pod["metadata"]
        account = self._pod["spec"].get("serviceAccountName", "default")
        pod = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec: Json = {"expirationSeconds": seconds, "boundObjectRef": pod}
        if audience:
            spec["audiences"] = [audience]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = await self._cluster.create(path, request)
        return str(answer["status"]["token"])
