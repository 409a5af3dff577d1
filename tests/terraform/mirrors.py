"""Mirrors made for a test: the provider at hand, under another version, packed or not, and telling when it is run."""

import shutil
import stat
import zipfile
from pathlib import Path

from firelift.infra.terraform.mirror import ADDRESS, own_platform

_WRAPPER = """#!/bin/sh
echo "$0" >> '{mark}'
exec "${{0%/*}}/plugin" "$@"
"""


def telling_mirror(directory: Path, original: Path, version: str = "7.45.0", *, packed: bool = False) -> Path:
    """A mirror below `directory` whose provider leaves a line in `<mirror>.mark` for each time that it is started."""
    mirror = directory / f"mirror-{version}"
    package = mirror / ADDRESS / version / own_platform()
    package.mkdir(parents=True)
    _plugin(original, directory, package / "plugin")
    wrapper = package / f"terraform-provider-google_v{version}_x5"
    wrapper.write_text(_WRAPPER.format(mark=mark_of(mirror)))
    wrapper.chmod(0o755)
    if packed:
        _pack(package, mirror / ADDRESS / f"terraform-provider-google_{version}_{own_platform()}.zip")
        shutil.rmtree(mirror / ADDRESS / version)
    return mirror


def mark_of(mirror: Path) -> Path:
    """The file that the mirror's provider writes."""
    return mirror.with_suffix(".mark")


def started(mirror: Path) -> list[str]:
    """The executables that were started, one line for each time."""
    mark = mark_of(mirror)
    return mark.read_text().splitlines() if mark.exists() else []


def _plugin(original: Path, scratch: Path, to: Path) -> None:
    """The executable of the newest package of a mirror for this machine."""
    folders = sorted((original / ADDRESS).glob(f"*/{own_platform()}"))
    if not folders:
        archive = max((original / ADDRESS).glob(f"terraform-provider-google_*_{own_platform()}.zip"))
        folders = [scratch / "unpacked"]
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folders[0])
    folder = folders[-1].resolve()
    (named,) = folder.glob("terraform-provider-google_v*")
    behind = folder / "plugin"  # when the mirror is one of these itself
    shutil.copy(behind if behind.is_file() else named, to)
    to.chmod(0o755)


def _pack(package: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(package.iterdir()):
            entry = zipfile.ZipInfo(path.name)
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            opened.writestr(entry, path.read_bytes())
