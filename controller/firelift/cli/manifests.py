"""Manifests in files, folders or on stdin, as `kubectl -f` reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from firelift.cli.exits import Exit, Problem

_ENDINGS = (".yaml", ".yml", ".json")
_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document, and the file that it was read from."""

    file: str
    document: Any

    @property
    def title(self) -> str:
        """`Kind namespace/name`, as far as it says."""
        if not isinstance(self.document, dict):
            return "a document that is no object"
        metadata = self.document.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        name = "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
        return f"{self.document.get('kind', 'an object without a kind')} {name or '(without a name)'}"


def read(files: tuple[str, ...]) -> Iterator[Manifest]:
    """All documents of all files, in order; those of a `kind: List` one by one.

    Raises:
        Problem: a file cannot be read, or is not YAML.
    """
    for file in files:
        for path in _paths(file):
            yield from _documents(path)


def _paths(file: str) -> list[str]:
    if file == _STDIN or not Path(file).is_dir():
        return [file]
    found = sorted(str(path) for path in Path(file).rglob("*") if path.suffix in _ENDINGS and path.is_file())
    if not found:
        raise Problem(f"folder {file} has no {', '.join(_ENDINGS)}", Exit.USAGE)
    return found


def _documents(path: str) -> Iterator[Manifest]:
    try:
        text = sys.stdin.read() if path == _STDIN else Path(path).read_text(encoding="utf-8")
        documents = list(yaml.safe_load_all(text))
    except (OSError, UnicodeError) as error:
        raise Problem(f"{path} cannot be read: {error}", Exit.USAGE) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where is not None else ""
        raise Problem(f"{path}{line} is not YAML: {getattr(error, 'problem', None) or error}", Exit.FAILED) from error
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "List":
            yield from (Manifest(path, item) for item in document.get("items") or [])
        elif document is not None:
            yield Manifest(path, document)
