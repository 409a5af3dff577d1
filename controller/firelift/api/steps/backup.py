"""The verb `backup`: a copy of the data that is known to be there before anything changes it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules

MOST_COLLECTIONS = 32

_BUCKET = r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
_FOLDER = r"(/[A-Za-z0-9][A-Za-z0-9._=-]*)"
BucketUri = Annotated[str, Field(min_length=8, max_length=512, pattern=f"^{_BUCKET}{_FOLDER}*$")]
"""A bucket of Cloud Storage, or a folder in one: ``gs://shop-backups/firestore``."""
ExportUri = Annotated[str, Field(min_length=10, max_length=1024, pattern=f"^{_BUCKET}{_FOLDER}+$")]
"""Where an export lies: the `outputUriPrefix` that its operation answered with."""
CollectionId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^/]+$")]
Collections = Annotated[tuple[CollectionId, ...], Field(max_length=MOST_COLLECTIONS), AS_SET]
"""Collection groups by their ids."""
MaxAge = Annotated[int, Field(ge=60, le=31_536_000)]
MinBytes = Annotated[int, Field(ge=0, le=1_000_000_000_000_000)]


class ExportSpec(Model):
    """An export of the rollout's database, made by Firestore itself."""

    bucket: BucketUri
    """Where it goes: into a folder of its own below this, named after ledger, attempt, phase and step. Firestore's
    service agent writes it, and needs the right to."""
    collections: Collections = ()
    """Collection groups. Empty: the whole database, Firelift's ledgers included. Name them for an export that a
    `restore` step imports."""
    consistent: bool = False
    """All documents as they were at one moment: the last whole minute before the step began. False: each as it is when
    it is read."""


class BackupStep(RuledModel):
    """Make an export, or look for a backup or an export that is recent enough. Exactly one of the two."""

    export: ExportSpec | None = None
    """Make one now, and wait until it is complete."""
    max_age_seconds: MaxAge | None = None
    """Make none: a complete backup or export that is not older must be there."""
    min_bytes: MinBytes = 1
    """The least size, as Firestore tells it: a copy that is too small has not copied what it should."""

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.export) != has(self.maxAgeSeconds)",
            "a backup step must have exactly one of `export`, which makes one, and `maxAgeSeconds`, which looks for one"
            " that is not older",
            lambda step: (step.export is None) != (step.max_age_seconds is None),
        ),
    )
