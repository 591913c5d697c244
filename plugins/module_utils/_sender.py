# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests in HTTP/1.1 over one connection.

The standard library writes and reads them: ``httpx.Client`` takes three times the processor time
for each request, which is most of what a large state file costs.
"""

from __future__ import annotations

import functools
import http.client
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Callable

from ._deadline import stopwatch

with suppress(ImportError):  # reported at the edge, with the library's name
    import httpcore
    import httpx

    _ERRORS = (httpcore.TimeoutException, httpcore.NetworkError)

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
# Many servers close after 5 s without a request: a write then would be lost without a response.
KEPT_SECONDS = 4.0
_ORIGIN = ("scheme", "host", "port")


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
        self._headers = self._headers_of_json = dict(headers)
        if not any(name.lower() == "content-type" for name in headers):
            self._headers_of_json = {"Content-Type": "application/json", **headers}
        self._connection: _Connection | None = None
        self._idle_seconds = stopwatch()

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
        body, headers = None, self._headers
        if json is not None:
            body, headers = _to_json(json).encode(), self._headers_of_json
        try:
            connection = self._usable(parsed, timeout)
            connection.request(method, parsed.raw_path.decode(), body, headers)
            with connection.getresponse() as found:
                named = {name.lower(): value for name, value in found.headers.items()}
                response = Response(found.status, named, found.read())
        except BaseException as exc:
            self.close()
            if isinstance(exc, _ERRORS):
                # httpx has them by the same names.
                raise getattr(httpx, type(exc).__name__)(str(exc)) from exc
            if isinstance(exc, http.client.HTTPException):
                raise httpx.RemoteProtocolError(_reason(exc)) from exc
            raise
        self._idle_seconds = stopwatch()
        return response

    def _usable(self, url: httpx.URL, timeout: float) -> _Connection:
        """The connection, a new one where the last one cannot be used again."""
        connection = self._connection
        if connection is None or not connection.leads_to(url):
            self.close()
            connection = self._connection = _Connection(url, self._connect)
        # A server that sends something between responses closes the connection.
        elif connection.sock is not None and (
            self._idle_seconds() > KEPT_SECONDS
            or connection.sock.stream.get_extra_info("is_readable")
        ):
            connection.close()
        connection.timeout = timeout
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@functools.lru_cache(maxsize=64)
def _parsed(url: str, params: tuple[tuple[str, str], ...]) -> httpx.URL:
    """A URL, parsed once: all entities of a list are created at the same one."""
    return httpx.URL(url, params=params) if params else httpx.URL(url)


def _reason(exc: http.client.HTTPException) -> str:
    is_disconnected = isinstance(exc, http.client.RemoteDisconnected)
    if isinstance(exc, http.client.BadStatusLine) and not is_disconnected:
        # The line can be anything, as an alert of TLS, which no terminal can show.
        return "the response is not one of HTTP"
    return str(exc) or type(exc).__name__


class _FinalResponse(http.client.HTTPResponse):
    """A response after those with a status below 200, which the standard library returns."""

    def begin(self) -> None:
        super().begin()
        while self.status < 200:
            self.headers = None  # type: ignore[assignment]
            super().begin()
        if self.status in (204, 304):
            # They have no body, whatever their headers say.
            self.chunked = False


class _Connection(http.client.HTTPConnection):
    """A connection of the standard library over a stream that has a timeout for each step."""

    response_class = _FinalResponse
    sock: _Socket | None

    def __init__(self, url: httpx.URL, open_stream: Callable[[httpx.URL, float], Any]) -> None:
        self.default_port = 443 if url.scheme == "https" else 80
        super().__init__(url.raw_host.decode(), url.port or self.default_port)
        self._url, self._open_stream = url, open_stream
        self.timeout: float = 0

    def leads_to(self, url: httpx.URL) -> bool:
        return all(getattr(url, name) == getattr(self._url, name) for name in _ORIGIN)

    def connect(self) -> None:
        self.sock = _Socket(self._open_stream(self._url, self.timeout), self)


class _Socket:
    """A stream, with what the standard library uses of a socket."""

    def __init__(self, stream: Any, connection: _Connection) -> None:
        self.stream, self._connection = stream, connection
        self._request = b""
        self._response: _Input | None = None
        self._is_closed = False

    def sendall(self, data: bytes) -> None:
        self._request += data

    def makefile(self, mode: str) -> BinaryIO:
        """Where the response is read from; the whole request is sent at once before."""
        request, self._request = self._request, b""
        # A server can respond, and close, before it has read everything.
        with suppress(httpcore.WriteError):
            self.stream.write(request, self._connection.timeout)
        self._response = _Input(self, self._connection.timeout)
        return io.BufferedReader(self._response, 16384)

    def close(self) -> None:
        """Close the stream, once the response is read."""
        self._is_closed = True
        self.response_read()

    def response_read(self) -> None:
        if self._is_closed and (self._response is None or self._response.closed):
            self.stream.close()


class _Input(io.RawIOBase):
    """What a server sends, as a file."""

    def __init__(self, source: _Socket, timeout: float) -> None:
        self._source, self._timeout = source, timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.stream.read(len(buffer), self._timeout)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        super().close()
        self._source.response_read()
