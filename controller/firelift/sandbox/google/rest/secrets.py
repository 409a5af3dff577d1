"""secretmanager.googleapis.com: secrets, their versions and who may read them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import grpc

from firelift.sandbox.google.resources import Ids, Json, Resources, page, precondition, timestamp
from firelift.sandbox.google.rest.policies import policy_routes
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.policies import Policies

MAX_PAYLOAD = 65_536
"""Bytes of one version, as in the service."""
_ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_SECRETS = "v1/projects/{project}/secrets"
_VERSIONS = f"{_SECRETS}/{{secret}}/versions"


class SecretsApi:
    """Secrets in memory; a payload is answered by `:access` only, never in a list or a log."""

    def __init__(self, clock: Clock, ids: Ids, policies: Policies) -> None:
        self._clock = clock
        self._ids = ids
        self._policies = policies
        self._secrets = Resources()
        self._versions = Resources()
        self._payloads: dict[str, str] = {}

    def routes(self) -> list[Route]:
        """Return the methods served."""
        secrets, one = self._secrets, f"{_SECRETS}/{{secret}}"
        return [
            Route("POST", _SECRETS, "CreateSecret", self._create),
            Route("GET", _SECRETS, "ListSecrets", listed("secrets", secrets)),
            Route("GET", one, "GetSecret", lambda call: secrets.get(call.name)),
            Route("PATCH", one, "UpdateSecret", self._update),
            Route("DELETE", one, "DeleteSecret", self._delete),
            Route("POST", f"{one}:addVersion", "AddSecretVersion", self._add_version),
            *self._version_routes(),
            *policy_routes(one, self._policies, secrets.get),
        ]

    def _version_routes(self) -> list[Route]:
        one = f"{_VERSIONS}/{{version}}"
        return [
            Route("GET", _VERSIONS, "ListSecretVersions", self._list_versions),
            Route("GET", one, "GetSecretVersion", lambda call: self._version(call.name)),
            Route("GET", f"{one}:access", "AccessSecretVersion", self._access),
            Route("POST", f"{one}:enable", "EnableSecretVersion", lambda call: self._become(call, "ENABLED")),
            Route("POST", f"{one}:disable", "DisableSecretVersion", lambda call: self._become(call, "DISABLED")),
            Route("POST", f"{one}:destroy", "DestroySecretVersion", self._destroy),
        ]

    def _create(self, call: Call) -> Json:
        identifier = call.query.get("secretId", "")
        if not _ID.fullmatch(identifier) or not call.body.get("replication"):
            raise invalid(f"a secret needs a replication and an id of 1-255 of a-z, A-Z, 0-9, - and _: {identifier!r}")
        name = f"{call.name}/{identifier}"
        made = {"createTime": timestamp(self._clock.now()), "etag": self._etag()}
        return self._secrets.add(name, {**call.body, "name": name, **made})

    def _update(self, call: Call) -> Json:
        if call.mask is None:
            raise invalid("updateMask is required")
        self._secrets.update(call.name, call.body, call.mask)
        return self._secrets.update(call.name, {"etag": self._etag()}, None)

    def _delete(self, call: Call) -> Json:
        self._secrets.remove(call.name)
        self._versions.remove_below(call.name)
        self._policies.forget(call.name)
        for name in [name for name in self._payloads if name.startswith(f"{call.name}/")]:
            del self._payloads[name]
        return {}

    def _add_version(self, call: Call) -> Json:
        self._secrets.get(call.name)
        data = str((call.body.get("payload") or {}).get("data", ""))
        _check_payload(data)
        name = f"{call.name}/versions/{len(self._versions.below(f'{call.name}/versions')) + 1}"
        self._payloads[name] = data
        made = {"createTime": timestamp(self._clock.now()), "state": "ENABLED", "etag": self._etag()}
        return self._versions.add(name, {"name": name, **made})

    def _list_versions(self, call: Call) -> Json:
        self._secrets.get(call.parent)
        return page("versions", self._versions.below(call.name)[::-1], *call.window)

    def _version(self, name: str) -> Json:
        """`latest` is the newest version, whatever its state."""
        if name.endswith("/versions/latest"):
            found = self._versions.below(name.rpartition("/")[0])
            name = found[-1]["name"] if found else name
        return self._versions.get(name)

    def _access(self, call: Call) -> Json:
        version = self._version(call.name)
        if version["state"] != "ENABLED":
            raise precondition(f"Secret Version [{version['name']}] is in {version['state']} state.")
        return {"name": version["name"], "payload": {"data": self._payloads[version["name"]]}}

    def _become(self, call: Call, state: str) -> Json:
        version = self._version(call.name)
        if version["state"] == "DESTROYED":
            raise precondition(f"Secret Version [{version['name']}] is in DESTROYED state.")
        return self._versions.update(version["name"], {"state": state, "etag": self._etag()}, None)

    def _destroy(self, call: Call) -> Json:
        version = self._become(call, "DISABLED")
        self._payloads.pop(version["name"], None)
        gone = {"state": "DESTROYED", "destroyTime": timestamp(self._clock.now())}
        return self._versions.update(version["name"], gone, None)

    def _etag(self) -> str:
        return f'"s{self._ids.number()}"'


def _check_payload(data: str) -> None:
    try:
        size = len(base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise invalid(f"payload.data is not base64: {error}") from error
    if not 0 < size <= MAX_PAYLOAD:
        raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, f"a payload has 1 to {MAX_PAYLOAD} bytes, this one {size}")
