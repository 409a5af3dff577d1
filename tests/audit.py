"""Asks an advisory database about all locked dependencies; `make lint` runs it where that database can be reached.

An audit that cannot be made is one sentence and no failure: a build without internet access must pass. One that finds
something fails, and says what to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SECONDS = 10.0
"""For the whole of it. About 1.5 s where the database answers."""

_CLEAN, _FOUND = 0, 1
"""Exit codes of `uv audit`; with any other one it has not come to an answer."""


def main(arguments: Sequence[str], seconds: float = SECONDS) -> int:
    """Audit with the uv that is named, at the service that is named; what it answers is the process's exit code."""
    uv, *service = arguments
    command = [uv, "audit", "--frozen", "--output-format=json", *(f"--service-url={url}" for url in service)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": str(int(seconds))},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        code, told = skipped(_why(error))
    else:
        code, told = judged(done.returncode, done.stdout, done.stderr)
    sys.stdout.write(f"{told}\n")
    return code


def judged(code: int, answer: str, errors: str) -> tuple[int, str]:
    """The exit code and the sentence for what uv has answered."""
    try:
        found: Mapping[str, Any] = json.loads(answer)
    except ValueError:
        lines = [line.strip() for line in errors.splitlines() if "experimental" not in line and line.strip()]
        return skipped(lines[-1] if lines else f"uv has ended with {code}")
    if code not in (_CLEAN, _FOUND):
        return skipped(f"uv has ended with {code}")
    if told := list(_vulnerabilities(found)):
        return 1, "\n".join([*told, *_statuses(found)])
    clean = f"No advisory on the {found['summary']['audited_packages']} packages of uv.lock."
    return 0, "\n".join([clean, *_statuses(found)])


def skipped(why: str) -> tuple[int, str]:
    """That nothing was learnt."""
    return 0, f"The audit of uv.lock was skipped, nothing is known: {why}."


def _vulnerabilities(found: Mapping[str, Any]) -> Iterator[str]:
    for each in found.get("vulnerabilities", ()):
        package, fixed = each["dependency"], each.get("fix_versions") or []
        remedy = (
            f"uv lock --upgrade-package {package['name']} (mended in {', '.join(fixed)})"
            if fixed
            else "no version mends it: replace the package, or say in SECURITY.md why it does not reach Firelift"
        )
        yield f"{package['name']} {package['version']}: {each['display_id']} {each.get('summary') or ''}: {remedy}"


def _statuses(found: Mapping[str, Any]) -> Iterator[str]:
    """Projects that nobody looks after: worth knowing, and no reason to stop work."""
    for each in found.get("adverse_statuses", ()):
        yield f"{each.get('name', each)}: its project is {each.get('status', 'not maintained')}: look for another one"


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"the advisory database has not answered within {error.timeout:g} s"
    return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
