# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests in HTTP/1.1 over one connection. Private to the collection.

``httpx.Client`` takes four times the processor time for each request, which is most of what a
large state file costs.
"""

from __future__ import annotations

import functools
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Callable

from ._deadline import stopwatch

with suppress(ImportError):  # reported at the edge, with the library's name
    import httpcore
    import httpx

    _ERRORS = (httpcore.TimeoutException, httpcore.NetworkError)

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
# Headers that belong to a request, unless the user gives them.
_OF_REQUEST = (b"host", b"content-length", b"content-type", b"accept-encoding")
_LONGEST_LINE, _MOST_HEADERS = 65536, 200
# Many servers close after 5 s without a request: a write then would be lost without a response.
KEPT_SECONDS = 4.0


class Response:
    """A response, with the names that httpx has for its parts.

    :param headers: their names in lower case.
    """

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def is_error(self) -> bool:
        return self.status_code >= 400

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status_code < 400

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.content)


class Sender:
    """Sends requests over one connection, which is opened when it is needed.

    :param connect: opens the connection to a URL within so many seconds.
    """

    def __init__(
        self, connect: Callable[[httpx.URL, float], Any], headers: Mapping[str, str]
    ) -> None:
        self._connect = connect
        self._stream: Any = None
        self._origin: tuple[str, str, int | None] | None = None
        self._idle_seconds = stopwatch()
        raw = httpx.Headers(headers).raw
        self._headers = b"".join(b"%s: %s\r\n" % each for each in raw)
        self._given = {name.lower() for name, _value in raw}

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        timeout: float,
    ) -> Response:
        """Send a request and read the response.

        :raises httpx.RequestError: there is no response, or no whole one.
        :raises httpx.InvalidURL: the URL is none.
        """
        parsed = _parsed(url, tuple((params or {}).items()))
        content = b"" if json is None else _to_json(json).encode()
        own = {b"host": parsed.netloc, b"accept-encoding": b"gzip"}
        if content or method in ("POST", "PUT", "PATCH"):
            own[b"content-length"] = b"%d" % len(content)
        if content:
            own[b"content-type"] = b"application/json"
        lines = b"".join(b"%s: %s\r\n" % each for each in own.items() if each[0] not in self._given)
        start = b"%s %s HTTP/1.1\r\n" % (method.encode(), parsed.raw_path)
        try:
            stream = self._connected(parsed, timeout)
            # A server can respond, and close, before it has read everything.
            with suppress(httpcore.WriteError):
                stream.write(start + lines + self._headers + b"\r\n" + content, timeout)
            response, is_kept = _read_response(_Input(stream, timeout), method)
        except BaseException as exc:
            self.close()
            if isinstance(exc, _ERRORS):
                # httpx has them by the same names.
                raise getattr(httpx, type(exc).__name__)(str(exc)) from exc
            raise
        if not is_kept:
            self.close()
        self._idle_seconds = stopwatch()
        return response

    def _connected(self, url: httpx.URL, timeout: float) -> Any:
        """The connection, a new one where the last one cannot be used again."""
        origin = (url.scheme, url.host, url.port)
        # A server that sends something between responses closes the connection.
        if self._stream is not None and (
            origin != self._origin
            or self._idle_seconds() > KEPT_SECONDS
            or self._stream.get_extra_info("is_readable")
        ):
            self.close()
        if self._stream is None:
            self._stream, self._origin = self._connect(url, timeout), origin
        return self._stream

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


@functools.lru_cache(maxsize=64)
def _parsed(url: str, params: tuple[tuple[str, str], ...]) -> httpx.URL:
    """A URL, parsed once: all entities of a list are created at the same one."""
    return httpx.URL(url, params=params) if params else httpx.URL(url)


class _Input(io.RawIOBase):
    """What a server sends, as a file."""

    def __init__(self, stream: Any, timeout: float) -> None:
        self._stream, self._timeout = stream, timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer), self._timeout)
        buffer[: len(data)] = data
        return len(data)


def _read_response(raw: _Input, method: str) -> tuple[Response, bool]:
    """A response, and whether another request can follow over the connection."""
    source: BinaryIO = io.BufferedReader(raw, 16384)
    status = 100
    # What a server says before its response, but for a change of the protocol.
    while 100 <= status < 200 and status != 101:
        version, status = _status(source)
        headers = _headers(source)
    coding = headers.get("transfer-encoding", "identity").lower()
    options = headers.get("connection", "").lower()
    is_kept = "close" not in options and (version != b"HTTP/1.0" or "keep-alive" in options)
    if method == "HEAD" or status in (101, 204, 304):
        content = b""
    elif coding != "identity":
        content = b"".join(_chunks(source))
    elif "content-length" in headers:
        content = _exactly(source, _number(headers["content-length"], 10))
    else:
        content, is_kept = source.read(), False
    if headers.get("content-encoding", "").lower() == "gzip":
        try:
            content = zlib.decompress(content, 31)
        except zlib.error as exc:
            raise httpx.DecodingError(str(exc)) from exc
    return Response(status, headers, content), is_kept


def _status(source: BinaryIO) -> tuple[bytes, int]:
    line = source.readline(_LONGEST_LINE)
    if not line:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    version, _space, rest = line.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
        raise httpx.RemoteProtocolError("the response is not HTTP/1.1")
    return version, int(rest[:3])


def _headers(source: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    for _number_of_line in range(_MOST_HEADERS):
        line = _line(source)
        if not line:
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise httpx.RemoteProtocolError("a header of the response has no name")
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    raise httpx.RemoteProtocolError("the response has too many headers")


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while size := _number(_line(source).split(b";")[0].decode("latin-1"), 16):
        yield _exactly(source, size)
        _line(source)
    # What follows are headers.
    _headers(source)


def _line(source: BinaryIO) -> bytes:
    line = source.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise _cut_off()
    return line.rstrip(b"\r\n")


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise _cut_off()
    return data


def _number(digits: str, base: int) -> int:
    try:
        number = int(digits, base)
    except ValueError:
        number = -1
    if number < 0:
        raise httpx.RemoteProtocolError("the length of the response is not a number")
    return number


def _cut_off() -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError("the connection was closed within the response")
