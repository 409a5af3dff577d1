"""The design's rules as facts about the whole database, recomputed from its versions and from the journal."""

from collections import Counter, defaultdict
from itertools import pairwise

from tests.property.ledger_world import Pass, World, is_poison
from tests.simple_work import LEDGER, SOURCE, TARGET

from firelift.api.run import Totals
from firelift.migration.image import Image, Operation, value_hash
from firelift.migration.ledger.entries import Entry, read_entry, read_images
from firelift.migration.store import Document, Fields, Micros, Value
from firelift.stores.memory.writes import Version

JOURNAL = f"_firelift/{LEDGER}/firelift_journal/"


def check(world: World) -> None:
    """All invariants that hold at any moment."""
    lanes = journal(world)
    for entries in lanes.values():
        entries_chain(entries)
        totals_add_up(entries)
    every_change_has_one_image_that_tells_it(world, lanes)
    each_pass_changes_a_document_once(world, lanes)
    no_write_of_the_app_is_lost(world)
    no_copy_is_stale(world)
    for done in world.passes:
        if done.complete:
            a_complete_pass_has_left_nothing_out(world, lanes, done)


Lanes = dict[tuple[str, int], list[Entry]]


def journal(world: World) -> Lanes:
    """All entries with their images, by run and lane in the order of their numbers."""
    kit = world.store.values
    lanes: Lanes = defaultdict(list)
    for path, fields in sorted(world.store.snapshot().items()):
        if path.startswith(JOURNAL):
            version = world.store.history(path)[-1]
            document = Document(path, fields, version.create_time, version.update_time, version.update_time)
            entry, parts = read_entry(kit, document)
            assert parts == 0
            images = read_images(kit, [fields["images"]])
            assert len(images) == entry.image_count
            assert len(world.store.history(path)) == 1, "an entry is never changed"
            lanes[entry.run, entry.lane].append(_with(entry, images))
    return lanes


def _with(entry: Entry, images: tuple[Image, ...]) -> Entry:
    return Entry(**{name: getattr(entry, name) for name in Entry.__slots__} | {"images": images})


def entries_chain(entries: list[Entry]) -> None:
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1)), "numbers without gaps"
    assert not any(entry.sealed for entry in entries[:-1]), "nothing comes after a seal"
    for one, other in pairwise(entries):
        assert other.start == one.end, "each entry begins where its predecessor ended"


def totals_add_up(entries: list[Entry]) -> None:
    images = Counter(image.operation for entry in entries for image in entry.images or ())
    totals = entries[-1].totals if entries else Totals()
    assert totals.created == images[Operation.CREATE]
    assert totals.updated == images[Operation.UPDATE]
    left_alone = totals.skipped + totals.unchanged + totals.dead_letters + totals.kept
    assert totals.read == left_alone + totals.written, "read is the sum of outcomes"


def every_change_has_one_image_that_tells_it(world: World, lanes: Lanes) -> None:
    told = Counter(
        (image.path, entry.commit_time)
        for entries in lanes.values()
        for entry in entries
        for image in entry.images or ()
    )
    assert all(count == 1 for count in told.values())
    assert set(told) == set(_own_versions(world)), "what we changed and what the journal says are the same"
    for entries in lanes.values():
        for entry in entries:
            for image in entry.images or ():
                _image_is_true(world, entry.commit_time, image)


def _own_versions(world: World) -> list[tuple[str, Micros]]:
    return [
        (path, version.update_time)
        for path in world.store._history  # noqa: SLF001 - deleted documents are in no snapshot
        if path.startswith((f"{SOURCE}/", f"{TARGET}/"))
        for version in world.store.history(path)
        if version.update_time not in world.app_times
    ]


def _image_is_true(world: World, time: Micros, image: Image) -> None:
    kit = world.store.values
    versions = world.store.history(image.path)
    after = next(version for version in versions if version.update_time == time)
    before = next((version for version in reversed(versions) if version.update_time < time), None)
    if image.operation is Operation.CREATE:
        assert before is None or before.fields is None
    else:
        assert before is not None
        assert (image.create_time, image.update_time) == (before.create_time, before.update_time)
        assert all(_dumps(world, _at(before, path)) == _dumps(world, value) for path, value in image.before.items())
    for path, digest in image.after.items():
        value = _at(after, path)
        assert digest == (None if value is None else value_hash(kit, value))


def _at(version: Version, path: tuple[str, ...]) -> Value | None:
    return (version.fields or {}).get(path[0])


def _dumps(world: World, value: Value | None) -> bytes | None:
    return None if value is None else world.store.values.dumps(value)


def each_pass_changes_a_document_once(world: World, lanes: Lanes) -> None:
    for each in world.passes:
        assert all(count == 1 for count in _changes(lanes, each).values()), "once, over all attempts of a pass"


def _changes(lanes: Lanes, each: Pass) -> Counter[str]:
    runs = {run.id for run in each.runs}
    chosen = (entry for (run, _), entries in lanes.items() if run in runs for entry in entries)
    return Counter(image.path for entry in chosen for image in entry.images or ())


def no_write_of_the_app_is_lost(world: World) -> None:
    there = {path: fields for path, fields in world.store.snapshot().items() if path.startswith(f"{SOURCE}/")}
    decode = world.store.values.decode
    assert {path: decode(fields["app"]) for path, fields in there.items()} == world.app


def no_copy_is_stale(world: World) -> None:
    for path, time in _own_versions(world):
        if path.startswith(f"{TARGET}/"):
            copy = next(version for version in world.store.history(path) if version.update_time == time)
            source = _alive_at(world, path.replace(TARGET, SOURCE), time)
            assert source is not None, "what was deleted is not brought back"
            assert _map(world, copy.fields) == _map(world, source.fields), "a copy is what its source was then"


def _alive_at(world: World, path: str, time: Micros) -> Version | None:
    versions = [version for version in world.store.history(path) if version.update_time <= time]
    return versions[-1] if versions and versions[-1].fields is not None else None


def _map(world: World, fields: Fields | None) -> bytes:
    return world.store.values.dumps(world.store.values.new_map(fields or {}))


def a_complete_pass_has_left_nothing_out(world: World, lanes: Lanes, done: Pass) -> None:
    changes = _changes(lanes, done)
    for path in world.store._history:  # noqa: SLF001 - as above
        if not path.startswith(f"{SOURCE}/") or not _lived_through(world, path, done):
            continue
        if is_poison(path):
            assert _is_dead_letter(world, done, path), "what the database refuses is a dead letter"
        elif done.copy:
            assert world.store.history(path.replace(SOURCE, TARGET)), "each document has its copy"
        else:
            assert changes[path] == 1, "each document was changed"


def _lived_through(world: World, path: str, done: Pass) -> bool:
    at_start, at_end = _alive_at(world, path, done.began), _alive_at(world, path, done.ended)
    return at_start is not None and at_end is not None and at_start.create_time == at_end.create_time


def _is_dead_letter(world: World, done: Pass, path: str) -> bool:
    prefixes = tuple(f"_firelift/{LEDGER}/firelift_deadletters/{run.id}." for run in done.runs)
    decode = world.store.values.decode
    letters = (fields for name, fields in world.store.snapshot().items() if name.startswith(prefixes))
    return any(decode(letter["path"]) == path for letter in letters) or _was_copied_before(world, path)


def _was_copied_before(world: World, path: str) -> bool:
    return bool(world.store.history(path.replace(SOURCE, TARGET)))
