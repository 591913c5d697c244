# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: konnect
short_description: Control planes of Kong Konnect as hosts
version_added: 1.0.0
description:
  - Makes a host of each control plane of a region, with the variables by which the playbooks of
    this collection reach it. The token is not among them; set the environment variable
    E(KONNECT_TOKEN) for the playbook, too.
  - A host is in the group C(konnect), in one for its type, such as C(type_control_plane), and in
    one for each of its labels, such as C(label_env_prod).
  - The file's name must end in C(konnect.yml) or C(konnect.yaml).
extends_documentation_fragment:
  - irishtek.kong.connection_plugin
  - constructed
  - inventory_cache
options:
  plugin:
    description:
      - Always V(irishtek.kong.konnect).
    type: str
    required: true
    choices: [irishtek.kong.konnect]
  cluster_type:
    description:
      - Only control planes of this type, for example V(CLUSTER_TYPE_CONTROL_PLANE).
    type: str
  labels:
    description:
      - Only control planes with all of these labels.
    type: dict
    default: {}
seealso:
  - module: irishtek.kong.konnect_control_plane_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
# konnect.yml: all control planes of a region; KONNECT_TOKEN is set in the environment. They are in
# the group kong_gateways, too, on whose hosts the playbooks of this collection run.
plugin: irishtek.kong.konnect
konnect_region: eu
groups:
  kong_gateways: "true"

---
# production.konnect.yml: some of them, in groups of their own, kept for an hour
plugin: irishtek.kong.konnect
labels:
  env: prod
keyed_groups:
  - key: konnect_labels.team
    prefix: team
compose:
  kong_proxy_url: "'https://' ~ konnect_labels.domain"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/konnect
cache_timeout: 3600
"""

import sys
from typing import Any, cast

from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._operations._konnect import (
    control_planes,
)
from ansible_collections.irishtek.kong.plugins.plugin_utils._inventory import KongInventory, Record


class InventoryModule(KongInventory):
    """Control planes as hosts."""

    NAME = "irishtek.kong.konnect"
    of_account = True

    def found(self, gateway: Gateway) -> list[Record]:
        kind = self.get_option("cluster_type")
        listed = control_planes(gateway, self.get_option("labels"), cluster_type=kind)
        return [{**each, "url": gateway.url} for each in listed]

    def add(self, record: Record) -> None:
        config = cast(dict[str, Any], record.get("config") or {})
        labels = cast(dict[str, str], record.get("labels") or {})
        host = self.add_host(
            record["name"],
            {
                "konnect_url": record["url"],
                "konnect_control_plane": record["name"],
                "konnect_control_plane_id": record["id"],
                "konnect_description": record.get("description"),
                "konnect_labels": labels,
                "konnect_config": config,
                # The gateway is not a machine: its tasks run on the controller.
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
            },
        )
        self.add_to_group(host, "konnect")
        kind = str(config.get("cluster_type") or "").replace("CLUSTER_TYPE_", "").lower()
        self.add_to_group(host, f"type_{kind}")
        for key, value in labels.items():
            self.add_to_group(host, f"label_{key}_{value}")
