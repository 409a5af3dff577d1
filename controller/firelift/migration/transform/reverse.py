"""The way from the new shape to the old one, for documents that only the app ever wrote there.

What comes out is put through the forward migration before it is believed: it has to lead to the very document that it
came from, or the way back would not be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from firelift.api.migration import MigrationSpec, SourceSpec
from firelift.api.transform import TransformSpec
from firelift.migration import fields as paths
from firelift.migration.entrypoint import Entrypoint, load
from firelift.migration.fields import NotAMap
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, Source, ValueKit
from firelift.migration.transform.names import NOTHING, Names
from firelift.migration.transform.reshape import Reshape, compile_reshape, field_path
from firelift.migration.transform.template import PathTemplate, compile_template
from firelift.migration.transform.transform import LeftAlone, Outcome, Result, Transform
from firelift.migration.transform.view import View


@dataclass(frozen=True, slots=True)
class Reverse:
    """A compiled `reverse`. `template` and `came` are None in place.

    `came` tells the documents that the forward template leads to, and what its placeholders were, in `holes`.
    `derived` is what the forward migration sets: the old shape has it only where `reverse` makes it.
    """

    forward: Transform
    reshape: Reshape | Entrypoint
    names: Names
    template: PathTemplate | None
    came: re.Pattern[str] | None
    holes: tuple[FieldPath, ...]
    derived: tuple[FieldPath, ...]

    def speaks_of(self, path: str) -> bool:
        """Whether a document can be one of the new shape, by its path."""
        return self.came is None or self.came.fullmatch(path) is not None

    def back(self, document: Document) -> Outcome:
        """What a document of the new shape was in the old one; left alone where it is none."""
        try:
            return self._back(document)
        except Refused as refused:
            return refused

    def _back(self, document: Document) -> Outcome:
        kit, holes = self.forward.kit, self._filled(document.path)
        view = View(kit, document, self._entity(document, holes), self.forward.now, self.names)
        if self.template is None and self.forward.left_alone(self.forward.view(document)) is None:
            return LeftAlone("appliesWhen holds: it is of the old shape")
        fields = self.reshape(view)
        if fields is None:
            return LeftAlone("reverse answered None")
        if self.template is None:
            return self._checked(document, Result(document.path, fields))
        for path, text in holes.items():
            if path[0] == "doc" and paths.get(kit, fields, path[1:]) is None:
                fields = _put(kit, fields, path[1:], text)
        return self._checked(document, Result(self.template.path(kit, document, view.entity), fields))

    def _checked(self, document: Document, result: Result) -> Result:
        """The result, if the forward migration makes the document of it again."""
        was = replace(document, path=result.target, fields=result.fields)
        again = self.forward.attempt(was)
        if isinstance(again, Refused):
            raise again.within(f"the forward migration refuses what it becomes: {again.rule}", rule="reverse")
        if isinstance(again, LeftAlone):
            raise Refused("reverse", f"the forward migration would leave what it becomes alone: {again.reason}")
        if again.target != document.path or not in_source(self.forward.spec.source, result.target):
            raise Refused("reverse", f"it becomes {result.target}, which the forward migration leads to {again.target}")
        return result

    def _filled(self, path: str) -> Mapping[FieldPath, str]:
        match = self.came.fullmatch(path) if self.came else None
        return dict(zip(self.holes, match.groups(), strict=True)) if match else {}

    def _entity(self, document: Document, holes: Mapping[FieldPath, str]) -> str | None:
        """The text of the entity: from the path, or by the key's new name."""
        key = self.forward.entity_key
        if key is None:
            return holes.get(("id",), document.id)
        known = holes.get(("entity",), holes.get(("doc", *key)))
        if known is not None:
            return known
        now = next((new for old, new in self.forward.renames if old == key), key)
        return replace(self.forward, entity_key=now).entity(document)


def in_source(source: SourceSpec, path: str) -> bool:
    """Whether a document is of a source, by its path."""
    collection = path.rpartition("/")[0]
    return collection == source.collection or collection.rpartition("/")[2] == source.collection_group


def target_source(spec: MigrationSpec) -> Source:
    """All documents that a migration may have written, and others in the same collections."""
    if spec.target.document is None:
        collection = spec.source.collection
        return Source(collection or spec.source.collection_group or "", all_descendants=collection is None)
    parent = spec.target.document.rpartition("/")[0]
    return Source(spec.lock_group, all_descendants=True) if "{" in parent else Source(parent)


def compile_reverse(forward: Transform) -> Reverse:
    """The way back of a compiled migration that has one.

    Raises:
        TransformUnusable: naming the field of the API that is wrong, and how.
    """
    spec, reverse = forward.spec, forward.spec.reverse
    assert reverse is not None  # noqa: S101 - only then is it asked for
    python = reverse.transform.python
    reshape = load(python.entrypoint) if python else compile_reshape(_inverted(spec, reverse.transform))
    expressions = reshape.expressions if isinstance(reshape, Reshape) else ()
    template = came = None
    holes: tuple[FieldPath, ...] = ()
    if forward.template is not None:
        # A name that no collection has: what a document of the new shape becomes never lies where that came from.
        nowhere = SourceSpec(collection="nowhere/{}/nowhere")
        text = reverse.document or f"{spec.source.collection}/{{id}}"
        template = compile_template(text, nowhere)
        came = _pattern(forward.template)
        holes = tuple(part for segment in forward.template.segments for part in segment if not isinstance(part, str))
    return Reverse(
        forward=forward,
        reshape=reshape,
        names=reduce(Names.union, (each.doc for each in expressions), NOTHING),
        template=template,
        came=came,
        holes=holes,
        derived=tuple(field_path(path, "transform.set") for path in spec.transform.set),
    )


def _inverted(spec: MigrationSpec, transform: TransformSpec) -> TransformSpec:
    """The reverse transform, with the forward renames turned round where it has none of its own."""
    if transform.rename:
        return transform
    taken = {field_path(path, "reverse.transform") for path in (*transform.set, *transform.remove)}
    turned = {
        new: old for old, new in spec.transform.rename.items() if field_path(old, "transform.rename") not in taken
    }
    return transform.model_copy(update={"rename": turned})


def _pattern(template: PathTemplate) -> re.Pattern[str]:
    segments = (
        "".join(re.escape(part) if isinstance(part, str) else "([^/]+)" for part in segment)
        for segment in template.segments
    )
    return re.compile("/".join(segments))


def _put(kit: ValueKit, fields: Fields, path: FieldPath, text: str) -> Fields:
    try:
        return paths.put(kit, fields, path, kit.encode(text))
    except NotAMap as error:
        raise Refused("reverse", str(error)) from error
