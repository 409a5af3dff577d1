"""What a Commit has on the wire is what was to be written, in its order, whichever way its bytes were made."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.strict.wire import write_of

from firelift.migration.overlay import Overlay
from firelift.migration.store import Create, Delete, Fields, Put, Update, Verify, Write
from firelift.stores.firestore.commits import commit_request
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.proto import CommitRequest, Document
from firelift.stores.firestore.values import FieldView, FirestoreValues, put_fields
from firelift.stores.firestore.whole import WholeFields

KIT = FirestoreValues()
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=200)
PATHS = st.builds("{}/x{}".format, NAMES.filter(lambda name: not name.startswith(("_", "."))), NAMES)
PLAIN = st.dictionaries(NAMES, st.integers(-9, 9) | st.text(max_size=300) | st.none(), max_size=20)
TIMES = st.integers(1, 4_102_444_800_000_000)


def stored(plain: dict[str, Any]) -> Fields:
    return {name: KIT.encode(value) for name, value in plain.items()}


def in_one_piece(read: dict[str, Any], changed: dict[str, Any]) -> Fields:
    """As a copy has them: a document that was read, under the changes of a transform."""
    message = Document(name="projects/p/databases/(default)/documents/a/b")
    message.update_time.seconds = 1
    put_fields(message.fields, stored(read))
    fields = KIT.whole(Overlay(FieldView(message, message.ByteSize()), dict(stored(changed))))
    assert isinstance(fields, WholeFields) or not fields
    return fields


FIELDS = st.builds(stored, PLAIN) | st.builds(in_one_piece, PLAIN, PLAIN)
MASKS = st.lists(st.tuples(NAMES), unique=True, max_size=3)
WRITES = st.one_of(
    st.builds(Create, PATHS, FIELDS),
    st.builds(Put, PATHS, FIELDS),
    st.builds(Update, PATHS, st.builds(stored, PLAIN), MASKS, st.none() | TIMES),
    st.builds(Delete, PATHS, st.none() | TIMES),
    st.builds(Verify, PATHS, st.none() | TIMES),
)


def shown(write: Write) -> tuple[Any, ...]:
    """A write without what cannot be asked of its message: an update without a time has to find the document."""
    fields = {name: KIT.dumps(value) for name, value in getattr(write, "fields", {}).items()}
    mask = [tuple(path) for path in write.mask] if isinstance(write, Update) else None
    return type(write), write.path, fields, mask, getattr(write, "update_time", None)


@given(st.lists(WRITES, max_size=8))
def test_a_commit_says_what_is_to_be_written_in_order(writes: list[Write]) -> None:
    request = CommitRequest.FromString(commit_request(DatabaseName("p"), writes))
    assert request.database == "projects/p/databases/(default)"
    assert [shown(write_of(each)) for each in request.writes] == [shown(write) for write in writes]
    for message, write in zip(request.writes, writes, strict=True):
        condition = message.current_document.WhichOneof("condition_type")
        timed = isinstance(write, Update | Delete | Verify) and write.update_time is not None
        exists = isinstance(write, Create | Update | Verify) and not timed
        assert condition == ("update_time" if timed else "exists" if exists else None)
        assert not exists or message.current_document.exists is isinstance(write, Update)


@given(PLAIN, st.sampled_from([b"\x29" + b"\xff" * 8, b"\x28\x80\x01", b"\x2a\x02hi", b"\x82\x01\x02hi"]))
def test_a_document_with_more_than_is_known_today_is_copied_field_by_field(plain: dict[str, Any], more: bytes) -> None:
    message = Document(name="a/b")
    put_fields(message.fields, stored(plain))
    message.MergeFromString(more)
    whole = KIT.whole(FieldView(message, message.ByteSize()))
    assert not isinstance(whole, WholeFields)
    assert {name: KIT.decode(value) for name, value in whole.items()} == plain
