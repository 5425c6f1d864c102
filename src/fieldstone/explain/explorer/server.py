"""The explorer's own server: one page on this machine, behind an address that nobody can guess."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from fieldstone.errors import FieldstoneError
from fieldstone.explain.explorer.faults import Fault, fault_of
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.payload import Seen
from fieldstone.explain.explorer.why import why
from fieldstone.progress import Progress

HOST = "127.0.0.1"
MOST_BODY = 64 * 2**20
"""Bytes of an image that is dropped on the page."""
MOST_SEEN = 4
"""Images whose maps are kept."""
SECONDS_TO_SEND = 30

SHORT = re.compile(r"[0-9]{1,15}")
"""A number that is worth reading."""

Look = Callable[[bytes, str], Seen]
"""Runs the network on the bytes of an image of that name. Raises FieldstoneError."""


class Explorer(ThreadingHTTPServer):
    """Serves one network; the network runs for one request at a time.

    Attributes:
        address: of the page; its path holds the token without which nothing is answered.
    """

    daemon_threads = True

    def __init__(self, first: Seen, look: Look, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.token = secrets.token_urlsafe(32)
        self.address = f"http://{HOST}:{self.server_port}/{self.token}/"
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}
        self.look, self.lock = look, threading.Lock()
        self._seen: OrderedDict[int, Seen] = OrderedDict()
        self._count = 0
        self.keep(first)

    def keep(self, seen: Seen) -> int:
        """Remember what an image made; the oldest is forgotten. Its number."""
        self._count += 1
        self._seen[self._count] = seen
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return self._count

    def seen(self, number: int) -> Seen:
        """What an image made. Raises KeyError once it is forgotten."""
        return self._seen[number]

    @property
    def newest(self) -> int:
        return self._count

    def payload(self, number: int) -> dict[str, Any]:
        """What the page is told of an image; the numbers it asks for one by one."""
        live = {"number": number, "arrays": "arrays/", "image": "image", "why": "why", "most": MOST_BODY}
        with self.lock:  # another request may be adding arrays
            seen = self.seen(number)
            return {**seen.told, "live": live, "why": None, "arrays": seen.arrays.described()}


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus, key: str, **values: Any) -> None:
        super().__init__(key)
        self.status = status
        self.fault = Fault(key, values)


class _Handler(BaseHTTPRequestHandler):
    server: Explorer
    timeout = SECONDS_TO_SEND
    server_version, sys_version = "Fieldstone", ""

    def do_GET(self) -> None:
        self._answer({"": self._page, "arrays": self._array, "why": self._why})

    def do_POST(self) -> None:
        self._answer({"image": self._image})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address, with its token, is nobody's business."""

    def _answer(self, doors: dict[str, Callable[[str, dict[str, str]], tuple[str, bytes]]]) -> None:
        try:
            door, rest, asked = self._opened()
            if door not in doors:
                raise _RefusedError(HTTPStatus.NOT_FOUND, "nothing")
            kind, content = doors[door](rest, asked)
            self._send(HTTPStatus.OK, kind, content)
        except _RefusedError as refusal:
            self._tell(refusal.status, refusal.fault)
        except FieldstoneError as error:
            self._tell(HTTPStatus.BAD_REQUEST, fault_of(error))
        except (RuntimeError, MemoryError) as error:  # torch's, such as too little memory
            self._tell(HTTPStatus.INTERNAL_SERVER_ERROR, Fault("network", {"detail": str(error)}))

    def _opened(self) -> tuple[str, str, dict[str, str]]:
        """What is asked for: the door, what stands behind it, and the query. Refuses strangers."""
        if self.headers.get("Host") not in self.server.hosts:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "stranger")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in self.server.hosts}:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "stranger")
        path, _, query = self.path.partition("?")
        first, token, *rest = [*path.split("/", 3), ""]
        given = (first + token).encode(errors="replace")
        if not secrets.compare_digest(given, self.server.token.encode()) or len(rest) < 2:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "nothing")
        asked = {key: values[-1] for key, values in parse_qs(query).items()}
        return rest[0], unquote(rest[1]), asked

    def _page(self, rest: str, asked: dict[str, str]) -> tuple[str, bytes]:
        return "text/html; charset=utf-8", html(self.server.payload(self.server.newest)).encode()

    def _array(self, rest: str, asked: dict[str, str]) -> tuple[str, bytes]:
        arrays = self._seen(asked).arrays
        if rest not in arrays.tensors:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "array", name=rest)
        return "application/octet-stream", arrays.bytes(rest)

    def _why(self, rest: str, asked: dict[str, str]) -> tuple[str, bytes]:
        seen = self._seen(asked)
        place = asked.get("class", "")
        if not SHORT.fullmatch(place) or int(place) >= len(seen.explored.classes):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "class", place=place)
        with self.server.lock:
            found = why(seen, [int(place)], Progress.quiet())
            known = seen.arrays.described()
        return "application/json", json.dumps({"why": found, "arrays": known}).encode()

    def _image(self, rest: str, asked: dict[str, str]) -> tuple[str, bytes]:
        length = self.headers.get("Content-Length", "")
        if not SHORT.fullmatch(length):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "length")
        if int(length) > MOST_BODY:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "large", most=MOST_BODY // 2**20)
        content = self.rfile.read(int(length))
        with self.server.lock:
            number = self.server.keep(self.server.look(content, asked.get("name", "image")))
        return "application/json", json.dumps(self.server.payload(number)).encode()

    def _seen(self, asked: dict[str, str]) -> Seen:
        number = asked.get("image", "")
        try:
            return self.server.seen(int(number) if SHORT.fullmatch(number) else 0)
        except KeyError:
            raise _RefusedError(HTTPStatus.GONE, "gone") from None

    def _tell(self, status: HTTPStatus, fault: Fault) -> None:
        self._send(status, "application/json", json.dumps(fault._asdict()).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in GUARDS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


GUARDS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What a browser is told with every answer."""
