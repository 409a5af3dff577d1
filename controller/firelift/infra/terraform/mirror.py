"""A filesystem mirror of Terraform's providers: whether it has the one that Firelift's modules ask for."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

ADDRESS = Path("registry.terraform.io/hashicorp/google")
"""Where it is in a mirror, as the real one: a folder for each version and platform, or a zip file of each."""

OLDEST, BELOW = (7, 40), (8, 0)
"""What `terraform/modules/*/versions.tf` ask for."""

_VERSION = r"(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)"
_ZIP = re.compile(rf"terraform-provider-google_{_VERSION}_(?P<platform>[a-z0-9]+_[a-z0-9]+)\.zip")
_FOLDER = re.compile(_VERSION)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SHOWN = 5


def own_platform() -> str:
    """This machine's name in a mirror, such as ``linux_amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(machine, machine)}"


def shortcoming(mirror: Path) -> str:
    """Why the modules find no provider in it, with the remedy, as one sentence; empty when they find one."""
    remedy = f"make it with `terraform providers mirror {mirror}` in a folder with terraform/modules/environment"
    if not mirror.is_dir():
        return f"the provider mirror {mirror} is no directory: {remedy}"
    found = sorted(set(_packages(mirror / ADDRESS)))
    if any(_usable(version) and target == own_platform() for version, target in found):
        return ""
    wanted = f"hashicorp/google from {_text(OLDEST)} and below {_text(BELOW)} for {own_platform()}"
    has = ", ".join(f"{version} for {target}" for version, target in found[:_SHOWN]) or "none of it"
    return f"the provider mirror {mirror} must have {wanted} below {ADDRESS}, and has {has}: {remedy}"


def _packages(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.glob("*"):
        if packed := _ZIP.fullmatch(path.name):
            yield packed["version"], packed["platform"]
        elif _FOLDER.fullmatch(path.name):
            yield from ((path.name, target.name) for target in path.iterdir() if target.is_dir())


def _usable(version: str) -> bool:
    """Terraform takes no version before a release for a range."""
    return "-" not in version and OLDEST <= tuple(int(part) for part in version.split(".")[:2]) < BELOW


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
