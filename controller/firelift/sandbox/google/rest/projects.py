"""cloudresourcemanager.googleapis.com v1: projects and their IAM policies."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import grpc

from firelift.sandbox.google.resources import Json, Resources, precondition, timestamp
from firelift.sandbox.google.rest.policies import policy_routes
from firelift.sandbox.google.rest.routes import Call, Route
from firelift.sandbox.google.values import RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.operations import Operations
    from firelift.sandbox.google.policies import Policies

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_TYPE = "type.googleapis.com/google.cloudresourcemanager.v1.Project"
_NUMBERS = 900_000_000_000


class ProjectsApi:
    """Projects. One that was never created is answered as if somebody else had: stand-ins of clients name any."""

    def __init__(self, clock: Clock, operations: Operations, policies: Policies) -> None:
        self._clock = clock
        self._operations = operations
        self._policies = policies
        self._kept = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        one = "v1/projects/{project}"
        return [
            Route("POST", "v1/projects", "CreateProject", self._create),
            Route("GET", one, "GetProject", lambda call: self.find(call.path["project"])),
            Route("PUT", one, "UpdateProject", self._update),
            Route("DELETE", one, "DeleteProject", self._delete),
            Route("POST", f"{one}:undelete", "UndeleteProject", self._undelete),
            Route("GET", "v1/operations/{operation=**}", "GetOperation", lambda call: self._operations.get(call.name)),
            *policy_routes(one, self._policies),
        ]

    def find(self, identifier: str) -> Json:
        """Return a project by its id or its number."""
        created = {project["projectNumber"]: project for project in self._kept.below("projects")}
        name = f"projects/{identifier}"
        return created.get(identifier) or (self._kept.get(name) if name in self._kept else _implied(identifier))

    def _create(self, call: Call) -> Json:
        identifier = str(call.body.get("projectId", ""))
        if not _ID.fullmatch(identifier):
            raise invalid(f"project id {identifier!r} is not 6-30 of a-z, 0-9 and -, a letter first")
        made = {"name": identifier, **_implied(identifier), **call.body, "createTime": timestamp(self._clock.now())}
        if f"projects/{identifier}" in self._kept:
            raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")
        self._kept.add(f"projects/{identifier}", made)
        status = {"ready": True, "gettable": True}
        kind = "google.cloudresourcemanager.v1.ProjectCreationStatus"
        return self._operations.begin("", kind, {"@type": _TYPE, **made}, **status)

    def _update(self, call: Call) -> Json:
        known = self._active(call)
        if any(call.body.get(key, known[key]) != known[key] for key in ("projectId", "projectNumber")):
            raise invalid("the id and the number of a project cannot be changed")
        kept: Json = {
            key: known[key] for key in ("projectId", "projectNumber", "lifecycleState", "createTime") if key in known
        }
        return self._kept.put(call.name, {**call.body, **kept})

    def _delete(self, call: Call) -> Json:
        self._kept.put(call.name, {**self._active(call), "lifecycleState": "DELETE_REQUESTED"})
        return {}

    def _undelete(self, call: Call) -> Json:
        self._kept.put(call.name, {**self.find(call.path["project"]), "lifecycleState": "ACTIVE"})
        return {}

    def _active(self, call: Call) -> Json:
        project = self.find(call.path["project"])
        if project["lifecycleState"] != "ACTIVE":
            raise precondition(f"project {project['projectId']} is being deleted")
        return project


def _implied(identifier: str) -> Json:
    """Return a project as it is before anybody wrote to it; its number follows from its id."""
    number = identifier if identifier.isdigit() else str(100_000_000_000 + zlib.crc32(identifier.encode()) % _NUMBERS)
    return {"projectId": identifier, "projectNumber": number, "lifecycleState": "ACTIVE", "name": identifier}
