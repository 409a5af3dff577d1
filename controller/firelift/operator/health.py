"""/healthz, /readyz and /metrics, served by a thread of their own: a stuck event loop must not silence them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Answer = tuple[HTTPStatus, str]
Check = Callable[[], Answer]

_REQUEST_SECONDS = 5.0
_TEXT = "text/plain; charset=utf-8"


class HealthServer:
    """Answers from `start` to `stop`; `port` is the one it listens on."""

    def __init__(self, host: str, port: int, *, healthy: Check, ready: Check, metrics: CollectorRegistry) -> None:
        checks = {"/healthz": healthy, "/readyz": ready}

        class Handler(BaseHTTPRequestHandler):
            timeout = _REQUEST_SECONDS

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._answer(HTTPStatus.OK, generate_latest(metrics), CONTENT_TYPE_LATEST)
                elif check := checks.get(path):
                    status, text = check()
                    self._answer(status, f"{text}\n".encode(), _TEXT)
                else:
                    self._answer(HTTPStatus.NOT_FOUND, b"ask for /healthz, /readyz or /metrics\n", _TEXT)

            def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent: a probe every few seconds is no news."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_REQUEST_SECONDS)


def healthy(overdue: dict[str, float]) -> Answer:
    """200 while each loop keeps its promise, else 503 with the loops that do not."""
    if not overdue:
        return HTTPStatus.OK, "ok"
    late = ", ".join(f"{name} is {seconds:.0f} s overdue" for name, seconds in sorted(overdue.items()))
    return HTTPStatus.SERVICE_UNAVAILABLE, f"stuck: {late}"
