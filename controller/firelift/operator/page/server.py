"""Serves the page: its files, what is shown as JSON, and the news as server-sent events. Nothing can be written.

It listens on the loopback interface, where `kubectl port-forward` arrives. Whoever may forward ports to the operator's
pod sees all rollouts, so that is a right for on-call and not for everyone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import unquote

from firelift.operator.page.live import Live
from firelift.operator.wakeups import Key

_TYPES = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {
    "/": "index.html",
    **{f"/{name}": name for name in ("page.css", "page.js", "charts.js", "parts.js", "icon.svg")},
}
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_REQUEST_SECONDS = 5.0
_HEARTBEAT_SECONDS = 15.0
"""A proxy or a port-forward that hears nothing for longer may cut the line."""
_PAUSE_SECONDS = 0.5
"""News are told at most this often."""
_MOST_STREAMS = 32
_POLL_SECONDS = 0.1
_KINDS = frozenset({"rollout", "environment"})

Leads = Callable[[], bool]


class PageServer:
    """Answers from `start` to `stop`; `port` is the one it listens on."""

    def __init__(self, host: str, port: int, live: Live, leads: Leads) -> None:
        self._server = _Server((host, port), live, leads)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="page", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; streams end within a heartbeat, and with the process at the latest."""
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_REQUEST_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], live: Live, leads: Leads) -> None:
        super().__init__(address, _Handler)
        self.live, self.leads = live, leads
        self.streams = threading.BoundedSemaphore(_MOST_STREAMS)
        self.stopping = threading.Event()
        static = files("firelift.operator.page") / "static"
        self.files = {path: (static / name).read_bytes() for path, name in _FILES.items()}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_SECONDS
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.headers.get("Host", "").rpartition(":")[0] not in _HOSTS:
            # A page of somebody else's, whose name was made to mean this machine, must not read what is here.
            self._say(HTTPStatus.FORBIDDEN, "ask for it as localhost, as kubectl port-forward does")
        elif path in _FILES:
            kind = _TYPES[_FILES[path].rpartition(".")[2]]
            self._answer(HTTPStatus.OK, self.server.files[path], kind)
        elif path == "/events":
            self._stream()
        elif path == "/api/objects":
            self._json({"leads": self.server.leads(), **self.server.live.everything()})
        else:
            self._object(path)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The base class looks for ``do_<method>``: for all but GET the answer is the same."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return lambda: self._say(HTTPStatus.METHOD_NOT_ALLOWED, "nothing can be changed here; use kubectl")

    def _object(self, path: str) -> None:
        """``/api/<kind>s/<namespace>/<name>``."""
        _, api, kinds, *names = path.split("/") + [""] * 4
        kind = kinds.removesuffix("s")
        found = None
        if api == "api" and kind in _KINDS and len([name for name in names if name]) == 2:  # noqa: PLR2004 - namespace, name
            found = self.server.live.one(kind, Key(*(unquote(name) for name in names[:2])))
        if found is None:
            self._say(HTTPStatus.NOT_FOUND, "there is nothing of that name")
        else:
            self._json(found)

    def _stream(self) -> None:
        if not self.server.streams.acquire(blocking=False):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, f"{_MOST_STREAMS} pages look already")
            return
        try:
            self._send_news()
        except OSError:
            pass  # they have closed the page
        finally:
            self.server.streams.release()

    def _send_news(self) -> None:
        self._head(HTTPStatus.OK, "text/event-stream", {"Connection": "close"})
        self.close_connection = True
        version = -1
        while not self.server.stopping.wait(_PAUSE_SECONDS if version >= 0 else 0):
            before, version = version, self.server.live.wait(version, _HEARTBEAT_SECONDS)
            self.wfile.write(b": still here\n\n" if version == before else b"event: news\ndata: %d\n\n" % version)
            self.wfile.flush()

    def _json(self, document: object) -> None:
        self._answer(HTTPStatus.OK, json.dumps(document).encode(), "application/json")

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._answer(status, f"{sentence}\n".encode(), "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self._head(status, content_type, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent: a page that looks is no news."""
