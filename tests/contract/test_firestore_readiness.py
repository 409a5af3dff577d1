"""What serves now, read from Firestore Admin as it was made over REST."""

from __future__ import annotations

import pytest
from tests.contract.google_rest import FIELDS, GROUP, Rest

from firelift.infra.firestore_admin import DatabaseLookupError
from firelift.infra.firestore_readiness import Readiness, readiness

TTL = f"{GROUP}/fields/expireAt"


async def _read(rest: Rest, database: str = "(default)") -> Readiness:
    return await readiness("shop", database, rest.stand_in.endpoint)


async def test_a_build_is_read_with_its_beginning_and_how_far_it_is(rest: Rest) -> None:
    await rest.database()
    await rest.control("builds", {"index_seconds": 1_000, "ttl_seconds": 500, "documents": 500})
    await rest.ok("POST", f"{GROUP}/indexes", {"fields": FIELDS, "queryScope": "COLLECTION"})
    await rest.ok("PATCH", TTL, {"ttlConfig": {}}, updateMask="ttlConfig")
    await rest.control("clock", {"offset_seconds": 450})
    seen = await _read(rest)
    (index,), (ttl,) = seen.indexes, seen.ttls
    assert (index.collection, index.scope, index.state) == ("orders", "COLLECTION", "CREATING")
    assert index.fields == (("tenant", "ASCENDING"), ("placed", "DESCENDING"), ("__name__", "DESCENDING"))
    assert index.since is not None
    assert index.progress == "45%"
    assert (ttl.collection, ttl.path, ttl.state) == ("orders", "expireAt", "CREATING")
    await rest.control("clock", {"offset_seconds": 1_001})
    seen = await _read(rest)
    assert [index.state for index in seen.indexes] == ["READY"]
    assert [ttl.state for ttl in seen.ttls] == ["ACTIVE"]
    assert seen.indexes[0].progress == ""


async def test_a_vector_has_its_dimension(rest: Rest) -> None:
    await rest.database()
    fields = [FIELDS[0], {"fieldPath": "embedding", "vectorConfig": {"dimension": 768, "flat": {}}}]
    await rest.ok("POST", f"{GROUP}/indexes", {"fields": fields, "queryScope": "COLLECTION"})
    (index,) = (await _read(rest)).indexes
    assert index.fields[-1] == ("embedding", 768)


async def test_a_database_that_was_deleted_is_absent(rest: Rest) -> None:
    await rest.database("orders", deleteProtectionState="DELETE_PROTECTION_DISABLED")
    await rest.ok("DELETE", "fs/v1/projects/shop/databases/orders")
    assert await _read(rest, "orders") == Readiness(absent=True)


@pytest.mark.parametrize(
    ("code", "said"), [("PERMISSION_DENIED", "roles/datastore.viewer"), ("UNAVAILABLE", "asked again at the next turn")]
)
async def test_what_is_not_said_is_an_error_with_its_remedy(rest: Rest, code: str, said: str) -> None:
    await rest.control("faults", {"api": "firestore", "method": "ListIndexes", "code": code})
    with pytest.raises(DatabaseLookupError, match=said) as caught:
        await _read(rest)
    assert "projects/shop/databases/(default)" in str(caught.value)
