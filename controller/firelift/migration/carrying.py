"""Renamed fields on the way back: the app's value under the old name, also out of a map that the migration made.

Such a map is one path of the image, so that taking it back untouched leaves no empty map behind. Once the app has
written into it, it is taken apart: by the renames that lead into it, and by the hashes of all else that we put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from firelift.migration import fields as paths
from firelift.migration.fields import lies_inside, overlap
from firelift.migration.image import Image, value_hash
from firelift.migration.store import FieldPath, Fields, Value, ValueKit

Rename = tuple[FieldPath, FieldPath]


def carried_back(kit: ValueKit, fields: Fields, rename: Rename, ours: Value | None) -> Fields | None:
    """The app's value under the old name: what it wrote since belongs to the same field.

    Where it has written the old name too, the new one goes if nothing is lost with it: it says the same, or is still
    `ours`. None where both are the app's, and differ.
    """
    old, new = rename
    value, there = paths.get(kit, fields, new), paths.get(kit, fields, old)
    if value is None:
        return fields
    if there is None:
        return paths.remove(kit, paths.put(kit, fields, old, value), new)
    lossless = paths.equal(kit, value, there) or paths.equal(kit, value, ours)
    return paths.remove(kit, fields, new) if lossless else None


def made_map(
    image: Image, group: Sequence[FieldPath], renames: Iterable[Rename]
) -> tuple[FieldPath, list[Rename]] | None:
    """The map that we made, when a group is just that and the old names of fields that were renamed into it."""
    made = [path for path in group if image.before[path] is None and _inner(image, path)]
    if len(made) != 1:
        return None
    inside = [(old, new) for old, new in renames if old in group and lies_inside(new, made[0])]
    gone = {old for old, _ in inside if image.after[old] is None}
    return (made[0], inside) if inside and gone == set(group) - set(made) else None


def taken_apart(
    kit: ValueKit, image: Image, made: FieldPath, renames: Sequence[Rename], fields: Fields
) -> Fields | None:
    """The fields without what we put into the map; what the app has there stays. None where it has changed ours."""
    current = paths.get(kit, fields, made)
    if current is not None and not kit.is_map(current):
        return None
    for old, new in renames:
        carried = carried_back(kit, fields, (old, new), image.before[old])
        if carried is None:
            return None
        fields = carried
    news = [new for _, new in renames]
    leaves = [path for path in _inner(image, made) if not any(overlap(path, new) for new in news)]
    for path in leaves:
        value = paths.get(kit, fields, path)
        if value is not None and value_hash(kit, value) != image.after[path]:
            return None
        fields = paths.remove(kit, fields, path)
    return _without_empty(kit, fields, made, [*news, *leaves])


def _inner(image: Image, made: FieldPath) -> list[FieldPath]:
    """The paths inside a new map that the image has hashes of; none where it was too large for that."""
    return [path for path in image.after if lies_inside(path, made)]


def _without_empty(kit: ValueKit, fields: Fields, made: FieldPath, ours: Iterable[FieldPath]) -> Fields:
    """Without the maps that held nothing but ours, the innermost first."""
    around = {path[:end] for path in ours for end in range(len(made), len(path))}
    for path in sorted(around, key=len, reverse=True):
        value = paths.get(kit, fields, path)
        if value is not None and kit.is_map(value) and not kit.entries(value):
            fields = paths.remove(kit, fields, path)
    return fields
