"""What a Terraform state in a bucket needs of Cloud Storage: list, read, multipart upload and delete by generation."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Bucket:
    """Objects by name, each with its metadata; `tokens` are those that asked."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.tokens: set[str] = set()
        self.generations = itertools.count(1)


@contextmanager
def bucket() -> Iterator[tuple[Bucket, str]]:
    """Serve one; yields it and the URL that Google's client calls the storage endpoint."""
    content = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": content})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield content, f"http://127.0.0.1:{server.server_port}/storage/v1/"
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path, query = self._asked()
        if path.endswith("/o"):
            found = [about for name, (about, _) in self.bucket.objects.items() if name.startswith(query["prefix"])]
            self._answer(200, {"kind": "storage#objects", "items": found})
            return
        about, content = self.bucket.objects.get(_name(path), ({}, b""))
        if not about:
            self._answer(404, {"error": {"code": 404, "message": "Not Found"}})
        elif "/o/" in path:
            self._answer(200, about)
        else:
            self._answer(200, content, {"X-Goog-Generation": about["generation"], "X-Goog-Metageneration": "1"})

    def do_POST(self) -> None:
        _, query = self._asked()
        body = (
            self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self._chunks()
        )
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        assert boundary
        _, first, second, _ = body.split(b"--" + boundary[1].encode())
        about = json.loads(first.partition(b"\r\n\r\n")[2])
        name = about["name"]
        if query.get("ifGenerationMatch") == "0" and name in self.bucket.objects:
            self._answer(412, {"error": {"code": 412, "message": "conditionNotMet"}})
            return
        content = second.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        about |= {"generation": str(next(self.bucket.generations)), "metageneration": "1", "size": str(len(content))}
        self.bucket.objects[name] = (about, content)
        self._answer(200, about)

    def do_DELETE(self) -> None:
        path, query = self._asked()
        about, _ = self.bucket.objects[_name(path)]
        if query.get("ifGenerationMatch", about["generation"]) != about["generation"]:
            self._answer(412, {"error": {"code": 412, "message": "conditionNotMet"}})
            return
        del self.bucket.objects[_name(path)]
        self._answer(204, b"")

    def _asked(self) -> tuple[str, dict[str, str]]:
        self.bucket.tokens.add(self.headers.get("Authorization", "").removeprefix("Bearer "))
        url = urlsplit(self.path)
        return unquote(url.path), dict(parse_qsl(url.query))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, code: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)


def _name(path: str) -> str:
    """`/storage/v1/b/bucket/o/name` of the JSON API, `/bucket/name` of the one that content is read by."""
    return path.partition("/o/")[2] if "/o/" in path else path.split("/", 2)[2]
