# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending a request on to a target: headers, tries, time limits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from .algorithms import Address
from .balancer import Balancer
from .exchange import Exchange, RawHeaders
from .paths import escape
from .resolver import Answer
from .router import Match, split_port

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
REPLACED = frozenset(
    (
        b"host",
        b"expect",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-path",
        b"x-forwarded-prefix",
        b"x-real-ip",
        b"x-kong-request-id",
    )
)
TLS_PROTOCOLS = frozenset(("https", "grpcs", "wss"))
DEFAULT_PORTS = {"http": 80, "https": 443}
UNSAFE_TO_REPEAT = frozenset(("POST", "LOCK", "PATCH"))
"""Methods that are not tried again once something was sent (the default of nginx)."""


class Peers(Protocol):
    """Where a request may be sent, one try after the other."""

    def pick(self, tried: Collection[Address]) -> Address | None:
        ...

    def report_status(self, address: Address, status: int) -> None:
        ...

    def report_failure(self, address: Address, timed_out: bool) -> None:
        ...


class BalancedPeers:
    """The addresses of an upstream's targets; its passive checks hear what became of a try."""

    def __init__(self, balancer: Balancer, hash_key: str | None) -> None:
        self._hash_key = hash_key
        self._balancer = balancer
        self.report_status = balancer.report_status
        self.report_failure = balancer.report_failure

    def pick(self, tried: Collection[Address]) -> Address | None:
        return self._balancer.pick(self._hash_key, tried)


class DirectPeers:
    """The addresses that the host of a service without an upstream resolves to, in order."""

    def __init__(self, host: str, port: int, answer: Answer) -> None:
        self._addresses = [Address(ip, port, 1, host) for ip in answer.addresses]

    def pick(self, tried: Collection[Address]) -> Address | None:
        return next((each for each in self._addresses if each not in tried), None)

    def report_status(self, address: Address, status: int) -> None:
        """Nobody checks the health of a host without an upstream."""

    def report_failure(self, address: Address, timed_out: bool) -> None:
        """Nobody checks the health of a host without an upstream."""


class NoPeer(Exception):
    """No address was usable, not even for a first try."""


class NoAnswer(Exception):
    """Every try failed; `timed_out` tells how the last one did."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__("no try brought an answer")
        self.timed_out = timed_out


@dataclass
class Answered:
    """A target's answer, its body still to be read; `address` is busy until it was."""

    response: httpx.Response
    address: Address
    latency: float
    released: bool = False

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it arrives. The address is free before its last byte is passed on, so that
        a client's next request does not find it busy with the one before."""
        left = int(self.response.headers.get("content-length", -1))
        async for chunk in self.response.aiter_raw():
            left -= len(chunk)
            if left == 0:
                self.release()
            yield chunk
        self.release()

    def release(self) -> None:
        """Count the request as no longer under way, once."""
        if not self.released:
            self.released = True
            self.address.in_flight -= 1


def end_to_end(headers: RawHeaders) -> RawHeaders:
    """The headers without those that concern one connection only (RFC 9110, 7.6.1)."""
    named = [value for name, value in headers if name.lower() == b"connection"]
    listed = {token.strip().lower() for value in named for token in value.split(b",")}
    dropped = HOP_BY_HOP | listed
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def added_via(headers: RawHeaders, http_version: str, gateway: str) -> RawHeaders:
    """The headers with the gateway at the end of `Via` (RFC 9110, 7.6.3)."""
    before = [value for name, value in headers if name.lower() == b"via"]
    others = [(name, value) for name, value in headers if name.lower() != b"via"]
    return [*others, (b"Via", b", ".join([*before, f"{http_version} {gateway}".encode()]))]


class Forwarder:
    """Sends requests to targets, each over a connection of its own."""

    def __init__(self) -> None:
        self._transports: dict[bool, httpx.AsyncHTTPTransport] = {}

    def _transport(self, verify: bool) -> httpx.AsyncHTTPTransport:
        """One transport with certificate checks and one without, made when first needed."""
        if verify not in self._transports:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transports[verify] = httpx.AsyncHTTPTransport(
                verify=verify, trust_env=False, limits=limits
            )
        return self._transports[verify]

    async def forward(
        self, exchange: Exchange, match: Match, peers: Peers, host_header: str | None
    ) -> Answered:
        """Try one address after the other, up to the service's `retries` more than once.

        The match must have a service. Raises `NoPeer`, `NoAnswer` or `ClientGone`. A try that
        sent a part of the body, or one with a method that is unsafe to repeat, is the last one,
        unless it never connected.
        """
        service = match.service or {}
        tried: list[Address] = []
        timed_out = False
        while len(tried) <= (service.get("retries") or 0):
            address = peers.pick(tried)
            if address is None:
                break
            tried.append(address)
            request = _request(exchange, match, service, address, host_header)
            try:
                answered = await self._try(request, address, bool(service.get("tls_verify")))
            except httpx.TransportError as error:
                timed_out = isinstance(error, httpx.TimeoutException)
                peers.report_failure(address, timed_out)
                if not _repeatable(error, exchange):
                    break
            else:
                peers.report_status(address, answered.response.status_code)
                return answered
        if not tried:
            raise NoPeer
        raise NoAnswer(timed_out)

    async def _try(self, request: httpx.Request, address: Address, verify: bool) -> Answered:
        started = time.perf_counter()
        address.in_flight += 1
        try:
            response = await self._transport(verify).handle_async_request(request)
        except BaseException:
            # Also where the client left: the address must not look busy for ever.
            address.in_flight -= 1
            raise
        latency = time.perf_counter() - started
        address.observe(latency)
        return Answered(response, address, latency)


def _repeatable(error: httpx.TransportError, exchange: Exchange) -> bool:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return True
    return not exchange.body.begun and exchange.request.method not in UNSAFE_TO_REPEAT


def _request(
    exchange: Exchange,
    match: Match,
    service: dict[str, Any],
    address: Address,
    host_header: str | None,
) -> httpx.Request:
    scheme = "https" if service["protocol"] in TLS_PROTOCOLS else "http"
    name = host_header or address.host
    host = name if address.port == DEFAULT_PORTS[scheme] else f"{name}:{address.port}"
    if match.route.get("preserve_host"):
        host = exchange.request.host
    target = escape(match.upstream_path).encode("ascii")
    if exchange.query:
        target += b"?" + exchange.query
    return httpx.Request(
        exchange.request.method,
        f"{scheme}://{address.ip}:{address.port}/",
        headers=_request_headers(exchange, match, host),
        stream=exchange.body,
        extensions={
            "target": target,
            "sni_hostname": split_port(host)[0],
            "timeout": _time_limits(service),
        },
    )


def _time_limits(service: dict[str, Any]) -> dict[str, float]:
    """The service's limits, milliseconds there and seconds here; a null is the default of 60 s."""
    return {
        kind: (service.get(f"{kind}_timeout") or 60000) / 1000
        for kind in ("connect", "read", "write")
    }


def _request_headers(exchange: Exchange, match: Match, host: str) -> RawHeaders:
    """The client's headers with `Host`, `Via` and those about the client made by the gateway."""
    kept = end_to_end(exchange.headers)
    chunked = exchange.header("transfer-encoding") is not None
    before = exchange.header("x-forwarded-for")
    own = {
        "Host": host,
        "Connection": "keep-alive",
        "Transfer-Encoding": "chunked" if chunked else None,
        "X-Forwarded-For": f"{before}, {exchange.client_ip}" if before else exchange.client_ip,
        "X-Forwarded-Proto": exchange.request.scheme,
        "X-Forwarded-Host": split_port(exchange.request.host)[0],
        "X-Forwarded-Port": str(exchange.server_port),
        "X-Forwarded-Path": exchange.request.path,
        "X-Forwarded-Prefix": match.prefix,
        "X-Real-IP": exchange.client_ip,
        "X-Kong-Request-Id": exchange.request_id,
    }
    made = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in own.items()
        if value is not None
    ]
    passed = [(name, value) for name, value in kept if name.lower() not in REPLACED - {b"via"}]
    return added_via([*made, *passed], exchange.http_version, exchange.gateway)
