# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy port: routing, balancing, streaming to and from the targets."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx

from .balancer import Balancers, ConfigurationSource
from .exchange import ClientGone, Exchange, Message, RawHeaders, Receive, Send
from .forward import (
    Answered,
    BalancedPeers,
    DirectPeers,
    Forwarder,
    NoAnswer,
    NoPeer,
    Peers,
    added_via,
    end_to_end,
)
from .hashing import hash_key
from .resolver import resolve
from .router import Entity, Match, Router

logger = logging.getLogger(__name__)

NO_ROUTE = "no Route matched with those values"
NO_SERVICE = "no Service found with those values"
NO_PEER = "failure to get a peer from the ring-balancer"
NO_NAME = "name resolution failed"
BAD_ANSWER = "An invalid response was received from the upstream server"
TIMED_OUT = "The upstream server is timing out"
HTTPS_ONLY = "Please use HTTPS protocol"


SERVER_OPTIONS: dict[str, Any] = {
    "lifespan": "off",
    "proxy_headers": False,
    "server_header": False,
    "date_header": False,
}
"""What uvicorn must be told: a client's X-Forwarded-* are not to be believed, and `Server` and
`Date` are the targets' own."""


def proxy_app(store: ConfigurationSource, balancers: Balancers, version: str) -> Proxy:
    """The ASGI application of the proxy port.

    `version` (such as `3.10.0`) is what `Via` and `Server` show. Serve it with `SERVER_OPTIONS`.
    `balancers` must follow `store`, else `ValueError`.
    """
    if balancers.store is not store:
        raise ValueError("the proxy and its balancers must follow the same store")
    return Proxy(balancers, version)


class Proxy:
    """Routes and forwards by the configuration that the balancers took over last."""

    def __init__(self, balancers: Balancers, version: str) -> None:
        self._balancers = balancers
        self._version = version
        self._forwarder = Forwarder()
        self._router = Router([], [])
        self._generation = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"the proxy serves no {scope['type']}")
        exchange = Exchange(scope, receive, send, self._version)
        try:
            await self._serve(exchange)
        except ClientGone:
            logger.debug("request %s was given up by its client", exchange.request_id)

    def _route(self, exchange: Exchange) -> Match | None:
        if self._generation != self._balancers.generation:
            self._generation = self._balancers.generation
            self._router = Router(self._balancers.routes, self._balancers.services)
        return self._router.match(exchange.request)

    async def _serve(self, exchange: Exchange) -> None:
        match = self._route(exchange)
        if match is None:
            await exchange.refuse(404, NO_ROUTE)
        elif "http" not in match.route["protocols"] and exchange.request.scheme == "http":
            await self._send_to_https(exchange, match)
        elif match.service is None:
            await exchange.refuse(503, NO_SERVICE)
        else:
            await self._forward(exchange, match, match.service)

    async def _send_to_https(self, exchange: Exchange, match: Match) -> None:
        status = match.route.get("https_redirect_status_code") or 426
        if status == 426:
            upgrade = [("Connection", "Upgrade"), ("Upgrade", "TLS/1.2, HTTP/1.1")]
            await exchange.refuse(426, HTTPS_ONLY, upgrade)
            return
        query = "?" + exchange.query.decode("latin-1") if exchange.query else ""
        host = exchange.request.host.partition(":")[0]
        location = f"https://{host}{exchange.request.path}{query}"
        await exchange.answer(status, b"", [("Location", location)])

    async def _forward(self, exchange: Exchange, match: Match, service: Entity) -> None:
        balancer = self._balancers.for_host(service["host"])
        cookie: str | None = None
        host_header: str | None = None
        peers: Peers
        if balancer is not None:
            key, cookie = hash_key(balancer.upstream, exchange, match.captures)
            host_header = balancer.upstream.get("host_header")
            peers = BalancedPeers(balancer, key)
        else:
            answer = await resolve(service["host"])
            peers = DirectPeers(service["host"], service["port"], answer)
        try:
            answered = await self._forwarder.forward(exchange, match, peers, host_header)
        except NoPeer:
            await exchange.refuse(503, NO_PEER if balancer else NO_NAME)
        except NoAnswer as error:
            status, message = (504, TIMED_OUT) if error.timed_out else (502, BAD_ANSWER)
            await exchange.refuse(status, message)
        else:
            await self._relay(exchange, answered, cookie)

    async def _relay(self, exchange: Exchange, answered: Answered, cookie: str | None) -> None:
        """Pass an answer on as it arrives, until its end or until the client has gone."""
        try:
            await exchange.send(
                {
                    "type": "http.response.start",
                    "status": answered.response.status_code,
                    "headers": _response_headers(exchange, answered, cookie),
                }
            )
            streaming = asyncio.ensure_future(_stream(exchange, answered))
            leaving = asyncio.ensure_future(_client_leaves(exchange))
            try:
                await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                streaming.cancel()
                leaving.cancel()
                await asyncio.gather(streaming, leaving, return_exceptions=True)
        finally:
            answered.release()
            await answered.response.aclose()


async def _stream(exchange: Exchange, answered: Answered) -> None:
    try:
        async for chunk in answered.body():
            await exchange.send({"type": "http.response.body", "body": chunk, "more_body": True})
    except httpx.TransportError as error:
        # Left incomplete, so that the server cuts the connection, as the gateway would.
        logger.info("answer to %s broke off: %s", exchange.request_id, error)
        return
    await exchange.send({"type": "http.response.body", "body": b""})


async def _client_leaves(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        continue


def _response_headers(exchange: Exchange, answered: Answered, cookie: str | None) -> RawHeaders:
    upstream_latency = round(answered.latency * 1000)
    own = {
        "Set-Cookie": cookie,
        "X-Kong-Upstream-Latency": str(upstream_latency),
        "X-Kong-Proxy-Latency": str(max(0, exchange.elapsed() - upstream_latency)),
        "X-Kong-Request-Id": exchange.request_id,
    }
    made = [(name.encode(), value.encode("latin-1")) for name, value in own.items() if value]
    replaced = {name.lower().encode() for name in own} - {b"set-cookie"}
    passed = [
        (name, value)
        for name, value in end_to_end(answered.response.headers.raw)
        if name.lower() not in replaced
    ]
    version = answered.response.extensions["http_version"].decode("ascii").removeprefix("HTTP/")
    return added_via([*passed, *made], version, exchange.gateway)
