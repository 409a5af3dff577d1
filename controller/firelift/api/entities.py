"""What must hold between the fields of a migration that say whose records it moves."""

from __future__ import annotations

from firelift.api.paths import COLLECTION, RESERVED, RESERVED_WORDS, is_unreserved, matches
from firelift.api.rules import Rule

_MARKER = r"^[^/{}]+/([^/{}]|\{entity\})+(/[^/{}]+/([^/{}]|\{entity\})+)*$"

MARKER_RULES = (
    Rule(
        f"self.document.matches(r'{_MARKER}') && self.document.contains('{{entity}}')",
        "`document` of a marker must be collection ids and document ids in turn, with {entity} in a document id",
        lambda marker: matches(_MARKER, marker.document) and "{entity}" in marker.document,
        field=".document",
    ),
    Rule(
        f"!self.document.matches(r'{RESERVED}')",
        f"`document` {RESERVED_WORDS}",
        lambda marker: is_unreserved(marker.document),
        field=".document",
    ),
)

ENTITY_RULES = (
    Rule(
        "!has(self.entityCollection) || has(self.entityKey)",
        "`entityCollection` must come with `entityKey`: records are asked for by it",
        lambda migration: migration.entity_collection is None or migration.entity_key is not None,
        field=".entityCollection",
    ),
    Rule(
        f"!has(self.entityCollection) || self.entityCollection.matches(r'{COLLECTION}')",
        "`entityCollection` must be a path of an odd number of segments, none of them empty",
        lambda migration: matches(COLLECTION, migration.entity_collection),
        field=".entityCollection",
    ),
    Rule(
        f"!has(self.entityCollection) || !self.entityCollection.matches(r'{RESERVED}')",
        f"`entityCollection` {RESERVED_WORDS}",
        lambda migration: is_unreserved(migration.entity_collection),
        field=".entityCollection",
    ),
    Rule(
        "!has(self.entityMarker) || has(self.entityCollection)",
        "`entityMarker` must come with `entityCollection`: it marks the entities that are listed there",
        lambda migration: migration.entity_marker is None or migration.entity_collection is not None,
        field=".entityMarker",
    ),
)
