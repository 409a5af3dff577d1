"""A pod's status, computed from the states of its containers. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.downward import ADDRESS


@dataclass(slots=True)
class ContainerState:
    """What is known about one container; `state` and `last_state` have Kubernetes' own shape."""

    name: str
    image: str
    state: Json = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Json = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    image_id: str = ""
    container_id: str = ""

    @property
    def exit_code(self) -> int | None:
        """The code of its last end, None while it waits or runs."""
        code: int | None = self.state.get("terminated", {}).get("exitCode")
        return code


def timestamp(moment: dt.datetime | None = None) -> str:
    """Return a time, or now, as Kubernetes writes it: RFC 3339 in UTC, whole seconds."""
    return (moment or dt.datetime.now(dt.UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def terminated(code: int, started: str, container_id: str, *, reason: str = "", message: str = "") -> Json:
    """Return the state of a container that has ended; `code` is asyncio's (negative: killed by that signal)."""
    ended: Json = {
        "exitCode": code if code >= 0 else 128 - code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": started,
        "finishedAt": timestamp(),
        "containerID": container_id,
    }
    if code < 0:
        ended["signal"] = -code
    return {"terminated": ended | ({"message": message} if message else {})}


def pod_phase(init: Sequence[ContainerState], main: Sequence[ContainerState], *, over: bool) -> str:
    """Return the phase; `over` says that no container will be started again."""
    if over:
        return "Succeeded" if all(each.exit_code == 0 for each in [*init, *main]) else "Failed"
    started = any("waiting" not in each.state or each.last_state for each in main)
    return "Running" if started else "Pending"


def pod_status(
    init: Sequence[ContainerState],
    main: Sequence[ContainerState],
    *,
    address: str,
    started: str,
    over: bool,
    previous: Json,
) -> Json:
    """Return the status to write, as a strategic merge patch; `previous` is what was written before it."""
    initialized = all(each.exit_code == 0 for each in init)
    ready = not over and all(each.ready for each in main)
    phase = pod_phase(init, main, over=over)
    unready = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
    since = {each["type"]: each for each in previous.get("conditions", [])}
    return {
        "phase": phase,
        "startTime": started,
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [
            _condition("Initialized", holds=initialized, reason="ContainersNotInitialized", before=since),
            _condition("Ready", holds=ready, reason=unready, before=since),
            _condition("ContainersReady", holds=ready, reason=unready, before=since),
        ],
        **({"initContainerStatuses": [_container_status(each) for each in init]} if init else {}),
        "containerStatuses": [_container_status(each) for each in main],
    }


def _condition(kind: str, *, holds: bool, reason: str, before: Mapping[str, Json]) -> Json:
    status = "True" if holds else "False"
    old = before.get(kind, {})
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == status else timestamp(),
        "reason": None if holds else reason,  # a strategic merge patch removes what is null
    }


def _container_status(container: ContainerState) -> Json:
    return {
        "name": container.name,
        "image": container.image,
        "imageID": container.image_id,
        "containerID": container.container_id,
        "restartCount": container.restarts,
        "ready": container.ready,
        "started": "running" in container.state,
        "state": container.state,
        "lastState": container.last_state,
    }
