"""The Terraform modules that come with this program: in the package once it is installed, else in the checkout."""

from __future__ import annotations

from pathlib import Path

from firelift.infra.terraform.configuration import module_files

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / "terraform_modules", _PACKAGE.parents[1] / "terraform" / "modules")
_NOT_PLANNED = frozenset({"examples", "tests"})


def bundled_modules(directory: Path | None = None) -> dict[str, str]:
    """The files of all modules by their paths below the folder of modules, without what only documents or tests them.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    places = (directory,) if directory is not None else _PLACES
    for place in places:
        if place.is_dir():
            files = module_files(place, "")
            return {path.removeprefix("/"): text for path, text in files.items() if not _NOT_PLANNED & {*_parts(path)}}
    raise FileNotFoundError(f"there are no Terraform modules in {' or '.join(map(str, places))}")


def _parts(path: str) -> tuple[str, ...]:
    return Path(path).parts
