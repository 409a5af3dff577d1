"""cloudbilling.googleapis.com (which account pays for a project) and billingbudgets.googleapis.com (budgets)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Ids, Json, Resources, aborted
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

_BUDGETS = "v1/billingAccounts/{account}/budgets"


class BillingApi:
    """Accounts, all of them open, the caller allowed everything on them; projects have none until one is linked."""

    def __init__(self) -> None:
        self._links = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        account, link = "v1/billingAccounts/{account}", "v1/projects/{project}/billingInfo"
        return [
            Route("GET", account, "GetBillingAccount", lambda call: {"name": call.name, "open": True}),
            Route("POST", f"{account}:testIamPermissions", "TestIamPermissions", _permissions),
            Route("GET", link, "GetProjectBillingInfo", self._get),
            Route("PUT", link, "UpdateProjectBillingInfo", self._put),
        ]

    def _get(self, call: Call) -> Json:
        empty: Json = {"name": call.name, "projectId": call.path["project"]}
        return self._links.get(call.name) if call.name in self._links else empty

    def _put(self, call: Call) -> Json:
        account = str(call.body.get("billingAccountName", ""))
        if account and not account.startswith("billingAccounts/"):
            raise invalid(f"billingAccountName {account!r} does not begin with billingAccounts/")
        link = {"name": call.name, "projectId": call.path["project"], "billingAccountName": account}
        return self._links.put(call.name, {**link, "billingEnabled": bool(account)})


class BudgetsApi:
    """Budgets by full name; like the service, it answers projects by their numbers, whatever they were given as."""

    def __init__(self, ids: Ids, project: Callable[[str], Json]) -> None:
        self._ids = ids
        self._project = project
        self._budgets = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        one = f"{_BUDGETS}/{{budget}}"
        return [
            Route("POST", _BUDGETS, "CreateBudget", self._create),
            Route("GET", _BUDGETS, "ListBudgets", listed("budgets", self._budgets)),
            Route("GET", one, "GetBudget", lambda call: self._budgets.get(call.name)),
            Route("PATCH", one, "UpdateBudget", self._update),
            Route("DELETE", one, "DeleteBudget", self._delete),
        ]

    def _create(self, call: Call) -> Json:
        if not call.body.get("amount"):
            raise invalid("a budget needs an amount")
        name = f"{call.name}/{uuid.uuid4()}"
        return self._budgets.add(name, {**self._numbered(call.body), "name": name, "etag": self._etag()})

    def _update(self, call: Call) -> Json:
        etag = self._budgets.get(call.name)["etag"]
        if call.body.get("etag", etag) != etag:
            raise aborted(f"the etag of {call.name} is not the one of now; read it again")
        self._budgets.update(call.name, self._numbered(call.body), call.mask)
        return self._budgets.update(call.name, {"etag": self._etag()}, None)

    def _delete(self, call: Call) -> Json:
        self._budgets.remove(call.name)
        return {}

    def _numbered(self, body: Json) -> Json:
        given = (body.get("budgetFilter") or {}).get("projects")
        if not given:
            return body
        numbers = [f"projects/{self._project(name.removeprefix('projects/'))['projectNumber']}" for name in given]
        return {**body, "budgetFilter": {**body["budgetFilter"], "projects": numbers}}

    def _etag(self) -> str:
        return f"b{self._ids.number()}"


def _permissions(call: Call) -> Json:
    return {"permissions": call.body.get("permissions") or []}
