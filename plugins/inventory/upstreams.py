# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: upstreams
short_description: Upstreams of a gateway as groups, their targets as hosts
version_added: 1.0.0
description:
  - Makes a group of each upstream of a gateway, and a host of each address behind it.
  - The variable C(kong_targets) of a host lists its targets, each with C(upstream), C(target),
    C(port), C(weight), C(tags), and C(health) where it is asked for.
  - The file's name must end in C(upstreams.yml) or C(upstreams.yaml).
extends_documentation_fragment:
  - irishtek.kong.connection_plugin
  - constructed
  - inventory_cache
options:
  plugin:
    description:
      - Always V(irishtek.kong.upstreams).
    type: str
    required: true
    choices: [irishtek.kong.upstreams]
  tags:
    description:
      - Only upstreams with all of these tags.
    type: list
    elements: str
    default: []
  health:
    description:
      - Whether to ask the gateway for the health of the targets. Konnect and control planes do not
        have it.
    type: bool
    default: false
seealso:
  - module: irishtek.kong.kong_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
# upstreams.yml: what a gateway balances to
plugin: irishtek.kong.upstreams
admin_url: http://127.0.0.1:8001
health: true
groups:
  drained: kong_targets | selectattr('weight', 'equalto', 0) | length > 0
  unhealthy: kong_targets | selectattr('health', 'equalto', 'UNHEALTHY') | length > 0
"""

from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import (
    TARGET,
    UPSTREAM,
)
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._parallel import for_each
from ansible_collections.irishtek.kong.plugins.plugin_utils._inventory import KongInventory, Record


class InventoryModule(KongInventory):
    """Upstreams as groups, targets as hosts."""

    NAME = "irishtek.kong.upstreams"

    def found(self, gateway: Gateway) -> list[Record]:
        upstreams = gateway.entities(UPSTREAM, tags=self.get_option("tags")) or []
        pools = for_each(lambda upstream: self._pool(gateway, upstream), upstreams)
        hosts: dict[str, Record] = {}
        for pool in pools:
            for target in pool:
                name = target.pop("host")
                hosts.setdefault(name, {"name": name, "targets": []})["targets"].append(target)
        return list(hosts.values())

    def _pool(self, gateway: Gateway, upstream: Entity) -> list[dict[str, Any]]:
        targets = gateway.entities(TARGET, upstream["id"]) or []
        healths: dict[str, Any] = {}
        if self.get_option("health"):
            seen = gateway.health(upstream["name"]) or []
            healths = {each["target"]: each.get("health") for each in seen}
        return [self._target(upstream, each, healths) for each in targets]

    def _target(self, upstream: Entity, target: Entity, healths: dict[str, Any]) -> dict[str, Any]:
        host, _colon, port = target["target"].rpartition(":")
        health = {"health": healths.get(target["target"])} if self.get_option("health") else {}
        return {
            "host": host.strip("[]"),
            "upstream": upstream["name"],
            "target": target["target"],
            "port": int(port),
            "weight": target["weight"],
            "tags": target.get("tags") or [],
            **health,
        }

    def add(self, record: Record) -> None:
        variables = {"ansible_host": record["name"], "kong_targets": record["targets"]}
        host = self.add_host(record["name"], variables)
        for target in record["targets"]:
            self.add_to_group(host, target["upstream"])
