# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a gateway that balance requests, and the wait until they use targets as configured.

Source of the states of targets: the conformance case health_states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

from .._deadline import Deadline, NotYet, is_temporary, poll
from .._entities._kind import Entity
from .._entities._upstream import TARGET
from .._errors import InputError, KongError, error_context
from .._gateway._protocol import Gateway, connected
from .._parallel import for_each
from .._plan import Plan, by_identity
from ._base import Task

STATUS_URLS: dict[str, dict[str, Any]] = {"status_urls": {"type": "list", "elements": "str"}}
_PLACEHOLDERS = ("{ip}", "{hostname}")


def health_by_address(node: Gateway, upstream: str) -> dict[str, Entity]:
    """The targets of an upstream as the balancer of a node has them."""
    return {each["target"]: each for each in node.health(upstream) or []}


def balancing_nodes(task: Task) -> list[Gateway]:
    """Every node whose balancers are read.

    :raises InputError: an invalid URL, or only a control plane, which has no balancers.
    """
    further = further_nodes(task)
    own = [task.gateway] if task.gateway.traits().has_balancer else []
    if not own and not further:
        raise InputError(
            "a control plane has no balancer to wait for; set status_urls to the status URLs of "
            "its data planes, or wait to false"
        )
    return [*own, *further]


def further_nodes(task: Task) -> list[Gateway]:
    """The nodes in ``status_urls``."""
    written: list[str] = task.params.get("status_urls") or []
    urls = dict.fromkeys(url for each in written for url in _expanded(task, each))
    return [task.node(url) for url in urls]


def _expanded(task: Task, url: str) -> Iterator[str]:
    """The URL; with a placeholder, one for each connected data plane."""
    if not any(name in url for name in _PLACEHOLDERS):
        yield url
        return
    planes = connected(task.gateway.data_planes())
    if not planes:
        raise InputError(
            f"status_urls: {task.gateway.url} has no connected data planes for {url}; "
            "set the URL of each data plane"
        )
    if "{ip}" in url and not all(plane.get("ip") for plane in planes):
        raise InputError(
            f"status_urls: {task.gateway.url} does not report the addresses of its data planes; "
            f"use {{hostname}} in {url}, or set the URL of each data plane"
        )
    for plane in planes:
        ip = str(plane.get("ip") or "")
        ip = f"[{ip}]" if ":" in ip else ip
        yield url.replace("{ip}", ip).replace("{hostname}", str(plane.get("hostname") or ""))


USABLE = ("HEALTHY", "HEALTHCHECKS_OFF")
NO_HEALTH = "UNKNOWN"
_WHY = {
    NO_HEALTH: "no balancer uses it yet",
    "DNS_ERROR": "the gateway cannot resolve its name",
    "UNHEALTHY": "its health checks fail",
}
# The targets of a node by their addresses, or why it does not respond.
_Seen = Union[dict[str, Entity], KongError]


@dataclass(frozen=True)
class TargetWait:
    """Targets of one upstream that the balancer of every node must use as they are written.

    :param key: the upstream in paths.
    """

    task: Task
    upstream: str
    key: str
    nodes: Sequence[Gateway]
    plans: Sequence[Plan]

    @cached_property
    def targets(self) -> dict[str, Entity]:
        return by_identity(TARGET, [plan.after for plan in self.plans if plan.after])

    def run(self) -> dict[str, Any]:
        """Read the health from every node until all balancers use the targets so.

        That is when the balancer has the written weight of a target and, unless it is drained,
        when it is healthy or health checks are off.

        :returns: ``health`` by address (``UNKNOWN`` without a balancer), and with ``status_urls``
            ``nodes`` with that of each node.
        :raises KongError: not within ``wait_timeout`` seconds; names the targets and the reason.
        """
        return poll(self._look, Deadline(self.task.params["wait_timeout"]))

    def _look(self) -> dict[str, Any]:
        seen = for_each(self._ask, self.nodes)
        result = self._result(seen)
        reasons = [why for node, each in zip(self.nodes, seen) for why in self._reasons(node, each)]
        if reasons:
            wanted = "out of the balancer" if self._draining else "usable"
            raise NotYet(
                f"targets of upstream {self.upstream} at {self.task.gateway.url} are not {wanted} "
                f"after {self.task.params['wait_timeout']} s: {', '.join(reasons)}",
                **result,
            )
        return result

    def _ask(self, node: Gateway) -> _Seen:
        with error_context(f"health of upstream {self.upstream} at {node.url}"):
            try:
                return health_by_address(node, self.key)
            except KongError as exc:
                if is_temporary(exc):
                    return exc
                raise

    def _result(self, seen: Sequence[_Seen]) -> dict[str, Any]:
        states = {
            node.url: {address: _state(each, address) for address in self.targets}
            for node, each in zip(self.nodes, seen)
        }
        nodes = {"nodes": states} if self.task.params.get("status_urls") else {}
        return {"health": next(iter(states.values())), **nodes}

    def _reasons(self, node: Gateway, seen: _Seen) -> list[str]:
        if isinstance(seen, KongError):
            return [seen.message]
        where = "" if len(self.nodes) == 1 else f" at {node.url}"
        reasons = {address: self._why_not_yet(address, seen) for address in self.targets}
        return [f"{address} is {why}{where}" for address, why in reasons.items() if why]

    def _why_not_yet(self, address: str, seen: dict[str, Entity]) -> str | None:
        """The state of a target that is not used as written; None where it is."""
        state = _state(seen, address)
        # The balancer's own record, not the entity's; an empty one is an empty object.
        weight = (seen.get(address, {}).get("data") or {}).get("nodeWeight")
        usable = self._draining or state in USABLE
        if usable and weight == self.targets[address]["weight"]:
            return None
        if state in _WHY and (state == NO_HEALTH or not usable):
            return f"{state} ({_WHY[state]})"
        return f"{state} with the weight {weight}"

    @property
    def _draining(self) -> bool:
        return bool(self.task.params["state"] == "drained")


def _state(seen: _Seen, address: str) -> str:
    found = {} if isinstance(seen, KongError) else seen.get(address, {})
    return str(found.get("health") or NO_HEALTH)
