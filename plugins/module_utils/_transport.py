# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a connection to a gateway is made: TLS context, proxy, and the httpx import."""

from __future__ import annotations

import functools
import ipaddress
import logging
import os
import socket
import ssl
import traceback
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ._deadline import seconds_left
from ._errors import InputError
from ._sender import KEPT_SECONDS, Sender

try:
    import certifi
    import httpcore
    import httpx
except ImportError:
    HTTPX_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HTTPX_IMPORT_ERROR = None
    # Both log every request's URL at INFO, which a run with ANSIBLE_LOG_PATH would keep.
    for logger in ("httpx", "httpcore"):
        logging.getLogger(logger).setLevel(logging.WARNING)

_PIECE = 65536  # bytes written under one timeout


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
    context.set_alpn_protocols(["http/1.1"])
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
    bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    # An entry of no_proxy can have a port.
    if bypass(host, proxies) or bypass(f"{host}:{parts.port}", proxies):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    # Other tools accept a bare host and port, too.
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def split_url(url: str) -> urllib.parse.SplitResult | None:
    """The parts of a URL with http or https and a host; None for any other string."""
    try:
        parts = urllib.parse.urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return None
    # An empty part of a name, as of an empty variable, cannot be looked up.
    labels = (parts.hostname or "").removesuffix(".").split(".")
    has_host = all(0 < len(label) < 64 for label in labels)
    return parts if parts.scheme in ("http", "https") and has_host and has_port else None


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


def new_sender(
    base_url: str, tls: dict[str, Any], headers: Mapping[str, str]
) -> Sender | httpx.Client:
    """What sends requests with fixed headers; a proxy needs all that httpx can do.

    :raises InputError: the proxy cannot be used, or :func:`tls_context` refuses its files.
    """
    if proxy_for(base_url) is not None:
        return new_httpx_client(base_url, tls, headers=headers)
    if base_url.startswith("https:"):
        tls_context(**tls)
    backend = TimedBackend(httpcore.SyncBackend())

    def connect(url: httpx.URL, timeout: float) -> TimedStream:
        host, is_https = url.raw_host.decode(), url.scheme == "https"
        port = url.port or (443 if is_https else 80)
        stream = backend.connect_tcp(host, port, timeout=timeout)
        return stream.start_tls(tls_context(**tls), host, timeout=timeout) if is_https else stream

    return Sender(connect, headers)


def _new_transport(base_url: str, tls: dict[str, Any]) -> httpx.HTTPTransport:
    verify: Any = tls_context(**tls) if base_url.startswith("https:") else False
    proxy = proxy_for(base_url)
    if proxy is not None:
        _check_proxy(proxy, base_url)
    limits = httpx.Limits(
        max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS
    )
    transport = httpx.HTTPTransport(verify=verify, trust_env=False, proxy=proxy, limits=limits)
    # httpx has timeouts for single reads only: a slow server would block a task for ever.
    pool: Any = transport._pool
    pool._network_backend = TimedBackend(pool._network_backend)
    return transport


class TimedBackend:
    """Opens connections whose every step ends with the running deadline."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **settings: Any
    ) -> TimedStream:
        """Connect to the first address of a host that responds; each has its share of the time."""
        *others, last = _addresses(host, port)
        for position, address in enumerate(others):
            left = _seconds(timeout, httpx.ConnectTimeout)
            share = None if left is None else left / (len(others) - position + 1)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return TimedStream(self._backend.connect_tcp(address, port, share, **settings))
        left = _seconds(timeout, httpx.ConnectTimeout)
        return TimedStream(self._backend.connect_tcp(last, port, left, **settings))


class TimedStream:
    """A connection, in the form in which httpcore uses one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._stream.read(max_bytes, _seconds(timeout, httpx.ReadTimeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
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


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, or its name, which then cannot be resolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return [host]
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


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
