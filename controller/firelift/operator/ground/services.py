"""What every turn of an environment uses beside the operator's own services, made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firelift.infra.terraform.backend import state_suffix
from firelift.infra.terraform.protocol import TerraformRunner
from firelift.kube.blobs import Shelf
from firelift.kube.job_manifest import label_of
from firelift.kube.memories import Memory
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.operators import Operators
from firelift.operator.ground.runs import Runs
from firelift.operator.services import Services


class Named(Protocol):
    """An environment's object, whether or not its spec can be read."""

    @property
    def namespace(self) -> str:
        """Where it is."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def uid(self) -> str:
        """What tells it from an earlier one of that name."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`namespace` holds memories, plans and, unless a spec says otherwise, states; `modules` are files by path.

    `unwritten` are states that runs of earlier operators on this machine could not write, and that are here still.
    """

    services: Services
    runner: TerraformRunner
    runs: Runs
    operators: Operators
    namespace: str
    unwritten: tuple[Path, ...]
    modules: Mapping[str, str] = field(repr=False)

    def bundles(self, environment: Named) -> Bundles:
        """What is kept of an environment's plans and applies."""
        suffix = state_suffix(environment.namespace, environment.name)
        return Bundles(self.services.cluster, Shelf(self.namespace, label_of(suffix)), suffix)

    def memory(self, environment: Named) -> Memory:
        """Where an environment's memory is."""
        suffix = state_suffix(environment.namespace, environment.name)
        return Memory(
            namespace=self.namespace,
            name=f"environment-{suffix}",
            object=f"{environment.namespace}/{environment.name}",
            label=label_of(suffix),
            uid=environment.uid,
        )
