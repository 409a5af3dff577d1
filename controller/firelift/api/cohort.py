r"""Who moves when: a stable, nested hash that every app platform can compute.

The bucket of an entity is the first 8 bytes, big-endian, of ``SHA-256(seed + "\0" + entity)``, modulo 10,000.
A cohort of P percent is the buckets below ``P * 100``, so 1 % is part of 10 %, which is part of 50 %.

Test vectors (seed ``productivity.users-to-subcollections``) stand in ``docs/cohorts.md`` and in the tests.
"""

from __future__ import annotations

import hashlib

from firelift.api.base import Model
from firelift.api.where import WhereCondition

BUCKETS = 10_000
BUCKETS_PER_PERCENT = BUCKETS // 100


def bucket(seed: str, entity: str) -> int:
    """The bucket of an entity: 0 to 9,999."""
    digest = hashlib.sha256(f"{seed}\0{entity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def entity_text(value: object) -> str | None:
    """The text that is hashed for an entity key: a string as it is, an integer in decimal, None when absent.

    Raises:
        TypeError: for any other type; such a record is a dead letter, because its cohort would be a guess.
    """
    match value:
        case None:
            return None
        case bool():
            raise TypeError("an entity key must be a string or an integer, found a boolean")
        case str() | int():
            return str(value)
        case _:
            raise TypeError(f"an entity key must be a string or an integer, found {type(value).__name__}")


class Selection(Model):
    """The entities of one run: a half-open range of buckets and named ones, less those that others own.

    `from_bucket` <= bucket < `to_bucket`, or in `ids`; never in `except_ids`. With `to_bucket` at 10,000 records
    without an entity are part of it too. Of these only the ones for which all of `where` holds: as their documents in
    the entity collection say, or the records themselves where a migration has none.
    """

    from_bucket: int = 0
    to_bucket: int = 0
    ids: tuple[str, ...] = ()
    except_ids: tuple[str, ...] = ()
    where: tuple[WhereCondition, ...] = ()

    @property
    def everybody(self) -> bool:
        """Whether it leaves nobody out, so that nothing has to be hashed to tell."""
        return self.from_bucket <= 0 and self.to_bucket >= BUCKETS and not self.except_ids

    def covers(self, seed: str, entity: str | None) -> bool:
        """Whether a record of this entity (None: it has none) belongs to the run, as far as `where` lets it."""
        if entity is None:
            return self.to_bucket == BUCKETS
        if entity in self.ids:
            return True
        if entity in self.except_ids:
            return False
        return self.from_bucket <= bucket(seed, entity) < self.to_bucket
