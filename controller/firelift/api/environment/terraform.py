"""`spec.terraform`: how the ground is planned and applied, and where its state is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules

SHORTEST_DRIFT_INTERVAL = 60


class ApplyMode(StrEnum):
    """Who decides. What can lose data waits for an approval in both."""

    MANUAL = "Manual"
    AUTO = "Auto"


class EnvironmentDeletion(StrEnum):
    """What deleting the object does with what it has made."""

    RETAIN = "Retain"
    """It stays, unwatched; its state stays too."""
    DESTROY = "Destroy"
    """It is destroyed, by a plan that is approved like any other."""


class RootOutput(StrEnum):
    """What an environment tells of what it has made, in Terraform's spelling."""

    ACCOUNTS = "accounts"
    CHANNELS = "channels"
    DASHBOARD = "dashboard"
    DATABASE = "database"
    FIRELIFT = "firelift"
    INDEXES = "indexes"
    LOG_METRICS = "log_metrics"
    PROJECT_ID = "project_id"
    SECRETS = "secrets"
    TTLS = "ttls"


class KubernetesBackend(Model):
    """The state in a Secret, locked by a Lease."""

    namespace: Annotated[str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")] = ""
    """Where. Empty: the operator's own, which no team deletes by mistake."""


class GcsBackend(Model):
    """The state in a bucket of Cloud Storage. It should keep versions."""

    bucket: Annotated[str, Field(min_length=3, max_length=222, pattern=r"^[a-z0-9][-_.a-z0-9]*[a-z0-9]$")]
    """Its name."""
    prefix: Annotated[str, Field(max_length=512, pattern=r"^[^/]?([^/]+/?)*$")] = ""
    """The folder in it. Empty: `<namespace>/<name>` of the environment."""


class BackendSpec(RuledModel):
    """Exactly one of the two."""

    kubernetes: KubernetesBackend | None = None
    gcs: GcsBackend | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.kubernetes) != has(self.gcs)",
            "`backend` must have exactly one of `kubernetes` and `gcs`",
            lambda backend: (backend.kubernetes is None) != (backend.gcs is None),
        ),
    )


class CredentialsSpec(Model):
    """Whose identity Terraform acts with."""

    secret_name: Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")] = ""
    """A Secret in the environment's namespace with the key `credentials.json` or `access_token`. Empty: the
    operator's own identity."""


class TerraformSpec(RuledModel):
    """How, how often and for how long."""

    apply: ApplyMode = ApplyMode.MANUAL
    drift_interval_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 3600
    """How often what is there is compared with what was applied. 0: never."""
    backend: BackendSpec = BackendSpec(kubernetes=KubernetesBackend())
    """Immutable."""
    credentials: CredentialsSpec = CredentialsSpec()
    timeout_seconds: Annotated[int, Field(ge=60, le=86_400)] = 1800
    """Of one plan or one apply. Then it is interrupted, and killed if that is not enough."""
    deletion_policy: EnvironmentDeletion = EnvironmentDeletion.RETAIN
    sensitive_outputs: Annotated[tuple[RootOutput, ...], Field(max_length=10), AS_SET] = ()
    """Outputs for those only who may read Secrets: they are in no ConfigMap and in no plan's text."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.driftIntervalSeconds == 0 || self.driftIntervalSeconds >= 60",
            "`driftIntervalSeconds` must be 0 or at least 60: each look is a whole plan",
            lambda terraform: (
                terraform.drift_interval_seconds == 0 or terraform.drift_interval_seconds >= SHORTEST_DRIFT_INTERVAL
            ),
            field=".driftIntervalSeconds",
        ),
    )
