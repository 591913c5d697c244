# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a connection to a gateway is made: TLS context, proxy, and the httpx import."""

from __future__ import annotations

import functools
import ipaddress
import json
import logging
import os
import ssl
import traceback
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ._deadline import seconds_left
from ._errors import InputError

try:
    import certifi
    import httpcore
    import httpx
except ImportError:
    HTTPX_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HTTPX_IMPORT_ERROR = None
    _ERRORS = (
        httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError,
        httpcore.ProxyError, httpcore.UnsupportedProtocol,
    )  # fmt: skip
    # Both log every request's URL at INFO, which a run with ANSIBLE_LOG_PATH would keep.
    for logger in ("httpx", "httpcore"):
        logging.getLogger(logger).setLevel(logging.WARNING)

_PIECE = 65536  # bytes written under one timeout
# Headers that belong to a request, unless the user gives them.
_OF_REQUEST = (b"Host", b"Content-Length", b"Content-Type")
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@functools.lru_cache(maxsize=8)
def tls_context(
    validate_certs: bool = True,
    ca_path: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
) -> ssl.SSLContext:
    """One TLS context for each set of settings of a process; building one takes some 20 ms.

    :param ca_path: PEM file or hashed directory that is trusted instead of the system's store.
    :raises InputError: a file is missing or is not what it should be.
    """
    directory = ca_path if ca_path and os.path.isdir(ca_path) else None
    try:
        context = ssl.create_default_context(
            cafile=None if directory else ca_path, capath=directory
        )
    except (OSError, ssl.SSLError) as exc:
        raise InputError(f"ca_path {ca_path!r} cannot be used: {_reason(exc)}") from exc
    if ca_path is None and not _has_system_store():
        context.load_verify_locations(cafile=certifi.where())
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        try:
            context.load_cert_chain(client_cert, client_key, password=_no_passphrase)
        except (OSError, ssl.SSLError) as exc:
            raise InputError(
                f"client_cert {client_cert!r} and client_key cannot be used: {_reason(exc)}"
            ) from exc
    return context


def _has_system_store() -> bool:
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or paths.capath is not None


def _no_passphrase() -> str:
    # OpenSSL would prompt on the terminal and block the task.
    raise InputError("client_key is encrypted; set it to a key without a passphrase")


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``; loopback is never proxied."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    proxies = urllib.request.getproxies_environment()
    bypassed = urllib.request.proxy_bypass_environment(host, proxies)  # type: ignore[attr-defined]
    if bypassed:
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    # Other tools accept a bare host and port, too.
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def split_url(url: str) -> urllib.parse.SplitResult | None:
    """The parts of a URL with http or https and a host; None for any other string."""
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address without brackets) is this machine's loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def prepare() -> None:
    """Load httpx and the usual TLS context in the process from which tasks are forked."""
    if HTTPX_IMPORT_ERROR is None:
        tls_context()


def new_httpx_client(base_url: str, tls: dict[str, Any], **settings: Any) -> httpx.Client:
    """An ``httpx.Client`` of one connection, whose requests end with their deadline.

    It uses nothing of the environment but the proxy.

    :raises InputError: the proxy cannot be used, or :func:`tls_context` refuses its files.
    """
    transport = _new_transport(base_url, tls)
    return httpx.Client(
        base_url=base_url,
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        **settings,
    )


def new_sender(base_url: str, tls: dict[str, Any], headers: Mapping[str, str]) -> Sender:
    """The same with fixed headers, and without all that an Admin API does not need.

    :raises InputError: the proxy cannot be used, or :func:`tls_context` refuses its files.
    """
    return Sender(_new_transport(base_url, tls)._pool, headers)


class Sender:
    """Sends requests over one connection.

    Cookies, redirects and a pool are half of the processor time of ``httpx.Client``.

    :param pool: creates the connection, through a proxy where there is one.
    """

    def __init__(self, pool: Any, headers: Mapping[str, str]) -> None:
        self.pool = pool
        self._connection: Any = None
        given = httpx.Headers({"Accept-Encoding": "gzip, deflate"})
        given.update(headers)
        self._headers = given.raw
        self._given = {name for name in _OF_REQUEST if name.decode() in given}

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        timeout: float,
    ) -> httpx.Response:
        """Send a request and read the response.

        :raises httpx.RequestError: there is no response, or no whole one.
        :raises httpx.InvalidURL: the URL is none.
        """
        target, host = _parsed(url, tuple((params or {}).items()))
        content = b"" if json is None else _to_json(json).encode()
        own = {b"Host": host}
        if content or method in ("POST", "PUT", "PATCH"):
            own[b"Content-Length"] = b"%d" % len(content)
        if content:
            own[b"Content-Type"] = b"application/json"
        request = httpcore.Request(
            method,
            target,
            headers=[*((n, v) for n, v in own.items() if n not in self._given), *self._headers],
            content=content,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)},
        )
        try:
            response = self._connected(target.origin).handle_request(request)
            try:
                body = response.read()
            finally:
                response.close()
        except _ERRORS as exc:
            # httpx has them by the same names.
            raise getattr(httpx, type(exc).__name__)(str(exc)) from exc
        return httpx.Response(response.status, headers=response.headers, content=body)

    def _connected(self, origin: httpcore.Origin) -> Any:
        """The connection, a new one where the last one cannot be used again."""
        last = self._connection
        if last is None or not (
            last.is_available() and last.can_handle_request(origin) and not last.has_expired()
        ):
            self.close()
            self._connection = self.pool.create_connection(origin)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@functools.lru_cache(maxsize=64)
def _parsed(url: str, params: tuple[tuple[str, str], ...]) -> tuple[httpcore.URL, bytes]:
    """A URL and its host, parsed once: all entities of a list are created at the same one."""
    parsed = httpx.URL(url, params=params) if params else httpx.URL(url)
    target = httpcore.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )
    return target, parsed.netloc


def _new_transport(base_url: str, tls: dict[str, Any]) -> httpx.HTTPTransport:
    verify: Any = tls_context(**tls) if base_url.startswith("https:") else False
    proxy = proxy_for(base_url)
    if proxy is not None:
        _check_proxy(proxy, base_url)
    # Many servers close after 5 s without a request: a write then would be lost without a response.
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=4.0)
    transport = httpx.HTTPTransport(verify=verify, trust_env=False, proxy=proxy, limits=limits)
    # httpx has timeouts for single reads only: a slow server would block a task for ever.
    pool: Any = transport._pool
    pool._network_backend = TimedBackend(pool._network_backend)
    return transport


class TimedBackend:
    """Opens connections whose every step ends with the running deadline."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, *args: Any, **settings: Any) -> TimedStream:
        settings["timeout"] = _seconds(settings.get("timeout"), httpx.ConnectTimeout)
        return TimedStream(self._backend.connect_tcp(*args, **settings))


class TimedStream:
    """A connection, in the form in which httpcore uses one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._unsent = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # A server can respond, and close, before it has read everything.
        with suppress(httpcore.WriteError):
            self._send(timeout)
        data: bytes = self._stream.read(max_bytes, _seconds(timeout, httpx.ReadTimeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, together with what comes before the next read: headers and body are one packet."""
        self._unsent += buffer
        if len(self._unsent) >= _PIECE:
            self._send(timeout)

    def _send(self, timeout: float | None) -> None:
        buffer, self._unsent = self._unsent, b""
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._stream.write(piece, _seconds(timeout, httpx.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **settings: Any) -> TimedStream:
        settings["timeout"] = _seconds(settings.get("timeout"), httpx.ConnectTimeout)
        return TimedStream(self._stream.start_tls(*args, **settings))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _seconds(timeout: float | None, too_late: type[httpx.TimeoutException]) -> float | None:
    left = seconds_left(timeout)
    if left is not None and left <= 0:
        raise too_late("the deadline has passed")
    return left


def _check_proxy(proxy: str, base_url: str) -> None:
    try:
        httpx.Client(proxy=proxy, trust_env=False, verify=False).close()
    except (ValueError, ImportError, httpx.InvalidURL):
        # Its URL is not repeated: it may hold a password.
        raise InputError(
            f"the proxy in the environment cannot be used for {base_url}; its URL must begin with "
            "http:// or https:// (socks5:// needs the Python package httpx[socks])"
        ) from None
