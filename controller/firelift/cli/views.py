"""Objects as commands look at them: parsed leniently, because the cluster may be newer than the plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from firelift.api.conditions import Reason
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentStatus
from firelift.api.rollout import RolloutSpec
from firelift.api.status import ObservedCondition, RolloutStatus
from firelift.cli.exits import Exit, Problem
from firelift.cli.kinds import ENVIRONMENT, ROLLOUT, Kind, Ref
from firelift.kube.client import Json

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which a client-side apply keeps the manifest."""
NOT_OBSERVED = "NotObserved"
"""The reason of an object that the operator has not looked at yet; the schema's own default."""

_AMID_A_STEP = frozenset({Reason.SUSPENDED, Reason.REVERTING, Reason.WAITING_FOR_EVIDENCE})

M = TypeVar("M", bound=BaseModel)
Spec = TypeVar("Spec", RolloutSpec, EnvironmentSpec)
Status = TypeVar("Status", RolloutStatus, EnvironmentStatus)


@dataclass(frozen=True, slots=True)
class View(Generic[Spec, Status]):
    """An object at one moment. `spec` is None when this version cannot read it; `status` is what the operator saw."""

    kind: Kind
    namespace: str
    name: str
    generation: int
    deleting: bool
    spec: Spec | None
    status: Status
    document: Json = field(repr=False)

    @property
    def ref(self) -> Ref:
        """How commands are told of it."""
        return Ref(self.kind, self.name)

    @property
    def observed(self) -> bool:
        """Whether the operator has looked at it at all."""
        return self.status.reason not in {"", NOT_OBSERVED}

    @property
    def current(self) -> bool:
        """Whether what it said is of the spec that stands now."""
        return self.observed and self.status.observed_generation >= self.generation

    def condition(self, kind: str) -> ObservedCondition | None:
        """The condition of that type."""
        return next((each for each in self.status.conditions if each.type == kind), None)

    def is_true(self, kind: str) -> bool:
        """Whether the condition of that type is True."""
        found = self.condition(kind)
        return found is not None and found.status == "True"

    @property
    def since(self) -> datetime | None:
        """Since when it is as it is, as far as its conditions tell."""
        times = [each.last_transition_time for each in self.status.conditions]
        return max(times, default=None) if self.observed else None


class RolloutView(View[RolloutSpec, RolloutStatus]):
    """A MigrationRollout."""

    @property
    def since(self) -> datetime | None:
        """Since when it is as it is: no longer than its step, because conditions stay from one step to the next.

        None where it became so in the middle of a step that was under way, of which nothing tells when.
        """
        if self.status.reason in _AMID_A_STEP:
            return None
        steps = (step for phase in self.status.phases if phase.name == self.status.phase for step in phase.steps)
        begun = next((step.start_time for step in steps if step.name == self.status.step), None)
        return max((each for each in (super().since, begun) if each is not None), default=None)


class EnvironmentView(View[EnvironmentSpec, EnvironmentStatus]):
    """A FirestoreEnvironment."""


AnyView = RolloutView | EnvironmentView


def rollout(document: Json) -> RolloutView:
    """A MigrationRollout of the API server.

    Raises:
        Problem: its status cannot be read by this version.
    """
    spec = _lenient(RolloutSpec, document.get("spec", {}))
    return RolloutView(ROLLOUT, *_identity(document), spec, _status(RolloutStatus, document), document)


def environment(document: Json) -> EnvironmentView:
    """A FirestoreEnvironment of the API server.

    Raises:
        Problem: its status cannot be read by this version.
    """
    spec = _lenient(EnvironmentSpec, document.get("spec", {}))
    return EnvironmentView(ENVIRONMENT, *_identity(document), spec, _status(EnvironmentStatus, document), document)


def view(kind: Kind, document: Json) -> AnyView:
    """Either."""
    return rollout(document) if kind is ROLLOUT else environment(document)


def known(shape: Any, value: Any) -> Any:
    """The value without the fields that a model of this version does not have."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return _known_fields(shape, value)
    inner = [each for each in get_args(shape) if each is not type(None) and each is not Ellipsis]
    if isinstance(value, list) and inner and get_origin(shape) is tuple:
        return [known(inner[0], each) for each in value]
    if isinstance(value, dict) and get_origin(shape) is dict:
        return {key: known(inner[1], each) for key, each in value.items()}
    if get_origin(shape) in {Union, UnionType} or hasattr(shape, "__metadata__"):
        return known(inner[0], value) if inner else value
    return value


def _known_fields(model: type[BaseModel], value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    shapes = {each.alias or name: each.annotation for name, each in model.model_fields.items()}
    return {key: known(shapes[key], each) for key, each in value.items() if key in shapes}


def _lenient(model: type[M], document: Json) -> M | None:
    try:
        return model.model_validate(known(model, document))
    except ValidationError:
        return None


def _status(model: type[M], document: Json) -> M:
    status = _lenient(model, document.get("status", {}))
    if status is None:
        name = document["metadata"]["name"]
        raise Problem(f"the status of {name} is not one that this version can read; update the plugin", Exit.REFUSED)
    return status


def _identity(document: Json) -> tuple[str, str, int, bool]:
    metadata = document["metadata"]
    deleting = "deletionTimestamp" in metadata
    return metadata.get("namespace", ""), metadata["name"], metadata.get("generation", 0), deleting
