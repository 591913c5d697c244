# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The balancers: one an upstream, following the store some time behind it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Protocol

from .algorithms import ALGORITHMS, Address, round_robin
from .healthchecks import HealthChecker, uses_healthchecks
from .resolver import Answer, Resolver

Entity = dict[str, Any]

logger = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two looks at the store's revision, at most."""

REQUERY = 30.0
"""Seconds between two look-ups of a target's name, as on a gateway whose look-up failed."""


class BalancerError(Exception):
    """A health operation that the gateway refuses; the text is the gateway's own."""


class NoBalancer(BalancerError):
    """No balancer knows the upstream, or not yet."""

    def __init__(self, upstream: str) -> None:
        super().__init__(f"Upstream {upstream} has no balancer")


class NoHealthchecker(BalancerError):
    """The upstream has neither active nor passive checks."""

    def __init__(self, upstream: str) -> None:
        super().__init__(f"no healthchecker found for {upstream}")


class ConfigurationSource(Protocol):
    """What this module needs of the store."""

    @property
    def revision(self) -> int:
        ...

    def snapshot(self) -> dict[str, list[Entity]]:
        ...


class BalancedTarget:
    """A target with the addresses that its name resolved to."""

    def __init__(self, entity: Entity, answer: Answer) -> None:
        self.id: str = entity["id"]
        self.weight: int = entity["weight"]
        self.dns = answer.dns
        self.host, port = split_target(entity["target"])
        self.port = port
        self.addresses = [Address(ip, port, self.weight, self.host) for ip in answer.addresses]


def split_target(target: str) -> tuple[str, int]:
    """`host:port` of a stored target; an IPv6 host keeps its brackets."""
    host, separator, port = target.rpartition(":")
    return (host, int(port)) if separator else (target, 8000)


class Balancer:
    """Balances one upstream, as it was configured when the balancer was made."""

    def __init__(
        self, upstream: Entity, targets: list[BalancedTarget], old: Balancer | None = None
    ) -> None:
        """`old`: the balancer that this one replaces; known health is taken over from it."""
        self.upstream = upstream
        self.targets = targets
        self.checker: HealthChecker | None = None
        if uses_healthchecks(upstream):
            known = old.checker.counters if old and old.checker else None
            keys = [address.key for address in self._addresses() if address.weight > 0]
            self.checker = HealthChecker(upstream, keys, known)

    def _addresses(self) -> list[Address]:
        return [address for target in self.targets for address in target.addresses]

    def available(self, address: Address) -> bool:
        return self.checker is None or self.checker.healthy(address.key)

    def healthy(self) -> bool:
        """Whether more of the weight is available than the upstream's threshold, in percent."""
        weight = self._weight(self._addresses())
        if not weight["total"]:
            return False
        threshold = self.upstream["healthchecks"].get("threshold") or 0
        return bool(weight["available"] / weight["total"] * 100 > threshold)

    def pick(self, hash_key: str | None, tried: Collection[Address]) -> Address | None:
        """The address for the next try of a request; none where no usable one is left."""
        if not self.healthy():
            return None
        usable = [
            address
            for address in self._addresses()
            if address.weight > 0 and self.available(address) and address not in tried
        ]
        if not usable:
            return None
        return ALGORITHMS.get(self.upstream["algorithm"], round_robin)(usable, hash_key)

    def report_status(self, address: Address, status: int) -> None:
        """Tell the passive checks the status of a proxied answer."""
        if self.checker:
            self.checker.report_status(address.key, status, "passive")

    def report_failure(self, address: Address, timed_out: bool) -> None:
        """Tell the passive checks of a try that brought no answer."""
        if self.checker and timed_out:
            self.checker.report_timeout(address.key, "passive")
        elif self.checker:
            self.checker.report_tcp_failure(address.key, "passive")

    def _weight(self, addresses: list[Address]) -> dict[str, int]:
        total = sum(address.weight for address in addresses)
        available = sum(address.weight for address in addresses if self.available(address))
        return {"available": available, "total": total, "unavailable": total - available}

    def _status(self, target: BalancedTarget, addresses: list[Entity]) -> Entity:
        return {
            "addresses": addresses or {},
            "dns": target.dns,
            "host": target.host,
            "nodeWeight": target.weight,
            "port": target.port,
            "weight": self._weight(target.addresses),
        }

    def _address_health(self, address: Address) -> str:
        if self.checker is None or address.weight == 0:
            return "HEALTHCHECKS_OFF"
        return "HEALTHY" if self.available(address) else "UNHEALTHY"

    def target_health(self, target: BalancedTarget) -> Entity:
        """`health` and `data` of one target (conformance case `health_states`)."""
        states = [self._address_health(address) for address in target.addresses]
        addresses: list[Entity] = [
            {"health": state, "ip": address.ip, "port": address.port, "weight": address.weight}
            for address, state in zip(target.addresses, states, strict=True)
        ]
        # One healthy address makes the target healthy.
        health = "HEALTHY" if "HEALTHY" in states else (states or ["DNS_ERROR"])[0]
        return {"health": health, "data": self._status(target, addresses)}

    def summary(self) -> Entity:
        """The `data` of `?balancer_health=1` (conformance case `health_states`)."""
        state = "HEALTHY" if self.healthy() else "UNHEALTHY"
        hosts = [self._status(target, self._plain(target)) for target in self.targets]
        return {
            "balancer_health": state,
            "details": {
                "healthy": self.healthy(),
                "hosts": hosts or {},
                "weight": self._weight(self._addresses()),
            },
            "health": state if self.checker else "HEALTHCHECKS_OFF",
            "id": self.upstream["id"],
        }

    def _plain(self, target: BalancedTarget) -> list[Entity]:
        return [
            {
                "healthy": self.available(address),
                "ip": address.ip,
                "port": address.port,
                "weight": address.weight,
            }
            for address in target.addresses
        ]


class Balancers:
    """The configuration that the proxy works with, `propagation` seconds behind the store.

    `generation` rises whenever a new configuration was taken over; `routes` and `services`
    are those of that configuration, so that routes and balancers change together.
    """

    def __init__(
        self, store: ConfigurationSource, propagation: float = 0.25, requery: float = REQUERY
    ) -> None:
        """`propagation` and `requery` (of the names of targets) in seconds."""
        self.store = store
        self.generation = 0
        self.routes: list[Entity] = []
        self.services: list[Entity] = []
        self.resolver = Resolver()
        self._propagation = propagation
        self._requery = requery
        self._by_id: dict[str, Balancer] = {}
        self._made_from: dict[str, object] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take the store's present state over at once, then follow it, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._follow())

    def stop(self) -> asyncio.Future[Any]:
        """Stop following and probing. Await the result to see the tasks gone."""
        for balancer in self._by_id.values():
            if balancer.checker:
                balancer.checker.stop()
        tasks = [self._task] if self._task else []
        for task in tasks:
            task.cancel()
        return asyncio.gather(*tasks, return_exceptions=True)

    def for_host(self, host: str) -> Balancer | None:
        """The balancer of the upstream that has this name, if there is one."""
        found = (each for each in self._by_id.values() if each.upstream["name"] == host)
        return next(found, None)

    def health(self, upstream_id: str) -> dict[str, Entity]:
        """`health` and `data` by target id; a target no balancer knows yet is absent."""
        balancer = self._by_id.get(upstream_id)
        if balancer is None:
            return {}
        return {target.id: balancer.target_health(target) for target in balancer.targets}

    def balancer_health(self, upstream: Entity) -> Entity:
        """The `data` of `?balancer_health=1`; empty as long as there is no balancer."""
        balancer = self._by_id.get(upstream["id"])
        return balancer.summary() if balancer else {}

    def set_health(
        self, upstream: Entity, target: Entity, address: str | None, healthy: bool
    ) -> None:
        """Set a target's addresses (or the one `ip:port`) healthy or unhealthy by hand.

        Raises `NoBalancer` or `NoHealthchecker`. Addresses that are not checked, because their
        weight is 0 or the balancer does not know them yet, stay as they are.
        """
        balancer = self._by_id.get(upstream["id"])
        if balancer is None:
            raise NoBalancer(upstream["name"])
        if balancer.checker is None:
            raise NoHealthchecker(upstream["name"])
        for known in balancer.targets:
            if known.id != target["id"]:
                continue
            for each in known.addresses:
                if address in (None, each.ip, f"{each.ip}:{each.port}"):
                    balancer.checker.set_status(each.key, healthy)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        revision = self.store.revision
        await self._try_take_over()
        requery_at = loop.time() + self._requery
        while True:
            await asyncio.sleep(min(TICK, self._propagation or TICK))
            if self.store.revision != revision:
                await asyncio.sleep(self._propagation)
                revision = self.store.revision
                await self._try_take_over()
            elif loop.time() >= requery_at:
                if await self.resolver.refresh():
                    await self._try_take_over()
                requery_at = loop.time() + self._requery

    async def _try_take_over(self) -> None:
        try:
            await self._take_over()
        except Exception:
            # As a gateway does: the last good configuration goes on running.
            logger.exception("the configuration of revision %d is not usable", self.store.revision)

    async def _take_over(self) -> None:
        """Make the store's present state the one that the proxy works with."""
        snapshot = self.store.snapshot()
        targets: defaultdict[str, list[Entity]] = defaultdict(list)
        for target in sorted(snapshot["targets"], key=lambda each: each["created_at"]):
            targets[target["upstream"]["id"]].append(target)
        hosts = {split_target(target["target"])[0] for target in snapshot["targets"]}
        self.resolver.keep_only(hosts)
        answers = await self.resolver.answers(hosts)
        # No await from here on: a request sees the old configuration or the new one.
        upstreams = {upstream["id"]: upstream for upstream in snapshot["upstreams"]}
        for gone in self._by_id.keys() - upstreams.keys():
            self._drop(gone)
        for upstream in upstreams.values():
            self._build(upstream, targets[upstream["id"]], answers)
        self.routes = snapshot["routes"]
        self.services = snapshot["services"]
        self.generation += 1

    def _drop(self, upstream_id: str) -> Balancer | None:
        old = self._by_id.pop(upstream_id, None)
        self._made_from.pop(upstream_id, None)
        if old and old.checker:
            old.checker.stop()
        return old

    def _build(self, upstream: Entity, targets: list[Entity], answers: dict[str, Answer]) -> None:
        resolved = [answers[split_target(target["target"])[0]] for target in targets]
        made_from = (upstream, targets, resolved)
        # An untouched upstream keeps its balancer, and with it the turn of its targets.
        if self._made_from.get(upstream["id"]) == made_from:
            return
        old = self._drop(upstream["id"])
        pairs = zip(targets, resolved, strict=True)
        balancer = Balancer(upstream, [BalancedTarget(each, answer) for each, answer in pairs], old)
        self._by_id[upstream["id"]] = balancer
        self._made_from[upstream["id"]] = made_from
        if balancer.checker:
            balancer.checker.start()
