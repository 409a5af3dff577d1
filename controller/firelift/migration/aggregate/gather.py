"""The documents of entities in their groups, read once, of which no more is held than a worker has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from firelift.migration.aggregate.groups import Aggregation, Group
from firelift.migration.aggregate.history import EntityHistory
from firelift.migration.aggregate.members import Members
from firelift.migration.entities.reader import ByKey
from firelift.migration.entities.whose import Whose
from firelift.migration.path_order import order
from firelift.migration.readers import PAGE
from firelift.migration.refusal import Refused
from firelift.migration.store import Document

HELD_BYTES = 16 * 2**20
"""Of the groups that one lane holds at once. A worker has four lanes, and 256 MiB by default."""

Keep = Callable[[str], bool]


@dataclass(slots=True)
class Gathered:
    """Groups that grow document by document, of the targets that `keep` chooses."""

    aggregation: Aggregation
    keep: Keep
    groups: dict[tuple[str, str], Members] = field(default_factory=dict)
    faults: dict[str, list[Group]] = field(default_factory=dict)
    held: int = 0
    scanned: int = 0

    def add(self, entity: str, document: Document) -> None:
        """Take a document in; they come in the order of their paths."""
        try:
            target = self.aggregation.target(entity, document)
        except Refused as refused:
            if self.keep(document.path):
                self.faults.setdefault(entity, []).append(Group(entity, document.path, fault=refused))
            return
        if target is None or not self.keep(target):
            return
        members = self.groups.get((entity, target))
        if members is None:
            members, more = self.aggregation.members()
            self.groups[entity, target] = members
            self.held += more
        self.held += self.aggregation.take_in(members, entity, document)

    def of(self, entities: Iterable[str]) -> dict[str, list[Group]]:
        """The groups of some entities, each of them there."""
        found = {entity: list(self.faults.get(entity, ())) for entity in entities}
        for (entity, target), members in self.groups.items():
            found[entity].append(Group(entity, target, members))
        return found

    def too_large(self, entity: str) -> Group:
        """What there is instead of an entity that has more than can be held."""
        spec, documents = self.aggregation.spec, sum(members.count for members in self.groups.values())
        remedy = (
            "use `set` instead of `python`, which holds no documents" if spec.python else "use keys of fewer values"
        )
        reason = (
            f"the first {documents:,} documents of entity {entity}, in {len(self.groups):,} groups, need more than the "
            f"{HELD_BYTES // 2**20} MiB that a lane may hold, so nothing of this entity is written: {remedy}, or leave "
            "documents out by appliesWhen"
        )
        fault = Refused("target.aggregate", reason)
        return Group(entity, spec.document.replace("{entity}", entity), fault=fault, oversized=True)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads the groups of entities. `history` adds those that have no documents any more, where they matter."""

    records: ByKey
    whose: Whose
    aggregation: Aggregation
    history: EntityHistory | None

    async def some(self, entities: Sequence[str]) -> tuple[dict[str, list[Group]], int]:
        """The groups of the first of these entities, as many as can be held, and how many documents were read."""
        while True:
            gathered, whole = await self._read(entities, lambda _: True)
            if whole:
                found = gathered.of(entities).items()
                return {entity: await self._with_emptied(entity, made) for entity, made in found}, gathered.scanned
            if len(entities) == 1:
                return {entities[0]: [gathered.too_large(entities[0])]}, gathered.scanned
            entities = entities[: len(entities) // 2]

    async def again(self, groups: Sequence[Group]) -> list[Group]:
        """The same groups with their documents as they are now."""
        wanted: dict[str, set[str]] = {}
        for group in groups:
            if not group.oversized:
                wanted.setdefault(group.entity, set()).add(group.target)
        found = {entity: await self._anew(entity, targets) for entity, targets in wanted.items()}
        return [
            group if group.oversized else found[group.entity].get(group.target, Group(group.entity, group.target))
            for group in groups
        ]

    async def _anew(self, entity: str, targets: set[str]) -> Mapping[str, Group]:
        gathered, whole = await self._read([entity], targets.__contains__)
        if whole:
            return {group.target: group for group in gathered.of([entity])[entity]}
        fault = gathered.too_large(entity).fault
        return {target: Group(entity, target, fault=fault) for target in targets}

    async def _read(self, entities: Sequence[str], keep: Keep) -> tuple[Gathered, bool]:
        """The groups of all these entities; False where they are more than can be held, and not all were read."""
        gathered, key, after = Gathered(self.aggregation, keep), self.whose.key or (), None
        mask = self.aggregation.mask
        named = None if mask is None else tuple(dict.fromkeys((*mask, key[:1])))
        while True:
            page = await self.records.page(entities, after, PAGE, named)
            gathered.scanned += len(page.documents)
            for document in page.documents:
                entity = self.whose.entity(document)
                if entity is not None and entity in entities:
                    gathered.add(entity, document)
            if gathered.held > HELD_BYTES:
                return gathered, False
            if page.exhausted or not page.documents:
                return gathered, True
            after = page.documents[-1].path

    async def _with_emptied(self, entity: str, made: list[Group]) -> list[Group]:
        """The groups of an entity in the order of their targets, those that were and are empty now among them."""
        if self.history is not None:
            there = {group.target for group in made}
            written = (await self.history.of(entity)).items()
            made = [*made, *(Group(entity, each) for each, ours in written if each not in there and not ours.gone)]
        return sorted(made, key=lambda group: order(group.target))
