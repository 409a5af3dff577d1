"""What the API server answered, by what can be done about it.

```
KubeError
├── NotFound      there is no such object
├── Changed       somebody else was faster: read again and decide again (409)
├── Refused       the request itself is at fault, or its sender: only a person can help (other 4xx)
└── Unreachable   no answer, or one that says nothing about the request (timeouts, half answers, 408, 410, 429, 5xx)
```
"""

from __future__ import annotations

from http import HTTPStatus


class KubeError(Exception):
    """A call to the API server failed. `status` is the HTTP status, 0 when there was no answer."""

    def __init__(self, attempted: str, status: int, message: str) -> None:
        super().__init__(f"{attempted}: {message} (HTTP {status})" if status else f"{attempted}: {message}")
        self.attempted = attempted
        self.status = status
        self.message = message


class NotFound(KubeError):
    """There is no such object."""


class Changed(KubeError):
    """The object exists already, or is no longer as it was read."""


class Refused(KubeError):
    """The request is invalid or not allowed."""


class Unreachable(KubeError):
    """The API server gave no verdict; asking again later may help, and no sooner than `retry_seconds` from now."""

    def __init__(self, attempted: str, status: int, message: str, retry_seconds: float = 0.0) -> None:
        super().__init__(attempted, status, message)
        self.retry_seconds = retry_seconds


_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS})
"""Of what is below 500; Gone is said of the rest of a list whose beginning is too old by now."""


def error_of(attempted: str, status: int, message: str, *, retry_after: str = "") -> KubeError:
    """The error for an HTTP status of 400 and above; `retry_after` is the header of that name."""
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(attempted, status, message)
    if status == HTTPStatus.CONFLICT:
        return Changed(attempted, status, message)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unreachable(attempted, status, message, float(retry_after) if retry_after.isdecimal() else 0.0)
    return Refused(attempted, status, message)
