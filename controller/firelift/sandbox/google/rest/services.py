"""serviceusage.googleapis.com: which APIs a project has enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Json, page
from firelift.sandbox.google.rest.routes import Call, Route
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firelift.sandbox.google.operations import Operations

_USAGE = "google.api.serviceusage.v1"
_MOST = 20
"""Services of one batchEnable."""


class ServicesApi:
    """Enabled services by project; a new project has none. `project` finds one by its id or number."""

    def __init__(self, operations: Operations, project: Callable[[str], Json]) -> None:
        self._operations = operations
        self._project = project
        self._enabled: dict[str, set[str]] = {}

    def routes(self) -> list[Route]:
        """Return the methods served."""
        many = "v1/projects/{project}/services"
        one = f"{many}/{{service}}"
        return [
            Route("GET", many, "ListServices", self._list),
            Route("POST", f"{many}:batchEnable", "BatchEnableServices", self._enable_many),
            Route("GET", one, "GetService", lambda call: self._told(call, call.path["service"])),
            Route("POST", f"{one}:enable", "EnableService", lambda call: self._enable(call, [call.path["service"]])),
            Route("POST", f"{one}:disable", "DisableService", self._disable),
            Route("GET", "v1/operations/{operation=**}", "GetOperation", lambda call: self._operations.get(call.name)),
        ]

    def _services(self, call: Call) -> set[str]:
        return self._enabled.setdefault(self._number(call), set())

    def _number(self, call: Call) -> str:
        return str(self._project(call.path["project"])["projectNumber"])

    def _told(self, call: Call, service: str) -> Json:
        parent = f"projects/{self._number(call)}"
        state = "ENABLED" if service in self._services(call) else "DISABLED"
        name = f"{parent}/services/{service}"
        return {"name": name, "config": {"name": service}, "state": state, "parent": parent}

    def _list(self, call: Call) -> Json:
        found = [self._told(call, service) for service in sorted(self._services(call))]
        if call.query.get("filter", "state:ENABLED") != "state:ENABLED":
            raise invalid(f"filter {call.query['filter']!r} is not served: the stand-in knows enabled services only")
        return page("services", found, *call.window)

    def _enable_many(self, call: Call) -> Json:
        services = call.body.get("serviceIds") or []
        if not 0 < len(services) <= _MOST:
            raise invalid(f"batchEnable takes 1 to {_MOST} services, not {len(services)}")
        return self._enable(call, services)

    def _enable(self, call: Call, services: Iterable[str]) -> Json:
        names = list(services)
        self._services(call).update(names)
        told = [self._told(call, service) for service in names]
        response = {"services": told} if call.name.endswith("/services") else {"service": told[0]}
        return self._operation(call, response)

    def _disable(self, call: Call) -> Json:
        self._services(call).discard(call.path["service"])
        return self._operation(call, {"service": self._told(call, call.path["service"])})

    def _operation(self, call: Call, response: Json) -> Json:
        return self._operations.begin("", f"{_USAGE}.OperationMetadata", response, resourceNames=[call.name])
