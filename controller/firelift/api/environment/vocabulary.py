"""The words that the sections of an environment share: keys of maps, references, names in Google Cloud."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, ObjectName
from firelift.api.references import DataKey

Key = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""A name of one's own for an entry. It is the entry's address in Terraform: renaming it deletes and creates."""

CollectionId = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^/]+$")]
IndexedPath = Annotated[str, Field(min_length=1, max_length=512)]
SecretId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
Line = Annotated[str, Field(max_length=100)]


class WorkloadIdentity(Model):
    """A Kubernetes ServiceAccount that may act as the account, through Workload Identity Federation for GKE."""

    namespace: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Where the ServiceAccount is."""
    service_account: ObjectName
    """Its name."""


class IndexesFile(Model):
    """A ConfigMap in the environment's namespace with the file that the Firebase CLI writes."""

    name: ObjectName
    """Its name."""
    key: DataKey = "firestore.indexes.json"
    """The key in it."""


class RulesFile(Model):
    """A ConfigMap in the environment's namespace with the source of the security rules."""

    name: ObjectName
    """Its name."""
    key: DataKey = "firestore.rules"
    """The key in it."""
