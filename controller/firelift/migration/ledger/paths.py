"""Where everything of a ledger is kept.

``_firelift/{ledger}`` is the root; below it lie the sub-collections `RUNS`, `JOURNAL`, `DEAD_LETTERS` and `ENTITIES`.
Their names are of Firelift's own, because index exemptions and TTLs apply to a whole collection group. Locks lie beside
the ledgers, as all of them share them.
"""

from __future__ import annotations

import hashlib

RUNS = "firelift_runs"
JOURNAL = "firelift_journal"
DEAD_LETTERS = "firelift_deadletters"
ENTITIES = "firelift_entities"
COLLECTIONS = (RUNS, JOURNAL, DEAD_LETTERS, ENTITIES)


def root(ledger: str) -> str:
    """The ledger's root document."""
    return f"_firelift/{ledger}"


def of_ledgers(path: str) -> bool:
    """Whether a document is some ledger's."""
    return path.startswith("_firelift/")


def collection(ledger: str, name: str) -> str:
    """One of `COLLECTIONS` of a ledger."""
    return f"{root(ledger)}/{name}"


def run(ledger: str, run_id: str) -> str:
    """A run's document: its plan and its control."""
    return f"{collection(ledger, RUNS)}/{run_id}"


def lane_map(ledger: str, run_id: str) -> str:
    """The document with the lanes of a run."""
    return f"{run(ledger, run_id)}.lanes"


def failure(ledger: str, run_id: str, index: int) -> str:
    """The document in which a worker says why it gave up."""
    return f"{run(ledger, run_id)}.failure.{index}"


def report(ledger: str, run_id: str) -> str:
    """The document in which a plan run says what it found."""
    return f"{run(ledger, run_id)}.report"


def example(ledger: str, run_id: str, record: str) -> str:
    """A document with a record before and after, as a dry run keeps them: one per run and record."""
    digest = hashlib.blake2b(record.encode(), digest_size=12).hexdigest()
    return f"{run(ledger, run_id)}.example.{digest}"


def listing(ledger: str, name: str) -> str:
    """The document that says which parts a list of entities has."""
    return f"{collection(ledger, ENTITIES)}/{name}"


def listing_claim(ledger: str, name: str) -> str:
    """The document of whoever is making a list of entities."""
    return f"{listing(ledger, name)}.claim"


def listing_part(ledger: str, name: str, nonce: str, number: int) -> str:
    """A part of a list of entities, from 0; `nonce` is its maker's."""
    return f"{listing(ledger, name)}.{nonce}.p{number:05d}"


def entry(ledger: str, run_id: str, lane: int, seq: int) -> str:
    """A journal entry. The hash in front spreads the lanes over the key range, so that none is a hot spot."""
    spread = hashlib.blake2b(f"{run_id}\0{lane}".encode(), digest_size=2).hexdigest()
    return f"{collection(ledger, JOURNAL)}/{spread}.{run_id}.{lane:04d}.{seq:010d}"


def part(entry_path: str, number: int) -> str:
    """A document with more of an entry's images, from 1."""
    return f"{entry_path}.p{number:02d}"


def dead_letter(ledger: str, run_id: str, record: str, apart: int = 0) -> str:
    """A dead letter: one per run and record, however often it is met; those of one record are told `apart`."""
    key = f"{record}\0{apart}" if apart else record
    digest = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    return f"{collection(ledger, DEAD_LETTERS)}/{run_id}.{digest}"


def lock(group: str) -> str:
    """The lock of a collection group."""
    return f"firelift_locks/{group}"


def budget() -> str:
    """The write budget of the database, which all ledgers in it share."""
    return "firelift_pace/budget"
