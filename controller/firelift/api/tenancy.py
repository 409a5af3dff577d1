"""Which databases and buckets a namespace may touch: two annotations of the Namespace, in one grammar.

A value is a list of entries, separated by spaces, commas or line breaks. `firelift.dev/databases` has
`<project>/<database>`, or `<project>/*` for all databases of a project; `firelift.dev/buckets` has `<bucket>/*`, or
`<bucket>/<folder>/*` for what lies in a folder. The chart's admission policies (templates/tenancy-policy.yaml) read
them in the same way; a table of tests holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from firelift.api.base import GROUP

DATABASES = f"{GROUP}/databases"
BUCKETS = f"{GROUP}/buckets"
LONGEST = 4096
"""Of a value, so that the API server can read it within its budget for an admission policy."""

DATABASE_ENTRY = r"[a-z][-a-z0-9:.]*[a-z0-9]/(\*|\(default\)|[a-z][-a-z0-9]*[a-z0-9])"
BUCKET_ENTRY = r"[a-z0-9][-_.a-z0-9]*[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._=-]*)*/\*"
PLAIN_FOLDER = r"[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*/?"
"""A folder that is spelt in one way only: `a//b` or `a/../b` lead elsewhere than they seem to."""

_GRAMMAR = {
    DATABASES: (re.compile(DATABASE_ENTRY), "<project>/<database> or <project>/*"),
    BUCKETS: (re.compile(BUCKET_ENTRY), "<bucket>/* or <bucket>/<folder>/*"),
}
_SEPARATORS = re.compile(r"[ \t\r\n,]+")
_SHOWN = 512


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What a Namespace says. None: it has no such annotation. `required`: one without both may touch nothing.

    `unknown` is why the Namespace could not be read: then nobody knows that it may touch anything.
    """

    namespace: str = ""
    databases: str | None = None
    buckets: str | None = None
    required: bool = False
    unknown: str = ""

    def database(self, field: str, project: str, name: str) -> str:
        """Why it may not touch a database that this field of a spec names, as a sentence; empty when it may."""
        return self._objection(DATABASES, f"{field}: ", f"{project}/{name}", {f"{project}/{name}", f"{project}/*"})

    def bucket(self, field: str, bucket: str, folder: str) -> str:
        """Why it may not touch a folder in a bucket; the bucket itself when the folder is empty."""
        place = f"{bucket}/{folder.rstrip('/')}" if folder else bucket
        if self._bound and folder and not re.fullmatch(PLAIN_FOLDER, folder):
            return (
                f"{field}: a namespace that is bound by {BUCKETS} may name folders of letters, digits, -, _, . and ="
                f" only, each beginning with a letter or digit, and this one is {place}"
            )
        parts = place.split("/")
        return self._objection(
            BUCKETS, f"{field}: ", place, {f"{'/'.join(parts[:end])}/*" for end in range(1, len(parts) + 1)}
        )

    def misspelt(self) -> tuple[str, ...]:
        """What is wrong with the annotations themselves."""
        values = ((DATABASES, self.databases), (BUCKETS, self.buckets))
        return tuple(wrong for name, value in values if value is not None and (wrong := _unreadable(name, value)))

    @property
    def binds(self) -> bool:
        """Whether there is anything that it does not allow."""
        return bool(self.unknown) or self._bound

    @property
    def _bound(self) -> bool:
        return self.required or self.databases is not None or self.buckets is not None

    def _objection(self, annotation: str, field: str, place: str, allowing: set[str]) -> str:
        what = "database" if annotation == DATABASES else "bucket"
        if self.unknown:
            return (
                f"{field}whether namespace {self.namespace} may touch {what} {place} is not known, so it may not: "
                f"{self.unknown}; let the operator `get` this Namespace, as the chart's roles do"
            )
        if not self._bound:
            return ""
        why = self._why(annotation, allowing)
        return f"{field}namespace {self.namespace} may not touch {what} {place}: {why}" if why else ""

    def _why(self, annotation: str, allowing: set[str]) -> str:
        value = self.databases if annotation == DATABASES else self.buckets
        shape = _GRAMMAR[annotation][1]
        if value is None:
            bound = "the chart's tenancy.required asks for it" if self._unannotated else "it has the other of the two"
            remedy = f"whoever may edit the Namespace allows {shape} there"
            return f"it has no annotation {annotation}, and {bound}; {remedy}"
        if wrong := _unreadable(annotation, value):
            return f"{wrong}, so nothing is allowed"
        entries = _entries(value)
        if allowing.intersection(entries):
            return ""
        named = " ".join(entries)[:_SHOWN] or "nothing"
        return f"its annotation {annotation} allows {named}; whoever may edit the Namespace adds to it"

    @property
    def _unannotated(self) -> bool:
        return self.databases is None and self.buckets is None


UNBOUND = Tenancy()
"""It may touch everything."""


def of_namespace(metadata: Mapping[str, object], *, required: bool) -> Tenancy:
    """What the metadata of a Namespace say."""
    found = metadata.get("annotations")
    annotations = found if isinstance(found, Mapping) else {}
    texts = {name: str(annotations[name]) if name in annotations else None for name in (DATABASES, BUCKETS)}
    return Tenancy(str(metadata.get("name", "")), texts[DATABASES], texts[BUCKETS], required)


def _entries(value: str) -> list[str]:
    return [entry for entry in _SEPARATORS.split(value) if entry]


def _unreadable(annotation: str, value: str) -> str:
    grammar, shape = _GRAMMAR[annotation]
    if len(value) > LONGEST:
        return f"its annotation {annotation} is longer than {LONGEST:,} characters"
    wrong = next((entry for entry in _entries(value) if not grammar.fullmatch(entry)), "")
    return (
        f"its annotation {annotation} cannot be read at {wrong[:_SHOWN]}: entries are {shape}, separated by spaces or"
        " commas"
        if wrong
        else ""
    )
