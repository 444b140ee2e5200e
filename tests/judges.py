"""A local endpoint in the place of a judge, that behaves as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from grader.text.judge import Endpoint


def wrapped(content: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


def points(rows: Any) -> bytes:
    return wrapped(json.dumps({"points": rows}))


class Server(ThreadingHTTPServer):
    """Answers every request by ``behave(handler, number of the request)``."""

    def __init__(self, behave: Any) -> None:
        self.behave, self.asked, self.lock = behave, 0, threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        with self.server.lock:
            self.server.asked += 1
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.behave(self, self.server.asked)

    def reply(self, body: bytes, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[Any]:
    """A function that starts a server with a behaviour, and returns its endpoint and the server."""
    running: list[Server] = []

    def start(behave: Any, timeout: float = 30) -> tuple[Endpoint, Server]:
        server = Server(behave)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return Endpoint(
            url=f"http://127.0.0.1:{server.server_port}/v1", model="m", key="secret", timeout=timeout
        ), server

    try:
        yield start
    finally:
        for server in running:
            server.shutdown()
            server.server_close()
