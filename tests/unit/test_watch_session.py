from __future__ import annotations

from collections.abc import AsyncIterator

import kopf
import pytest

from firelift.operator.watch_session import Lines, known, open_session

TOO_OLD = b'{"type": "ERROR", "object": {"kind": "Status", "code": 410}}'
ADDED = b'{"type":"ADDED","object":{"metadata":{"name":"users"}}}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ADDED, ADDED),
        (b"", b""),
        (b'{"object": {"metadata": {}}, "type": "BOOKMARK"}', TOO_OLD),
        (b'{"object": {"metadata": {"name": "users"}}, "type": "MODIFIED"}',) * 2,
        (b'{"type":"ERROR","object":{"kind":"Status","code":500}}', TOO_OLD),
        (b'{"type": "ERROR", "object": {"kind": "Status", "code": 504}}', TOO_OLD),
        (b"<html>a proxy's own page</html>", TOO_OLD),
        (b'["ADDED"]', TOO_OLD),
    ],
)
def test_a_line_of_a_watch_is_an_event_or_the_watch_is_too_old(line: bytes, expected: bytes) -> None:
    assert known(line) == expected


class Body:
    """A stream that ends in the middle of an event."""

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Parts of any length."""
        text = ADDED + b"\n" + ADDED + b"\n" + ADDED[:20]
        for start in range(0, len(text), size):
            yield text[start : start + size]


@pytest.mark.parametrize("size", [1, 7, len(ADDED) + 1, 4096])
async def test_half_an_event_is_not_seen(size: int) -> None:
    lines = Lines(Body())  # type: ignore[arg-type] # all of a stream that is asked for

    assert [line async for line in lines.iter_chunked(size)] == [ADDED + b"\n"] * 2


async def test_an_identity_that_was_refused_is_known_again() -> None:
    same, again, other = (
        open_session(kopf.ConnectionInfo(server="https://127.0.0.1:6443", token=token))
        for token in ("first-token", "first-token", "another")
    )
    try:
        assert same == again
        assert same != other
        assert "first-token" not in repr(same)
    finally:
        for each in (same, again, other):
            await each.aiohttp_session.close()
