"""`FirestoreEnvironment.spec`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.environment.access import AccessSpec
from firelift.api.environment.cross_field import ENVIRONMENT_RULES
from firelift.api.environment.database import DatabaseSpec
from firelift.api.environment.indexes import IndexesSpec, TtlSpec
from firelift.api.environment.observability import ObservabilitySpec
from firelift.api.environment.project import ProjectSpec
from firelift.api.environment.secrets import SecretSpec
from firelift.api.environment.security_rules import SecurityRulesSpec
from firelift.api.environment.terraform import TerraformSpec
from firelift.api.environment.vocabulary import Key, SecretId
from firelift.api.rules import RuledModel, Rules


class EnvironmentSpec(RuledModel):
    """The ground that a team's rollouts stand on."""

    suspend: bool = False
    """Nothing is planned, applied or repaired; readiness is still observed."""
    attempt: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """May only rise: it tries again what failed or was rejected."""
    project: ProjectSpec
    database: DatabaseSpec
    indexes: IndexesSpec = IndexesSpec()
    ttls: Annotated[dict[Key, TtlSpec], Field(max_length=50)] = {}
    """Documents that go when their time has passed."""
    access: AccessSpec = AccessSpec()
    observability: ObservabilitySpec = ObservabilitySpec()
    secrets: Annotated[dict[SecretId, SecretSpec], Field(max_length=64)] = {}
    """Secrets in Secret Manager, by their ids."""
    security_rules: Annotated[SecurityRulesSpec | None, Field(alias="rules")] = None
    terraform: TerraformSpec = TerraformSpec()

    rules: ClassVar[Rules] = ENVIRONMENT_RULES
