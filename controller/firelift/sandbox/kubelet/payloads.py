"""What the files of a volume contain, by its kind."""

from collections.abc import Mapping
from typing import NamedTuple

from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.downward import field_value, resource_value
from firelift.sandbox.kubelet.references import Kind, PodConfigError, References
from firelift.sandbox.kubelet.tokens import Tokens

_DEFAULT_MODE = 0o644
_TOKEN_MODE = 0o600


class File(NamedTuple):
    """One file of a volume."""

    content: bytes
    mode: int


Payload = dict[str, File]


class Payloads:
    """Reads the payload of each volume of one pod."""

    def __init__(self, pod: Json, references: References, tokens: Tokens, allocatable: Mapping[str, str]) -> None:
        """Read on behalf of `pod`; `allocatable` stands for limits that it does not set."""
        self._pod = pod
        self._references = references
        self._tokens = tokens
        self._allocatable = allocatable

    async def read(self, volume: Json) -> Payload | None:
        """Return the files of a volume by their path in it; None for a folder that belongs to the containers.

        Raises:
            PodConfigError: something it refers to is missing, or it is of a kind the sandbox does not have.
        """
        match volume:
            case {"emptyDir": _}:
                return None
            case {"configMap": source}:
                return await self._object("ConfigMap", source, source.get("defaultMode", _DEFAULT_MODE))
            case {"secret": source}:
                return await self._object("Secret", source, source.get("defaultMode", _DEFAULT_MODE))
            case {"downwardAPI": source}:
                return self._downward(source, source.get("defaultMode", _DEFAULT_MODE))
            case {"projected": source}:
                return await self._projected(source)
        kinds = ", ".join(key for key in volume if key != "name")
        raise PodConfigError(f'volume "{volume["name"]}": the sandbox has no volumes of kind {kinds}')

    async def _projected(self, source: Json) -> Payload:
        mode = source.get("defaultMode", _DEFAULT_MODE)
        payload: Payload = {}
        for each in source.get("sources", []):
            match each:
                case {"configMap": part}:
                    payload |= await self._object("ConfigMap", part, mode)
                case {"secret": part}:
                    payload |= await self._object("Secret", part, mode)
                case {"downwardAPI": part}:
                    payload |= self._downward(part, mode)
                case {"serviceAccountToken": part}:
                    payload[part["path"]] = File((await self._tokens.token(part)).encode(), _TOKEN_MODE)
                case other:
                    raise PodConfigError(f"the sandbox cannot project {', '.join(other)}")
        return payload

    async def _object(self, kind: Kind, source: Json, mode: int) -> Payload:
        data = await self._references.data(kind, source)
        if "items" not in source:
            return {key: File(value, mode) for key, value in data.items()}
        missing = [item["key"] for item in source["items"] if item["key"] not in data]
        if missing and not source.get("optional"):
            name = source.get("name") or source.get("secretName")
            raise PodConfigError(f'{kind} "{name}" has no key "{missing[0]}"')
        chosen = [item for item in source["items"] if item["key"] in data]
        return {item["path"]: File(data[item["key"]], item.get("mode", mode)) for item in chosen}

    def _downward(self, source: Json, mode: int) -> Payload:
        return {item["path"]: File(self._item(item).encode(), item.get("mode", mode)) for item in source["items"]}

    def _item(self, item: Json) -> str:
        if reference := item.get("resourceFieldRef"):
            return resource_value(self._pod, reference, "", self._allocatable)
        return field_value(self._pod, item["fieldRef"]["fieldPath"])
