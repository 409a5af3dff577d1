"""What the documentation points at is there: files, headings, `make` targets and names of `kubectl get`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.documentation.generated import ROOT
from tests.documentation.pages import PAGES

from firelift.api import approval, environment, rollout

CODE = re.compile(r"```.*?```", re.DOTALL)
INLINE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
OF_KUBERNETES = {"leases", "configmap", "jobs", "pods", "events"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(fragment and fragment not in anchors(target))


@every_page
def test_each_relative_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(INLINE.sub("", CODE.sub("", page.read_text(encoding="utf-8"))))
    assert [link for link in links if "://" not in link and broken(page, link)] == []


@every_page
def test_each_make_target_that_is_named_can_be_made(page: Path) -> None:
    targets = set(re.findall(r"^([a-z ]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = {name for line in targets for name in line.split()}
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)(?:\$ )?make ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= made


@every_page
def test_each_kind_that_is_asked_for_has_that_name(page: Path) -> None:
    crds = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crds").glob("*.yaml"))
    short = set(re.findall(r"^ +- ((?:m|fs)[a-z]+)$", crds, re.MULTILINE))
    asked = re.findall(r"\$ kubectl get ([a-z]+)", page.read_text(encoding="utf-8"))
    assert set(asked) <= OF_KUBERNETES | {rollout.PLURAL, approval.PLURAL, environment.PLURAL} | short


def test_the_pages_were_found() -> None:
    assert ROOT / "README.md" in PAGES
    assert ROOT / "docs" / "operator.md" in PAGES


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text("utf-8"))}
    assert [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page not in named | {index}] == []
