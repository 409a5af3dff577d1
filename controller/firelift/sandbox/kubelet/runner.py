"""One container from its first start to its last end: restarts, back-off, probes."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.container import CANNOT_RUN_CODE, ContainerProcess, Launch
from firelift.sandbox.kubelet.downward import pod_address
from firelift.sandbox.kubelet.environment import base_environment, container_environment, expand
from firelift.sandbox.kubelet.image import image_id
from firelift.sandbox.kubelet.node import Node
from firelift.sandbox.kubelet.probes import Prober
from firelift.sandbox.kubelet.references import PodConfigError, References
from firelift.sandbox.kubelet.service_account import service_account_kubeconfig
from firelift.sandbox.kubelet.status import ContainerState, terminated, timestamp
from firelift.sandbox.kubelet.volumes import Volumes, below

# The kubelet's own, with its feature ReduceDefaultCrashLoopBackOffDecay; back to the first after ten minutes' run.
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 60.0
_BACKOFF_RESET_SECONDS = 600.0
_CONFIG_RETRY_SECONDS = 1.0


def starts_again(policy: str, code: int | None) -> bool:
    """Say whether a container that ended with `code` is started again under a restartPolicy."""
    return policy == "Always" or (policy == "OnFailure" and code != 0)


class ContainerRunner:
    """Drives one container and keeps its `state`; `changed` is called after every change of it."""

    def __init__(self, node: Node, pod: Json, container: Json, volumes: Volumes, changed: Callable[[], None]) -> None:
        """Nothing is started yet."""
        metadata = pod["metadata"]
        name = container["name"]
        self.state = ContainerState(name, container.get("image", ""))
        self._node = node
        self._pod = pod
        self._container = container
        self._volumes = volumes
        self._changed = changed
        self._root = node.directory / "pods" / metadata["uid"] / name
        self._logs = log_folder(node.directory, pod, name)
        self._references = References(node.cluster, metadata["namespace"])
        self._process: ContainerProcess | None = None
        self._stopping = asyncio.Event()

    async def run(self, policy: str) -> None:
        """Run until it is not to be started again."""
        backoff = _FIRST_BACKOFF_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            await self._run_once()
            if self._stopping.is_set() or not starts_again(policy, self.state.exit_code):
                return
            if time.monotonic() - began > _BACKOFF_RESET_SECONDS:
                backoff = _FIRST_BACKOFF_SECONDS
            await self._back_off(backoff)
            backoff = min(2 * backoff, _LONGEST_BACKOFF_SECONDS)

    def terminate(self) -> None:
        """Send SIGTERM, or do not start it if it has no process; it is not started again."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it now; it is not started again."""
        self._stopping.set()
        if self._process is not None:
            self._process.kill()

    async def _run_once(self) -> None:
        launch = await self._prepared()
        if launch is None:
            return
        try:
            self._process = await ContainerProcess.start(launch)
        except OSError as error:
            self._ended(
                terminated(CANNOT_RUN_CODE, timestamp(), launch.container_id, reason="StartError", message=str(error))
            )
            return
        if self._stopping.is_set():  # asked to stop while it was being started
            self._process.terminate()
        self._node.open_logs.add(launch.log)
        self._running(self._process, launch)
        with self._probing(self._process, launch):
            code = await self._process.wait()
        self._node.open_logs.discard(launch.log)
        self._ended(terminated(code, self._process.started, launch.container_id))
        self._process = None

    async def _prepared(self) -> Launch | None:
        while not self._stopping.is_set():
            try:
                return await self._launch()
            except PodConfigError as error:
                self._waiting("CreateContainerConfigError", str(error))
            await self._pause(_CONFIG_RETRY_SECONDS)
        return None

    async def _launch(self) -> Launch:
        if not self._container.get("command"):
            raise PodConfigError("the sandbox pulls no image, so a container must name its command")
        self._volumes.mount(self._container, self._root)
        environment = base_environment(self._root) | dict(self._node.pod_environment)
        environment["FIRELIFT_HEALTH_HOST"] = pod_address(self._pod)  # all pods share the machine's network
        environment["KUBECONFIG"] = service_account_kubeconfig(
            self._node.server, self._pod, self._container, self._root
        )
        environment |= await container_environment(self._pod, self._container, self._references, self._node.allocatable)
        self.state.image_id = await asyncio.to_thread(image_id)
        words = [*self._container["command"], *self._container.get("args", [])]
        return Launch(
            container_id=f"process://{uuid.uuid4().hex}",
            command=[expand(word, environment) for word in words],
            environment=environment,
            directory=below(self._root, self._container.get("workingDir", "/")),
            log=self._logs / f"{self.state.restarts}.log",
        )

    def _running(self, process: ContainerProcess, launch: Launch) -> None:
        self.state.container_id = launch.container_id
        self.state.state = {"running": {"startedAt": process.started}}
        self.state.ready = "readinessProbe" not in self._container
        self._changed()

    def _waiting(self, reason: str, message: str) -> None:
        self.state.state = {"waiting": {"reason": reason, "message": message}}
        self._changed()

    def _ended(self, state: Json) -> None:
        self.state.state = state
        self.state.ready = False
        self._changed()

    async def _back_off(self, seconds: float) -> None:
        ended = self.state.state
        self.state.last_state = ended
        self._waiting("CrashLoopBackOff", f"back-off {seconds:g}s restarting failed container {self.state.name}")
        await self._pause(seconds)
        if self._stopping.is_set():
            self._ended(ended)
        else:
            self.state.restarts += 1

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    @contextlib.contextmanager
    def _probing(self, process: ContainerProcess, launch: Launch) -> Iterator[None]:
        prober = Prober(self._container, pod_address(self._pod), launch.environment, launch.directory)
        tasks = []
        if probe := self._container.get("readinessProbe"):
            tasks.append(asyncio.create_task(self._follow_readiness(prober, probe)))
        if probe := self._container.get("livenessProbe"):
            tasks.append(asyncio.create_task(self._follow_liveness(prober, probe, process)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _follow_readiness(self, prober: Prober, probe: Json) -> None:
        async for ready in prober.verdicts(probe):
            self.state.ready = ready
            self._changed()

    async def _follow_liveness(self, prober: Prober, probe: Json, process: ContainerProcess) -> None:
        async for alive in prober.verdicts(probe):
            if not alive:
                process.terminate()
                await asyncio.sleep(self._pod["spec"].get("terminationGracePeriodSeconds", 30))
                process.kill()


def log_folder(directory: Path, pod: Json, container: str) -> Path:
    """Return the folder of a container's logs, one file per start, numbered from 0."""
    metadata = pod["metadata"]
    return directory / "logs" / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}" / container
