"""What a spec names elsewhere in its namespace, to be read before it can be rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from firelift.api.digest import digest
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.unusable import Missing

_SHOWN = 5


class Holder(StrEnum):
    """A kind of object that holds values under keys."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One key of one object, and the field of the spec that names it."""

    holder: Holder
    name: str
    key: str
    field: str

    def __str__(self) -> str:
        return f"key {self.key} of {self.holder} {self.name} (`{self.field}`)"


Read: TypeAlias = Mapping[Reference, str]
"""The value of each reference that was found."""


def references(spec: EnvironmentSpec) -> tuple[Reference, ...]:
    """Everything that the spec names, each once, in one order."""
    return tuple(sorted(_named(spec)))


def check(spec: EnvironmentSpec, read: Read) -> None:
    """Say what is not there.

    Raises:
        Missing: of something that the spec names, no value was found.
    """
    absent = [str(each) for each in references(spec) if each not in read]
    if absent:
        more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        raise Missing(f"not found: {', '.join(absent[:_SHOWN])}{more}; it is planned as soon as they are there")


def said(read: Read) -> dict[str, str]:
    """The digest of what is in ConfigMaps, by what names it. Values of Secrets are to be replaced without a word."""
    return {str(each): digest(text) for each, text in read.items() if each.holder is Holder.CONFIG_MAP}


def of_indexes(spec: EnvironmentSpec) -> Reference | None:
    """Where the file of indexes is."""
    file = spec.indexes.from_config_map
    return Reference(Holder.CONFIG_MAP, file.name, file.key, "indexes.fromConfigMap") if file else None


def of_rules(spec: EnvironmentSpec) -> Reference | None:
    """Where the source of the security rules is."""
    file = spec.security_rules.from_config_map if spec.security_rules else None
    return Reference(Holder.CONFIG_MAP, file.name, file.key, "rules.fromConfigMap") if file else None


def of_secrets(spec: EnvironmentSpec) -> dict[str, Reference]:
    """Where the values of secrets are, by their ids."""
    return {
        key: Reference(Holder.SECRET, secret.value_from.name, secret.value_from.key, f"secrets.{key}")
        for key, secret in spec.secrets.items()
        if secret.value_from
    }


def of_channels(spec: EnvironmentSpec) -> dict[str, dict[str, Reference]]:
    """Where the secret labels of channels are, by the channel's key and the label."""
    return {
        key: {
            label: Reference(Holder.SECRET, each.name, each.key, f"observability.channels.{key}.secretLabels.{label}")
            for label, each in channel.secret_labels.items()
        }
        for key, channel in spec.observability.channels.items()
        if channel.secret_labels
    }


def _named(spec: EnvironmentSpec) -> Iterator[Reference]:
    yield from (each for each in (of_indexes(spec), of_rules(spec)) if each)
    yield from of_secrets(spec).values()
    for labels in of_channels(spec).values():
        yield from labels.values()
