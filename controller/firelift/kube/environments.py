"""`FirestoreEnvironment` objects."""

from __future__ import annotations

from typing import TypeAlias

from firelift.api.base import ENVIRONMENT_LABEL
from firelift.api.environment import KIND, PLURAL
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.observation import Environment
from firelift.kube.client import Json
from firelift.kube.job_manifest import label_of
from firelift.kube.objects import CustomObject, CustomResource, identity
from firelift.kube.owned import Owner

EnvironmentObject: TypeAlias = CustomObject[Environment]


def owner_of(environment: Environment) -> Owner:
    """Who owns what is shown of an environment."""
    label = (ENVIRONMENT_LABEL, label_of(environment.name))
    return Owner(KIND, environment.namespace, environment.name, environment.uid, label)


def _environment(document: Json) -> Environment:
    return Environment(**identity(document), spec=EnvironmentSpec.model_validate(document.get("spec", {})))


ENVIRONMENTS = CustomResource(KIND, PLURAL, _environment)
