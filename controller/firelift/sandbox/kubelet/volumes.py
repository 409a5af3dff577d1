"""The volumes of a pod as folders, and the root folder in which a container finds them."""

import shutil
import uuid
from pathlib import Path, PurePosixPath

from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.payloads import Payload, Payloads

_DATA = "..data"  # the name that the kubelet gives to the link it swaps


class Volumes:
    """Folders below `directory`, one per volume."""

    def __init__(self, pod: Json, directory: Path, payloads: Payloads) -> None:
        """Keep the pod's volumes below `directory`."""
        self._volumes: list[Json] = pod["spec"].get("volumes", [])
        self._directory = directory
        self._payloads = payloads
        self._written: dict[str, Payload] = {}

    async def publish(self) -> None:
        """Write every volume whose content has changed, each in one step.

        Raises:
            PodConfigError: something that a volume refers to is missing.
        """
        for volume in self._volumes:
            folder = self._directory / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            payload = await self._payloads.read(volume)
            if payload is not None and self._written.get(volume["name"]) != payload:
                write_payload(folder, payload)
                self._written[volume["name"]] = payload

    def mount(self, container: Json, root: Path) -> None:
        """Link each of the container's mounts to its volume, at the same path below `root`."""
        root.mkdir(parents=True, exist_ok=True)
        for mount in sorted(container.get("volumeMounts", []), key=lambda each: str(each["mountPath"])):
            source = self._directory / mount["name"] / mount.get("subPath", "")
            if mount.get("subPath") and not source.exists():
                source.mkdir(parents=True)
            place = below(root, mount["mountPath"])
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_symlink():
                place.symlink_to(source)


def below(root: Path, path: str) -> Path:
    """Return the place of an absolute path of the container below its root."""
    return root / PurePosixPath("/", path).relative_to("/")


def write_payload(folder: Path, payload: Payload) -> None:
    """Replace the content of a volume: a reader sees all of the old files or all of the new ones."""
    version = folder / f"..{uuid.uuid4().hex}"
    for path, file in payload.items():
        target = version / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    version.mkdir(exist_ok=True)
    data = folder / _DATA
    old = data.resolve() if data.is_symlink() else None
    swap = folder / f"{_DATA}_new"
    swap.symlink_to(version.name)
    swap.replace(data)
    _link_names(folder, {PurePosixPath(path).parts[0] for path in payload})
    if old is not None:
        shutil.rmtree(old)


def _link_names(folder: Path, names: set[str]) -> None:
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path(_DATA, name))
