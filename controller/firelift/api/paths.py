"""What a migration may read and write: shapes of Firestore paths, and names that are Firelift's or Firestore's."""

from __future__ import annotations

import re
from typing import Any

from firelift.api.rules import Rule

COLLECTION = r"^[^/]+(/[^/]+/[^/]+)*$"
_DOCUMENT_TEMPLATE = r"^[^/{}]+/[^/]+(/[^/{}]+/[^/]+)*$"
_PLACEHOLDERS = r"^([^{}]|\{(id|entity|index|item|(doc|item)\.[^{}]+)\})*$"
_ELEMENT = r"\{(index|item)[.}]"
RESERVED = r"(^|/)(_firelift|firelift_[^/]*|__[^/]*__|\.\.?)(/|$)"
RESERVED_WORDS = "must not use `_firelift`, names that start with `firelift_`, `__names__`, `.` or `..`"


def matches(pattern: str, text: str | None) -> bool:
    """Whether a text has a shape, where there is one."""
    return text is None or re.search(pattern, text) is not None


def is_unreserved(text: str | None) -> bool:
    """Whether a path uses no name that is Firelift's or Firestore's, where there is one."""
    return text is None or re.search(RESERVED, text) is None


SOURCE_RULES = (
    Rule(
        "has(self.collection) != has(self.collectionGroup)",
        "a source must have exactly one of `collection` and `collectionGroup`",
        lambda source: (source.collection is None) != (source.collection_group is None),
    ),
    Rule(
        f"!has(self.collection) || self.collection.matches(r'{COLLECTION}')",
        "`collection` must be a path of an odd number of segments, none of them empty, not %s",
        lambda source: matches(COLLECTION, source.collection),
        inserts=("self.collection",),
        values=lambda source: (source.collection,),
        field=".collection",
    ),
    Rule(
        "!has(self.collectionGroup) || !self.collectionGroup.contains('/')",
        "`collectionGroup` must be one collection id, without a slash",
        lambda source: "/" not in (source.collection_group or ""),
        field=".collectionGroup",
    ),
    Rule(
        f"!has(self.collection) || !self.collection.matches(r'{RESERVED}')",
        f"`collection` {RESERVED_WORDS}",
        lambda source: is_unreserved(source.collection),
        field=".collection",
    ),
    Rule(
        f"!has(self.collectionGroup) || !self.collectionGroup.matches(r'{RESERVED}')",
        f"`collectionGroup` {RESERVED_WORDS}",
        lambda source: is_unreserved(source.collection_group),
        field=".collectionGroup",
    ),
)

TARGET_RULES = (
    Rule(
        "[has(self.document), has(self.inPlace), has(self.aggregate)].exists_one(set, set)",
        "a target must have exactly one of `document`, `inPlace` and `aggregate`",
        lambda target: [target.document, target.in_place, target.aggregate].count(None) == 2,  # noqa: PLR2004 - all but one
    ),
    Rule(
        f"!has(self.document) || self.document.matches(r'{_DOCUMENT_TEMPLATE}')",
        "`document` must be collection ids and document ids in turn, an even number of segments, none of them empty, "
        "with placeholders only where document ids stand",
        lambda target: matches(_DOCUMENT_TEMPLATE, target.document),
        field=".document",
    ),
    Rule(
        f"!has(self.document) || self.document.matches(r'{_PLACEHOLDERS}')",
        "placeholders of `document` must be {id}, {entity}, {doc.<field path>}, {item}, {item.<field path>} or {index}",
        lambda target: matches(_PLACEHOLDERS, target.document),
        field=".document",
    ),
    Rule(
        "!has(self.document) || self.document.contains('{')",
        "`document` must have a placeholder, or every source document would be written to the same target",
        lambda target: target.document is None or "{" in target.document,
        field=".document",
    ),
    Rule(
        f"!has(self.document) || !self.document.matches(r'{RESERVED}')",
        f"`document` {RESERVED_WORDS}",
        lambda target: is_unreserved(target.document),
        field=".document",
    ),
)

_MANY = "(has(self.target.forEach) || (has(self.transform.python) && self.transform.python.many))"
_TELLS_APART = f"(has(self.target.document) && self.target.document.matches(r'{_ELEMENT}'))"

ELEMENT_RULES = (
    Rule(
        "!has(self.target.forEach) || !has(self.transform.python)",
        "`target.forEach` must not come with `transform.python`: a function that splits says `python.many`",
        lambda migration: migration.target.for_each is None or migration.transform.python is None,
    ),
    Rule(
        f"!{_MANY} || {_TELLS_APART}",
        "one-to-many must have {item.<field path>}, {item} or {index} in `target.document`, or all elements would be "
        "written to one document",
        lambda migration: not migration.one_to_many or _tells_apart(migration),
        field=".target",
    ),
    Rule(
        f"{_MANY} || !{_TELLS_APART}",
        "{item} and {index} in `target.document` must come with `target.forEach` or `python.many`",
        lambda migration: migration.one_to_many or not _tells_apart(migration),
        field=".target",
    ),
)


def _tells_apart(migration: Any) -> bool:
    return re.search(_ELEMENT, migration.target.document or "") is not None


NOT_INTO_ITS_SOURCE = Rule(
    "!has(self.target.document) || ("
    "(!has(self.source.collection) || !self.target.document.startsWith(self.source.collection + '/')"
    " || self.target.document.substring(self.source.collection.size() + 1).contains('/'))"
    " && (!has(self.source.collectionGroup) || self.target.document.split('/').size() < 2"
    " || self.target.document.split('/')[self.target.document.split('/').size() - 2] != self.source.collectionGroup))",
    "`target.document` must not lie in the collection that is the source; to change documents where they are, "
    "use `target.inPlace`",
    lambda migration: not _into_its_source(migration),
    field=".target",
)


def _into_its_source(migration: Any) -> bool:
    template: str | None = migration.target.document
    if template is None or "/" not in template:
        return False
    collection = template.rpartition("/")[0]
    path, group = migration.source.collection, migration.source.collection_group
    return bool(collection == path or collection.split("/")[-1] == group)
