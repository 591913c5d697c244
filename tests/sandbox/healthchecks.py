# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health of target addresses: the counters of active and passive checks, and the probes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

CheckKind = Literal["active", "passive"]
AddressKey = tuple[str, int, str]
"""IP, port and the target's host: what a gateway counts failures by."""


@dataclass
class Counters:
    """Health of one address and what speaks against it so far."""

    healthy: bool = True
    successes: int = 0
    tcp_failures: int = 0
    http_failures: int = 0
    timeouts: int = 0

    def failures(self) -> int:
        return self.tcp_failures + self.http_failures + self.timeouts

    def settle(self, healthy: bool) -> None:
        """Take a state for certain: what was counted before no longer matters."""
        self.healthy = healthy
        self.successes = self.tcp_failures = self.http_failures = self.timeouts = 0


def uses_healthchecks(upstream: dict[str, Any]) -> bool:
    """Whether an upstream has a health checker: an interval, or a passive failure limit."""
    active = upstream["healthchecks"]["active"]
    limits = upstream["healthchecks"]["passive"]["unhealthy"]
    return any(
        (
            active["healthy"]["interval"],
            active["unhealthy"]["interval"],
            limits["tcp_failures"],
            limits["timeouts"],
            limits["http_failures"],
        )
    )


class HealthChecker:
    """The health of one upstream's addresses.

    A success counts towards `successes` only where that limit is above zero, and then it also
    forgets the failures; a limit of zero switches its counter off. Source: the behaviour of
    lua-resty-healthcheck, which real gateways use.
    """

    def __init__(
        self,
        upstream: dict[str, Any],
        keys: Iterable[AddressKey],
        known: dict[AddressKey, Counters] | None = None,
    ) -> None:
        """`known`: the counters of the checker that this one replaces."""
        self._checks: dict[str, Any] = upstream["healthchecks"]
        self._host_header: str | None = upstream.get("host_header")
        known = known or {}
        self.counters = {key: known.get(key) or Counters() for key in keys}
        self._tasks: list[asyncio.Task[None]] = []

    def healthy(self, key: AddressKey) -> bool:
        """An address that is not checked (its weight is 0) counts as healthy."""
        counters = self.counters.get(key)
        return counters is None or counters.healthy

    def set_status(self, key: AddressKey, healthy: bool) -> None:
        """Set a state by hand; the next active probe may overrule it."""
        if key in self.counters:
            self.counters[key].settle(healthy)

    def report_status(self, key: AddressKey, status: int, kind: CheckKind) -> None:
        """Count an HTTP status by the lists of the active or passive checks."""
        checks = self._checks[kind]
        if status in (checks["healthy"]["http_statuses"] or ()):
            self.report_success(key, kind)
        elif status in (checks["unhealthy"]["http_statuses"] or ()):
            self._failed(key, kind, "http_failures")

    def report_tcp_failure(self, key: AddressKey, kind: CheckKind) -> None:
        """Count a connection that was refused or broke."""
        self._failed(key, kind, "tcp_failures")

    def report_timeout(self, key: AddressKey, kind: CheckKind) -> None:
        """Count a connection or an answer that took too long."""
        self._failed(key, kind, "timeouts")

    def report_success(self, key: AddressKey, kind: CheckKind) -> None:
        """Count a success: an answer with a good status, a TCP connection that opened."""
        counters = self.counters.get(key)
        limit = self._checks[kind]["healthy"]["successes"] or 0
        if counters is None or not limit or (counters.healthy and not counters.failures()):
            return
        counters.successes += 1
        counters.tcp_failures = counters.http_failures = counters.timeouts = 0
        if counters.successes >= limit:
            counters.settle(True)

    def _failed(self, key: AddressKey, kind: CheckKind, counter: str) -> None:
        counters = self.counters.get(key)
        limit = self._checks[kind]["unhealthy"][counter] or 0
        if counters is None or not limit:
            return
        counters.successes = 0
        if not counters.healthy:
            return
        setattr(counters, counter, getattr(counters, counter) + 1)
        if getattr(counters, counter) >= limit:
            counters.settle(False)

    def start(self) -> None:
        """Start the active probes, in the running event loop, if the upstream asks for any."""
        active = self._checks["active"]
        for healthy, name in ((True, "healthy"), (False, "unhealthy")):
            interval = active[name]["interval"] or 0
            if interval > 0:
                probing = self._probe_all(healthy, interval)
                self._tasks.append(asyncio.get_running_loop().create_task(probing))

    def stop(self) -> None:
        """Stop the probes; what they were waiting for is cancelled."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    async def _probe_all(self, healthy: bool, interval: float) -> None:
        """Probe those addresses that are healthy (or not), now and every `interval` seconds."""
        limit = asyncio.Semaphore(self._checks["active"]["concurrency"] or 1)

        async def one(key: AddressKey) -> None:
            async with limit:
                await self.probe(key)

        while True:
            due = [key for key, each in self.counters.items() if each.healthy == healthy]
            await asyncio.gather(*(one(key) for key in due))
            await asyncio.sleep(interval)

    async def probe(self, key: AddressKey) -> None:
        """One active probe of one address, counted."""
        try:
            async with asyncio.timeout(self._checks["active"]["timeout"] or 1):
                status = await self._ask(key)
        except TimeoutError:
            self.report_timeout(key, "active")
        except (OSError, ValueError):
            self.report_tcp_failure(key, "active")
        else:
            if status is None:
                self.report_success(key, "active")
            else:
                self.report_status(key, status, "active")

    async def _ask(self, key: AddressKey) -> int | None:
        """The HTTP status of the probe's answer; none where opening a connection is the probe."""
        ip, port, host = key
        active = self._checks["active"]
        kind = active["type"]
        tls = self._tls() if kind in ("https", "grpcs") else None
        name = (active["https_sni"] or host) if tls else None
        reader, writer = await asyncio.open_connection(
            ip.strip("[]"), port, ssl=tls, server_hostname=name
        )
        try:
            if kind == "tcp":
                return None
            writer.write(self._request(host))
            await writer.drain()
            status_line = await reader.readline()
            return int(status_line.split(b" ")[1].decode("ascii"))
        except IndexError:
            raise ValueError("the answer has no status line") from None
        finally:
            writer.close()

    def _request(self, host: str) -> bytes:
        active = self._checks["active"]
        lines = [f"GET {active['http_path'] or '/'} HTTP/1.0"]
        for name, values in (active["headers"] or {}).items():
            lines += [f"{name}: {value}" for value in values]
        lines.append(f"Host: {self._host_header or host}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self._checks["active"]["https_verify_certificate"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
