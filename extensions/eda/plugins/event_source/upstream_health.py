# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polls the health of upstreams' targets and emits an event for each change.

``ansible-rulebook`` runs :func:`main`; it brings aiohttp along. The file stands alone: a decision
environment need not have the collection's modules installed.

Source of the responses' shape: the conformance cases health_states and target_health.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

DOCUMENTATION = r"""
---
short_description: Changes in the health of the targets of Kong Gateway
version_added: 1.0.0
description:
  - Polls C(/upstreams/NAME/health) of one or many gateways, at their Admin API or, for data planes and gateways without
    a database, at their status port, and emits an event when a target changes. Nothing is emitted while nothing changes.
  - A gateway that does not answer is asked less and less often, up to O(max_backoff), and is polled as before once it
    answers.
  - Health is each node's own. Poll every node that balances; a control plane and Konnect have no health to show, so
    poll the status ports of their data planes.
options:
  gateways:
    description:
      - The gateways to poll. Each is a URL, or a dictionary with a C(url) and any of C(name), C(token), C(headers),
        C(upstreams), C(validate_certs), C(ca_path), C(client_cert) and C(client_key), which override the options here.
      - C(name) stands in events in place of the URL.
    type: list
    elements: raw
    required: true
  upstreams:
    description:
      - The names of the upstreams to poll. Without it all upstreams that the Admin API lists are polled.
      - A status port lists none, so there the names are required.
    type: list
    elements: str
  interval:
    description: Seconds between two polls of an upstream.
    type: float
    default: 5
  discovery_interval:
    description: Seconds between two listings of the upstreams, where O(upstreams) is not written.
    type: float
    default: 60
  timeout:
    description: Seconds that a gateway has to answer one request.
    type: float
    default: 10
  max_backoff:
    description: The most seconds between two attempts at a gateway that does not answer.
    type: float
    default: 60
  report_existing:
    description: Whether targets that are not healthy when the source starts are emitted, as if they had just changed.
    type: bool
    default: false
  token:
    description: The token that is sent as C(Kong-Admin-Token).
    type: str
  headers:
    description: Further headers of each request.
    type: dict
  validate_certs:
    description: Whether the certificates of C(https://) gateways are verified.
    type: bool
    default: true
  ca_path:
    description: Path of the certificates of authorities that are trusted.
    type: str
  client_cert:
    description: Path of a client certificate.
    type: str
  client_key:
    description: Path of the key of O(client_cert), where it is not in the same file.
    type: str
notes:
  - The event is C(event.upstream_health) with C(gateway), C(upstream), C(target), C(change), C(previous), C(weight) and
    C(at) (seconds since the epoch).
  - C(change) is C(healthy), C(unhealthy), C(dns_error), C(drained) (weight 0), C(unchecked) (no health checks),
    C(added) or C(removed); of a gateway as a whole, without an upstream and a target, C(unreachable) or C(reachable).
  - Of a target that was added, C(previous) is null and C(status) is its status.
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Drain what keeps failing
  hosts: localhost
  sources:
    - irishtek.kong.upstream_health:
        gateways:
          - name: kong-1
            url: https://kong-1.example:8444
            token: "{{ kong_admin_token }}"
        interval: 5
  rules:
    - name: A target became unhealthy
      condition: event.upstream_health.change == "unhealthy"
      action:
        debug:
          msg: "{{ event.upstream_health.target }} of {{ event.upstream_health.upstream }} is down"
"""

LOGGER = logging.getLogger(__name__)
_STATUSES = {
    "HEALTHY": "healthy",
    "UNHEALTHY": "unhealthy",
    "DNS_ERROR": "dns_error",
    "HEALTHCHECKS_OFF": "unchecked",
}
_TROUBLED = frozenset({"unhealthy", "dns_error"})
_OWN_OPTIONS = (
    *("upstreams", "token", "headers", "validate_certs", "ca_path", "client_cert", "client_key"),
)
_PAGE_SIZE = 1000


class NoAnswer(Exception):
    """A gateway did not answer as an Admin API or a status port does.

    :param pause: seconds that the gateway asks to wait, if it does.
    """

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Pool:
    """One upstream as it was seen last, and what is different now."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        # The last response: the same one again is not parsed.
        self.body: bytes | None = None
        self._targets: dict[str, tuple[str, int]] | None = None

    def changes(
        self, entries: list[dict[str, Any]], report_existing: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The changes since the last look, which this one replaces; the first look has none.

        :param report_existing: whether the first look emits targets that are not healthy.
        """
        known, first = self._targets or {}, self._targets is None
        seen: dict[str, tuple[str, int]] = {}
        for entry in entries:
            target = str(entry["target"])
            before = known.get(target)
            status = _status_of(entry, before)
            if status is None:
                continue  # the balancer has no status for it yet
            seen[target] = now = (status, int(entry["weight"]))
            if before is None and first:
                if report_existing and status in _TROUBLED:
                    yield self._change(target, status, None, now)
            elif before is None:
                yield self._change(target, "added", None, now)
            elif before[0] != status:
                yield self._change(target, status, before[0], now)
        for target in known.keys() - seen.keys():
            yield self._change(target, "removed", known[target][0], known[target])
        self._targets = seen

    def gone(self) -> Iterator[dict[str, Any]]:
        """The changes when the upstream itself is no longer there."""
        yield from self.changes([])
        self.body = None

    def _change(
        self, target: str, change: str, previous: str | None, now: tuple[str, int]
    ) -> dict[str, Any]:
        return {
            "upstream": self.upstream,
            "target": target,
            "change": change,
            "previous": previous,
            "status": "removed" if change == "removed" else now[0],
            "weight": now[1],
        }


def _status_of(entry: Mapping[str, Any], before: tuple[str, int] | None) -> str | None:
    """A target's status; without one from the balancer yet, the previous one."""
    if entry["weight"] == 0:
        return "drained"
    health = entry.get("health")
    if health is None:
        return before[0] if before else None
    return _STATUSES.get(health, str(health).lower())


class Gateway:
    """One gateway: polls its upstreams, and keeps what was seen of them."""

    def __init__(self, options: Mapping[str, Any], session: aiohttp.ClientSession) -> None:
        self.url = str(options["url"]).rstrip("/")
        self.name = str(options.get("name") or self.url)
        self._named = options.get("upstreams")
        self._session = session
        self._tls = _tls_of(self.url, options)
        self._headers = {str(key): str(value) for key, value in (options["headers"] or {}).items()}
        if options.get("token"):
            self._headers["Kong-Admin-Token"] = str(options["token"])
        self._pools: dict[str, Pool] = {}
        self._discover_at = 0.0

    async def poll(
        self, discovery_interval: float, report_existing: bool
    ) -> AsyncIterator[dict[str, Any]]:
        """The changes since the last poll.

        :raises NoAnswer: the gateway cannot be polled now.
        """
        if time.monotonic() >= self._discover_at:
            names = self._named if self._named is not None else await self._list()
            for name in names:
                self._pools.setdefault(str(name), Pool(str(name)))
            for name in self._pools.keys() - set(map(str, names)):
                for change in self._pools.pop(name).gone():
                    yield change
            self._discover_at = time.monotonic() + discovery_interval
        for pool in list(self._pools.values()):
            async for change in self._look(pool, report_existing):
                yield change

    async def _look(self, pool: Pool, report_existing: bool) -> AsyncIterator[dict[str, Any]]:
        path = f"/upstreams/{quote(pool.upstream, safe='')}/health"
        body = await self._get(path)
        if body is None:
            for change in pool.gone():
                yield change
        elif body != pool.body:
            entries = await self._entries(path, body)
            for change in pool.changes(entries, report_existing):
                yield change
            pool.body = body

    async def _list(self) -> list[str]:
        body = await self._get("/upstreams")
        if body is None:
            raise NoAnswer("it lists no upstreams, as a status port: set upstreams")
        return [str(each["name"]) for each in await self._entries("/upstreams", body)]

    async def _entries(self, path: str, body: bytes) -> list[dict[str, Any]]:
        """The entries of a list whose first page is ``body``."""
        page = _decoded(body)
        # Lua writes an empty list as an empty object.
        entries = list(page["data"] or ())
        while page.get("offset"):
            page = _decoded(await self._get(path, page["offset"]) or b"")
            entries += page["data"] or ()
        return entries

    async def _get(self, path: str, offset: str | None = None) -> bytes | None:
        """The body of a response, None for 404."""
        query = f"?size={_PAGE_SIZE}" + (f"&offset={quote(str(offset), safe='')}" if offset else "")
        try:
            request = self._session.get(
                self.url + path + query, headers=self._headers, ssl=self._tls, allow_redirects=False
            )
            async with request as response:
                body: bytes = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            # Neither the URL nor a header is part of these texts.
            raise NoAnswer(type(exc).__name__) from None
        if response.status == 404:
            return None
        if response.status != 200:
            pause = response.headers.get("Retry-After", "")
            raise NoAnswer(f"HTTP {response.status}", float(pause) if pause.isdigit() else None)
        return body


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        page = json.loads(body)
    except ValueError:
        page = None
    if not isinstance(page, dict) or "data" not in page:
        raise NoAnswer("the response is not one of an Admin API or a status port")
    return page


def _tls_of(url: str, options: Mapping[str, Any]) -> ssl.SSLContext | bool:
    if urlsplit(url).scheme != "https":
        return True
    context = ssl.create_default_context(cafile=options.get("ca_path"))
    if not options.get("validate_certs", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.get("client_cert"):
        context.load_cert_chain(options["client_cert"], options.get("client_key"))
    return context


class Watch:
    """Polls one gateway until it is cancelled, and puts what changed into the queue."""

    def __init__(
        self, gateway: Gateway, queue: asyncio.Queue[Any], options: Mapping[str, Any]
    ) -> None:
        self._gateway = gateway
        self._queue = queue
        self._interval = float(options["interval"])
        self._longest = max(float(options["max_backoff"]), self._interval)
        self._discovery = float(options["discovery_interval"])
        self._report_existing = bool(options["report_existing"])
        self._failures = 0

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            pause = await self.once()
            # Polls that a slow gateway has missed are not made up for.
            due = max(due + pause, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def once(self) -> float:
        """Poll once; the seconds until the next poll."""
        try:
            async for change in self._gateway.poll(self._discovery, self._report_existing):
                await self._emit(change)
        except NoAnswer as exc:
            return await self._back_off(exc)
        if self._failures:
            self._failures = 0
            await self._emit({"change": "reachable"})
        return self._interval

    async def _back_off(self, exc: NoAnswer) -> float:
        LOGGER.warning("no health of %s: %s", self._gateway.name, exc)
        self._failures += 1
        if self._failures == 1:
            await self._emit({"change": "unreachable"})
        # The exponent is bounded: the power of a long outage would be no float.
        pause = self._interval * 2.0 ** min(self._failures, 16) * random.uniform(0.75, 1.0)
        return min(self._longest, max(pause, exc.pause or 0.0))

    async def _emit(self, change: Mapping[str, Any]) -> None:
        nothing = {"upstream": None, "target": None, "previous": None, "status": None}
        about = {"gateway": self._gateway.name, "at": time.time()}
        await self._queue.put({"upstream_health": {**nothing, "weight": None, **about, **change}})


_DEFAULTS: dict[str, Any] = {
    "interval": 5.0,
    "discovery_interval": 60.0,
    "timeout": 10.0,
    "max_backoff": 60.0,
    "report_existing": False,
    "upstreams": None,
    "headers": None,
    "validate_certs": True,
}


def options_of(args: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their defaults; each gateway with those that it does not override.

    :raises ValueError: names the option that is missing or invalid.
    """
    options = {**_DEFAULTS, **args}
    if not isinstance(options.get("gateways"), list) or not options["gateways"]:
        raise ValueError("gateways is required: a list of URLs, or of dictionaries with a url")
    for name in ("interval", "discovery_interval", "timeout", "max_backoff"):
        if float(options[name]) <= 0:
            raise ValueError(f"{name} must be greater than 0, got {options[name]}")
    shared = {name: options.get(name) for name in _OWN_OPTIONS}
    gateways = []
    for position, written in enumerate(options["gateways"], 1):
        own = written if isinstance(written, Mapping) else {"url": written}
        parts = urlsplit(str(own.get("url") or ""))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"gateway {position} has no url that begins with http:// or https://")
        if parts.username is not None:
            raise ValueError(f"the url of gateway {position} must not hold credentials: use token")
        gateways.append({**shared, **own})
    return {**options, "gateways": gateways}


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Poll all gateways at the same time until the rulebook ends."""
    options = options_of(args)
    timeout = aiohttp.ClientTimeout(total=float(options["timeout"]))
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=2)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        gateways = [Gateway(each, session) for each in options["gateways"]]
        await asyncio.gather(*(Watch(each, queue, options).run() for each in gateways))
