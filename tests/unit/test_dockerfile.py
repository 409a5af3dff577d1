"""The image cannot be built where these tests run; what can be read of it is held to."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
_STAGES = re.split(r"^FROM ", _TEXT, flags=re.MULTILINE)[1:]


def test_the_image_runs_as_a_user_who_is_a_number_and_not_root() -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", _STAGES[-1], re.MULTILINE)

    assert min(map(int, user)) > 0


def test_nothing_of_the_build_stays_but_what_is_copied() -> None:
    copied = re.findall(r"^COPY --from=(\w+) (\S+)", _STAGES[-1], re.MULTILINE)

    assert re.search(r"^RUN|^ADD", _STAGES[-1], re.MULTILINE) is None
    assert set(copied) == {("terraform", "/bin/terraform"), ("terraform", "/providers"), ("build", "/opt/firelift")}


def test_each_file_that_the_image_is_made_of_is_there_and_not_ignored() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", _TEXT, re.MULTILINE)
    sources = {source for line in copies for source in line.split()}
    kept = {line[1:] for line in (_ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert sources == kept
    assert all((_ROOT / source).exists() for source in sources)


def test_the_bases_can_be_pinned_by_digest() -> None:
    bases = [stage.split()[0] for stage in _STAGES]

    assert set(bases) == {"${TERRAFORM}", "${PYTHON}"}
    assert re.findall(r"^ARG (\w+)=\S+:\S+$", _TEXT, re.MULTILINE) == ["PYTHON", "TERRAFORM"]
