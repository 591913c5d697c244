#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_info
short_description: Gather information about a Kong Gateway and its entities
version_added: 1.0.0
description:
  - Returns the version, edition, role and database of a gateway, and lists its entities by kind and tags.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes.read_only
  - irishtek.kong.attributes.action_group
options:
  kinds:
    description:
      - Kinds of entities to list, with the names of their modules without C(kong_). By default none are listed.
      - V(consumer_group), V(mtls_auth) and V(workspace) need Kong Gateway Enterprise. Credentials of all consumers
        are listed by their type. Secrets are not shown.
    type: list
    elements: str
  tags:
    description:
      - Tags that the listed entities must have, all of them.
    type: list
    elements: str
  health:
    description:
      - Whether to return the health of targets, which takes one request for each upstream.
      - Only the data planes of a control plane have it (O(status_urls)).
    type: bool
    default: false
  status_urls:
    description:
      - URLs of other nodes of the same gateway or of its data planes, with the same connection options.
      - This is the Admin API of a node with a database, and the status port of a data plane or of a node without a
        database, for example V(http://127.0.0.1:8007).
      - C({ip}) or C({hostname}) in a URL is replaced by that of each data plane that is connected to the control plane.
      - The health of targets is returned for each node. Needs O(health=true).
    type: list
    elements: str
  data_planes:
    description:
      - Whether to list the data planes of a control plane.
    type: bool
    default: false
seealso:
  - module: irishtek.kong.kong_ping
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Gather version and edition
  irishtek.kong.kong_info:
    admin_url: http://127.0.0.1:8001

- name: Gather all targets with their health
  irishtek.kong.kong_info:
    admin_url: http://127.0.0.1:8001
    kinds: [target]
    health: true
  register: pools

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Gather services and routes with two tags
      irishtek.kong.kong_info:
        kinds: [service, route]
        tags: [team-a, production]
"""

RETURN = r"""
version:
  description: Version of the gateway.
  type: str
  returned: success
  sample: 3.10.0
edition:
  description: Edition of the gateway.
  type: str
  returned: success
  sample: community
role:
  description: Role of the node, V(traditional), V(control_plane) or V(data_plane).
  type: str
  returned: success
  sample: traditional
database:
  description: Type of its database, V(off) without one.
  type: str
  returned: success
  sample: postgres
hostname:
  description: Host name of the node.
  type: str
  returned: success
  sample: gateway-1
entities:
  description:
    - The entities of each of O(kinds), in that order, sorted by name.
    - Targets carry the name of their upstream and, with O(health=true), RV(ignore:health) (null while no balancer knows
      them) and RV(ignore:addresses).
    - With O(status_urls) they carry RV(ignore:nodes), the same for each node with its RV(ignore:url) and the
      RV(ignore:weight) of the target in its balancer.
  type: list
  elements: dict
  returned: success
  sample:
    - kind: target
      entities:
        - target: 10.0.0.11:8080
          weight: 100
          upstream: {id: 6eed5e9c-5398-4026-9a4c-d48f18a2431e, name: echo}
          health: HEALTHY
          addresses: [{ip: 10.0.0.11, port: 8080, health: HEALTHY, weight: 100}]
data_planes:
  description:
    - The data planes of a control plane; empty for other nodes.
  type: list
  elements: dict
  returned: when O(data_planes=true)
  sample: [{hostname: gateway-2, ip: 10.0.0.21, version: 3.10.0, sync_status: normal, last_seen: 1767225600}]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "http://127.0.0.1:8001/"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._info import KONG_INFO


def main() -> None:
    run_module(KONG_INFO)


if __name__ == "__main__":
    main()
