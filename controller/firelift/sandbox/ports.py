"""TCP ports on the loopback interface: free ones, and what answers on those that are not."""

import http.client
import random
import socket

# Below Linux's default ip_local_port_range (32768 to 60999): an outgoing connection made between choosing
# a port and listening on it cannot take it.
_FIRST, _LAST = 20000, 32000
_ATTEMPTS = 200


class NoFreePortError(RuntimeError):
    """No port could be bound in the range that was tried."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on at this moment.

    Raises:
        NoFreePortError: after 200 random ports between 20000 and 32000 were all taken.
    """
    for _ in range(_ATTEMPTS):
        port = random.randint(_FIRST, _LAST)  # noqa: S311  # which port it is protects nothing
        if _bindable(port):
            return port
    raise NoFreePortError(f"no free port on 127.0.0.1: {_ATTEMPTS} ports between {_FIRST} and {_LAST} are all in use")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, path: str) -> bool:
    """Whether a server on a port of 127.0.0.1 answers a GET of this path with 200, within 5 s."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
