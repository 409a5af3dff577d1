"""What the kinds point at, in words that they share: a project, a database, a key of a ConfigMap or a Secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, ObjectName

ProjectId = Annotated[str, Field(min_length=4, max_length=63, pattern=r"^[a-z][-a-z0-9:.]*[a-z0-9]$")]
DatabaseId = Annotated[str, Field(max_length=63, pattern=r"^(\(default\)|[a-z][-a-z0-9]{2,61}[a-z0-9])$")]
DatabaseUid = Annotated[str, Field(max_length=36)]
DATABASE_UID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
DataKey = Annotated[str, Field(min_length=1, max_length=253)]


class KeyRef(Model):
    """A key of a ConfigMap or a Secret in the namespace of the object that names it."""

    name: ObjectName
    """Its name."""
    key: DataKey
    """The key in it."""
