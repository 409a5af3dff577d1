"""iam.googleapis.com v1: service accounts with their policies, and custom roles of projects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Ids, Json, Resources, precondition
from firelift.sandbox.google.rest.policies import policy_routes
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.policies import Policies

_ACCOUNT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_ROLE = re.compile(r"[a-zA-Z0-9_.]{3,64}")
_ACCOUNTS = "v1/projects/{project}/serviceAccounts"
_ROLES = "v1/projects/{project}/roles"


class AccountsApi:
    """Service accounts by e-mail, in whatever project the caller believes them (`projects/-` is any)."""

    def __init__(self, ids: Ids, policies: Policies) -> None:
        self._ids = ids
        self._policies = policies
        self._accounts = Resources()
        self._roles = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        one = f"{_ACCOUNTS}/{{account}}"
        return [
            Route("POST", _ACCOUNTS, "CreateServiceAccount", self._create),
            Route("GET", _ACCOUNTS, "ListServiceAccounts", listed("accounts", self._accounts)),
            Route("GET", one, "GetServiceAccount", lambda call: self._find(call.name)),
            Route("PATCH", one, "PatchServiceAccount", self._patch),
            Route("DELETE", one, "DeleteServiceAccount", self._delete),
            Route("POST", f"{one}:enable", "EnableServiceAccount", lambda call: self._switch(call, disabled=False)),
            Route("POST", f"{one}:disable", "DisableServiceAccount", lambda call: self._switch(call, disabled=True)),
            *policy_routes(one, self._policies, self._find),
            *self._role_routes(),
        ]

    def _role_routes(self) -> list[Route]:
        one = f"{_ROLES}/{{role}}"
        return [
            Route("POST", _ROLES, "CreateRole", self._create_role),
            Route("GET", one, "GetRole", lambda call: self._roles.get(call.name)),
            Route("PATCH", one, "UpdateRole", self._update_role),
            Route("DELETE", one, "DeleteRole", lambda call: self._delete_role(call, deleted=True)),
            Route("POST", f"{one}:undelete", "UndeleteRole", lambda call: self._delete_role(call, deleted=False)),
        ]

    def _find(self, name: str) -> Json:
        email = name.rpartition("/")[2]
        found = [
            account for account in self._accounts.below("projects") if email in (account["email"], account["uniqueId"])
        ]
        return found[0] if found else self._accounts.get(name)

    def _create(self, call: Call) -> Json:
        project, identifier = call.path["project"], str(call.body.get("accountId", ""))
        if not _ACCOUNT.fullmatch(identifier):
            raise invalid(f"account id {identifier!r} is not 6-30 of a-z, 0-9 and -, a letter first")
        email = f"{identifier}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        number = self._ids.number()
        known = {"name": name, "projectId": project, "uniqueId": number, "email": email, "oauth2ClientId": number}
        return self._accounts.add(name, {**(call.body.get("serviceAccount") or {}), **known, "etag": self._etag()})

    def _patch(self, call: Call) -> Json:
        account = self._find(call.name)
        given = call.body.get("serviceAccount") or {}
        paths = [path for path in call.mask or given if path in {"displayName", "description", "display_name"}]
        self._accounts.update(account["name"], given, paths)
        return self._accounts.update(account["name"], {"etag": self._etag()}, None)

    def _delete(self, call: Call) -> Json:
        name = self._find(call.name)["name"]
        self._accounts.remove(name)
        self._policies.forget(name)
        return {}

    def _switch(self, call: Call, *, disabled: bool) -> Json:
        self._accounts.update(self._find(call.name)["name"], {"disabled": disabled or None}, None)
        return {}

    def _create_role(self, call: Call) -> Json:
        identifier = str(call.body.get("roleId", ""))
        if not _ROLE.fullmatch(identifier):
            raise invalid(f"role id {identifier!r} is not 3-64 of a-z, A-Z, 0-9, _ and .")
        name = f"{call.name}/{identifier}"
        return self._roles.add(name, {**(call.body.get("role") or {}), "name": name, "etag": self._etag()})

    def _update_role(self, call: Call) -> Json:
        if self._roles.get(call.name).get("deleted"):
            raise precondition(f"{call.name} is deleted; undelete it first")
        self._roles.update(call.name, {key: value for key, value in call.body.items() if key != "etag"}, call.mask)
        return self._roles.update(call.name, {"etag": self._etag()}, None)

    def _delete_role(self, call: Call, *, deleted: bool) -> Json:
        """A role that is deleted is answered for a week, marked so."""
        return self._roles.update(call.name, {"deleted": deleted or None}, None)

    def _etag(self) -> str:
        return f"BwZ{self._ids.number()}="
