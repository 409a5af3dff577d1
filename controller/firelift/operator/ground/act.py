"""Doing what was decided about an environment. Doing one thing twice is doing it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, singledispatchmethod

from firelift.api.environment import KIND
from firelift.environment.intents import DropMemory, EmitEvent, Intent, KeepPlans, StartRun
from firelift.infra.terraform.backend import KubernetesBackend
from firelift.infra.terraform.process import Limits
from firelift.kube import memories
from firelift.kube.errors import NotFound
from firelift.kube.events import Subject
from firelift.kube.memories import Memory
from firelift.operator.ground.execute import Executor
from firelift.operator.ground.its_turn import withdrawn
from firelift.operator.ground.material import Material, backend_of
from firelift.operator.ground.services import Ground
from firelift.operator.speak import send_event
from firelift.operator.wakeups import Key


@dataclass(frozen=True, slots=True)
class Actor:
    """Acts for one decision about one environment. `act` raises `KubeError`."""

    ground: Ground
    material: Material
    memory: Memory

    @singledispatchmethod
    async def act(self, intent: Intent) -> None:
        """Do it."""
        raise NotImplementedError(f"nobody knows how to do {intent}")

    @act.register
    async def _start_run(self, intent: StartRun) -> None:
        environment, run = self.material.environment, intent.run
        key = Key(environment.namespace, environment.name)
        executor = Executor(
            runner=self.ground.runner,
            bundles=self.ground.bundles(environment),
            material=self.material,
            backend=backend_of(environment, self.ground.namespace),
            limits=Limits(intent.timeout_seconds, self.ground.services.settings.terraform_grace_seconds),
            permit=self.ground.services.lease.check,
            withdrawn=partial(withdrawn, self.ground, key),
        )
        self.ground.runs.start(key, run.id, lambda: executor.run(run))

    @act.register
    async def _keep_plans(self, intent: KeepPlans) -> None:
        await self.ground.bundles(self.material.environment).keep_only(intent.runs)

    @act.register
    async def _drop_memory(self, intent: DropMemory) -> None:
        await self.ground.bundles(self.material.environment).drop(applied_too=intent.state_too)
        if intent.state_too:
            await self._drop_state()
        await memories.forget(self.ground.services.cluster, self.memory)

    @act.register
    async def _emit_event(self, intent: EmitEvent) -> None:
        environment = self.material.environment
        subject = Subject(environment.namespace, environment.name, environment.uid, KIND)
        await send_event(
            self.ground.services, subject, reason=intent.reason, message=intent.message, warning=intent.warning
        )

    async def _drop_state(self) -> None:
        """Of a ground that was destroyed: what is left of its state is empty, and of a bucket it stays."""
        backend = backend_of(self.material.environment, self.ground.namespace)
        if not isinstance(backend, KubernetesBackend):
            return
        for path in (
            f"/api/v1/namespaces/{backend.namespace}/secrets/{backend.secret_name}",
            f"/apis/coordination.k8s.io/v1/namespaces/{backend.namespace}/leases/{backend.lease_name}",
        ):
            try:
                await self.ground.services.cluster.delete(path, {})
            except NotFound:
                continue
