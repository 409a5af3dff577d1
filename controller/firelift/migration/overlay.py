"""Fields of which some are changed: what that costs goes with what is changed, not with the size of the document."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView

from firelift.migration.store import Fields, Value


class Overlay(Mapping[str, Value]):
    """Other fields, unharmed, under some changes; None is the absence of a field.

    A stored field becomes a Python object when it is looked at, which takes about a microsecond. A transform touches
    a few fields of many, and most of the others are never looked at.
    """

    __slots__ = ("base", "changes")

    def __init__(self, base: Fields, changes: dict[str, Value | None]) -> None:
        """`base` is no overlay itself; see `over`."""
        self.base = base
        self.changes = changes

    def __getitem__(self, name: str) -> Value:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Value | None = None) -> Value | None:
        """As for any mapping; spelt out, because the inherited one raises and catches for each absent name."""
        if name in self.changes:
            value = self.changes[name]
            return default if value is None else value
        return self.base.get(name, default)

    def __contains__(self, name: object) -> bool:
        if name in self.changes:
            return self.changes[name] is not None
        return name in self.base

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self.base if name not in self.changes)
        yield from (name for name, value in self.changes.items() if value is not None)

    def items(self) -> ItemsView[str, Value]:
        """As for any mapping, without asking for each name again."""
        return self._all().items()

    def values(self) -> ValuesView[Value]:
        """As `items`."""
        return self._all().values()

    def _all(self) -> dict[str, Value]:
        found = dict(self.base.items())
        for name, value in self.changes.items():
            found.pop(name, None)
            if value is not None:
                found[name] = value
        return found

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def over(fields: Fields, changes: Mapping[str, Value | None]) -> Overlay:
    """The fields with some changed; neither they nor the changes are changed by it."""
    if isinstance(fields, Overlay):
        return Overlay(fields.base, {**fields.changes, **changes})
    return Overlay(fields, dict(changes))
