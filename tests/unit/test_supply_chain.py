"""What goes into Firelift: named in a bill of materials, and asked about at an advisory database where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.audit import judged, main

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
ADVISORY = {
    "id": "GHSA-test-0001",
    "summary": "an advisory of this test's",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "aiohttp"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@pytest.fixture(scope="module")
def uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv")
    if not found or subprocess.run([found, "audit", "--help"], capture_output=True, check=False).returncode:
        pytest.skip("there is no uv that audits; make brings one")
    return found


class Advisories(BaseHTTPRequestHandler):
    """The calls of osv.dev that uv makes. `affected` is the package with an advisory."""

    affected = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        stub = {"vulns": [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]}
        self._answer({"results": [stub if each["package"]["name"] == self.affected else {} for each in asked]})

    def do_GET(self) -> None:
        self._answer(ADVISORY)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def database(affected: str = "") -> Iterator[str]:
    handler = type("Handler", (Advisories,), {"affected": affected})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # uv asks the registry about each project too, which is no test's business: there is no way to it.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("here")
def test_an_advisory_fails_the_audit_with_its_remedy(uv: str, capsys: pytest.CaptureFixture[str]) -> None:
    with database("aiohttp") as url:
        assert main([uv, url], seconds=PATIENCE) == 1
    told = capsys.readouterr().out
    assert "GHSA-test-0001 an advisory of this test's: uv lock --upgrade-package aiohttp (mended in 99.0)" in told


@pytest.mark.usefixtures("here")
def test_no_advisory_passes_with_the_number_of_packages(uv: str, capsys: pytest.CaptureFixture[str]) -> None:
    with database() as url:
        assert main([uv, url], seconds=PATIENCE) == 0
    assert f"No advisory on the {len(locked()) - 1} packages of uv.lock." in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_database_that_cannot_be_reached_is_one_sentence(uv: str, capsys: pytest.CaptureFixture[str]) -> None:
    with database() as url:
        pass  # nobody listens there any more
    assert main([uv, url], seconds=PATIENCE) == 0
    told = capsys.readouterr().out
    assert told.startswith("The audit of uv.lock was skipped, nothing is known: ")
    assert len(told.splitlines()) == 1


def test_a_uv_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/uv"]) == 0
    assert "was skipped, nothing is known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "answer", "errors", "told"),
    [
        (2, "", "error: unrecognized subcommand 'audit'", "skipped, nothing is known: error: unrecognized subcommand"),
        (2, "", "warning: `uv audit` is experimental\nerror: sending\n  cause: dns error", "known: cause: dns error."),
        (2, "{}", "", "known: uv has ended with 2."),
        (-9, "", "", "known: uv has ended with -9."),
        (
            1,
            '{"summary": {"audited_packages": 3}, "adverse_statuses": [{"name": "a", "status": "archived"}]}',
            "",
            "No advisory on the 3 packages of uv.lock.\na: its project is archived: look for another one",
        ),
    ],
)
def test_what_is_no_answer_is_no_failure(code: int, answer: str, errors: str, told: str) -> None:
    exit_code, sentence = judged(code, answer, errors)
    assert exit_code == 0
    assert told in sentence


def test_an_advisory_without_a_remedy_says_so() -> None:
    each: dict[str, Any] = {
        "dependency": {"name": "a", "version": "1"},
        "display_id": "X-1",
        "summary": None,
        "fix_versions": [],
    }
    code, told = judged(1, json.dumps({"vulnerabilities": [each]}), "")
    assert code == 1
    assert "no version mends it: replace the package" in told


def locked() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return packages


def test_every_package_of_the_lock_has_its_hashes() -> None:
    outside = [each for each in locked() if "registry" in each["source"]]
    files = [file for each in outside for file in (*each.get("wheels", ()), *filter(None, [each.get("sdist")]))]
    assert len(files) > 100
    assert [file["url"] for file in files if not file["hash"].startswith("sha256:")] == []
    assert [each["name"] for each in locked() if each not in outside] == ["firelift"]


def test_the_bill_of_materials_names_what_the_image_holds_with_its_hashes(uv: str) -> None:
    line = next(each for each in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "cyclonedx" in each)
    arguments = line.split(" -o ")[0].split("export ")[1].split()
    made = subprocess.run([uv, "export", *arguments], cwd=ROOT, capture_output=True, check=True, timeout=60)
    bill = json.loads(made.stdout)
    named = {each["name"]: each for each in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert {"kopf", "grpcio", "cel-expr-python", "pydantic"} <= named.keys()
    assert not {"pytest", "ruff", "playwright"} & named.keys()
    versions = {each["name"]: each["version"] for each in locked() if "registry" in each["source"]}
    assert {name: each["version"] for name, each in named.items()}.items() <= versions.items()
    assert all(each["purl"] == f"pkg:pypi/{name}@{each['version']}" for name, each in named.items())
    hashes = [given for each in named.values() for file in each["externalReferences"] for given in file["hashes"]]
    assert len(hashes) > len(named)
