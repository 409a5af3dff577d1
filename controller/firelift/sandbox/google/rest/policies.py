"""The two methods of IAM policies, which many APIs have on their resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Json
from firelift.sandbox.google.rest.routes import Call, Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from firelift.sandbox.google.policies import Policies


def policy_routes(resource: str, policies: Policies, find: Callable[[str], Json] | None = None) -> list[Route]:
    """Return getIamPolicy (by GET and by POST) and setIamPolicy of a resource's template.

    `find` is called with the resource's name and raises RefusedError when there is none; the policy is kept under the
    `name` that it answers.
    """

    def key(call: Call) -> str:
        return str(find(call.name)["name"]) if find else call.name

    def read(call: Call) -> Json:
        return policies.get(key(call))

    def write(call: Call) -> Json:
        return policies.put(key(call), call.body.get("policy") or {})

    return [
        Route("GET", f"{resource}:getIamPolicy", "GetIamPolicy", read),
        Route("POST", f"{resource}:getIamPolicy", "GetIamPolicy", read),
        Route("POST", f"{resource}:setIamPolicy", "SetIamPolicy", write),
    ]
