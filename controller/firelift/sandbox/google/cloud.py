"""The state of all APIs, and the prefixes below which they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.sandbox.google.firestore.state import FirestoreState
from firelift.sandbox.google.operations import Operations
from firelift.sandbox.google.policies import Policies
from firelift.sandbox.google.resources import Ids
from firelift.sandbox.google.rest.accounts import AccountsApi
from firelift.sandbox.google.rest.alerts import AlertsApi
from firelift.sandbox.google.rest.billing import BillingApi, BudgetsApi
from firelift.sandbox.google.rest.firestore import FirestoreApi
from firelift.sandbox.google.rest.logs import LogsApi
from firelift.sandbox.google.rest.projects import ProjectsApi
from firelift.sandbox.google.rest.rules import RulesApi
from firelift.sandbox.google.rest.secrets import SecretsApi
from firelift.sandbox.google.rest.services import ServicesApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.firestore.documents import Documents
    from firelift.sandbox.google.rest.routes import Route


class Cloud:
    """One Google Cloud: what Terraform makes over REST is what Firestore Admin answers over gRPC."""

    def __init__(self, clock: Clock, namespace: str = "", documents: Documents | None = None) -> None:
        self._clock = clock
        self._ids = Ids()
        self._operations = Operations(clock, self._ids)
        self._policies = Policies(self._ids)
        self.firestore = FirestoreState(clock, self._ids, self._operations, namespace, documents)

    def apis(self) -> Mapping[str, tuple[str, Sequence[Route]]]:
        """Return each API's name and routes by its prefix; the endpoints' variables in `google_cloud.py` agree."""
        projects = ProjectsApi(self._clock, self._operations, self._policies)
        return {
            "fs": ("firestore", FirestoreApi(self.firestore).routes()),
            "crm": ("cloudresourcemanager", projects.routes()),
            "su": ("serviceusage", ServicesApi(self._operations, projects.find).routes()),
            "bill": ("cloudbilling", BillingApi().routes()),
            "bb": ("billingbudgets", BudgetsApi(self._ids, projects.find).routes()),
            "mon": ("monitoring", AlertsApi(self._clock, self._ids).routes()),
            "sm": ("secretmanager", SecretsApi(self._clock, self._ids, self._policies).routes()),
            "log": ("logging", LogsApi(self._clock).routes()),
            "fr": ("firebaserules", RulesApi(self._clock).routes()),
            "iam": ("iam", AccountsApi(self._ids, self._policies).routes()),
        }
