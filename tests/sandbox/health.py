# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of upstreams and targets in the Admin API; the balancers know it, this asks them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import errors, paging
from .balancer import BalancerError, Balancers
from .entities import Entities
from .store import Entity

if TYPE_CHECKING:
    from .resources import Answer, Call, Handler

STATES = {"healthy": True, "unhealthy": False}


class Health:
    """`/upstreams/{u}/health`, `…/targets/all` and `…/targets/{t}[/{address}]/(un)healthy`."""

    def __init__(
        self,
        entities: Entities,
        balancers: Balancers,
        node_id: str,
        delay: float,
        balanced: bool = True,
    ) -> None:
        """`delay`: seconds until a new target shows its health, as on a real gateway.

        Not `balanced`: a control plane, which knows no health and lets nobody set it.
        """
        self.balanced = balanced
        self.delay = delay
        self.entities = entities
        self.balancers = balancers
        self.node_id = node_id

    def find(self, segments: list[str]) -> dict[str, Handler] | None:
        """The methods of such a path; None for any other path below an upstream."""
        name, rest = segments[1], segments[2:]
        if rest == ["health"]:
            return {"GET": lambda call: self._health(name, call)}
        if rest == ["targets", "all"]:
            return {"GET": lambda call: self._all_targets(name, call)}
        settable = self.balanced and rest[0] == "targets" and len(rest) in (3, 4)
        if settable and rest[-1] in STATES:
            address = rest[2] if len(rest) == 4 else None
            return {"PUT": self._setter(name, rest[1], address, STATES[rest[-1]])}
        return None

    def _upstream(
        self, name: str, missing: Callable[[], errors.Refusal] = errors.not_found
    ) -> Entity:
        upstream = self.entities.find("upstreams", self.entities.keys("upstreams", name))
        if upstream is None:
            raise missing()
        return upstream

    def _targets(self, upstream: Entity) -> list[Entity]:
        """An upstream's targets, newest first."""
        targets = self.entities.store.children("targets", "upstream", upstream["id"])
        return [self.entities.answer("targets", target) for target in targets[::-1]]

    def _all_targets(self, name: str, call: Call) -> Answer:
        """Unlike the list of targets this one comes in the database's order and pages."""
        targets = self._targets(self._upstream(name, missing=errors.unexpected))
        path = f"/upstreams/{name}/targets/all"
        return 200, paging.by_key(targets, lambda item: [item["id"]], call.query, path)

    def _health(self, name: str, call: Call) -> Answer:
        upstream = self._upstream(name)
        if call.query.get("balancer_health") == "1":
            summary = self.balancers.balancer_health(upstream)
            return 200, {"data": summary, "next": None, "node_id": self.node_id}
        known = self.balancers.health(upstream["id"])
        due = time.time() - self.delay
        data = [
            {**target, **(known.get(target["id"], {}) if target["created_at"] <= due else {})}
            for target in self._targets(upstream)
        ]
        page = paging.by_number(data, call.query, f"/upstreams/{name}/health")
        return 200, {**page, "node_id": self.node_id}

    def _setter(
        self, name: str, target: str, address: str | None, healthy: bool
    ) -> Callable[[Call], Answer]:
        def put(call: Call) -> Answer:
            upstream = self._upstream(name)
            keys = self.entities.keys("targets", target)
            found = self.entities.find("targets", keys, ("upstream", upstream["id"]))
            if found is None:
                raise errors.not_found()
            try:
                self.balancers.set_health(upstream, found, address, healthy)
            except BalancerError as error:
                raise errors.Refusal(400, {"message": str(error)}) from error
            return 204, None

        return put
