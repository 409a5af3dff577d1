"""A transform touches what it names, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from tests.moving import KIT, transform
from tests.property.moved_documents import FIELDS, TOUCHED, TRANSFORMS

from firelift.migration.fields import changed_paths
from firelift.migration.imaged import Imager
from firelift.migration.store import Document, Fields, Update
from firelift.migration.transform.transform import Result
from firelift.stores.memory.masks import merge


@given(FIELDS, TRANSFORMS)
def test_other_fields_pass_byte_for_byte(fields: Fields, declared: dict[str, Any]) -> None:
    source = Document("fitness_logs/1", {**fields, "userId": KIT.encode("u")}, 1, 1, 2)
    before = {name: KIT.dumps(value) for name, value in source.fields.items()}
    outcome = transform(transform=declared).attempt(source)
    assert {name: KIT.dumps(value) for name, value in source.fields.items()} == before
    if isinstance(outcome, Result):
        kept = {name: value for name, value in source.fields.items() if name not in TOUCHED}
        assert kept.items() <= {name: outcome.fields[name] for name in kept}.items()
        assert all(outcome.fields[name] is value for name, value in kept.items())


@given(FIELDS, FIELDS)
def test_a_masked_update_makes_exactly_the_wanted_document_and_its_image_makes_the_old_one(
    before: Fields, wanted: Fields
) -> None:
    imaged = Imager(KIT).change(Document("c/1", before, 1, 1, 2), wanted)
    if imaged is None:
        assert not list(changed_paths(KIT, before, wanted))
        return
    assert isinstance(imaged.write, Update)
    after = merge(before, imaged.write.fields, imaged.write.mask)
    assert packed(after) == packed(wanted)
    restored = after
    for path, value in imaged.image.before.items():
        one = nested(path, value) if value is not None else {}
        restored = merge(restored, one, [path])
    assert packed(restored) == packed(before)


def packed(fields: Fields) -> dict[str, bytes]:
    return {name: KIT.dumps(value) for name, value in fields.items()}


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path[1:]):
        value = KIT.new_map({name: value})
    return {path[0]: value}
