#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_target
short_description: Manage targets of an upstream of Kong Gateway
version_added: 1.0.0
description:
  - Adds a target to an upstream, changes its weight in place, drains it or deletes it; one target, or many at once.
  - Addresses are compared in the form in which the gateway stores them, so C(10.0.0.1) and C(10.0.0.1:8000) are the same
    target, and so are C(::1) and its long form.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  upstream:
    description:
      - Name or ID of the upstream, which must exist.
    type: str
    required: true
  target:
    description:
      - Host name or IP address with an optional port. The gateway's default for the port is V(8000).
    type: str
  weight:
    description:
      - Weight of the target, from V(0) (no requests) to V(65535). The gateway's default is V(100).
      - Cannot be combined with O(state=drained), which sets it to V(0).
    type: int
  failover:
    description:
      - Whether the target is used only when no other one is available. Needs Kong Gateway Enterprise 3.12 or newer.
    type: bool
  tags:
    description:
      - Tags of the target; their order does not matter.
    type: list
    elements: str
  targets:
    description:
      - Many targets instead of one. O(state) applies to all of them.
      - Two targets with the same address are an error, also if it is written in different ways.
    type: list
    elements: dict
    suboptions:
      target:
        description:
          - Host name or IP address with an optional port. The gateway's default for the port is V(8000).
        type: str
        required: true
      weight:
        description:
          - Weight of the target, from V(0) (no requests) to V(65535). The gateway's default is V(100).
        type: int
      failover:
        description:
          - Whether the target is used only when no other one is available. Needs Kong Gateway Enterprise 3.12 or newer.
        type: bool
      tags:
        description:
          - Tags of the target; their order does not matter.
        type: list
        elements: str
  state:
    description:
      - V(present) creates or updates the target, V(absent) deletes it.
      - V(drained) sets the weight of an existing target to V(0), so that it gets no new requests. A target that does not
        exist is not created, and a warning says so. Use V(present) with a O(weight) to end it.
    type: str
    choices: [present, absent, drained]
    default: present
  force:
    description:
      - Whether the last targets with a weight above 0 may be drained, deleted or get the weight 0, after which requests
        fail with 503.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the gateway's balancer uses the targets as they are written. With O(state=present) a target
        must have its weight there and be healthy (or have no health checks), with O(state=drained) the weight V(0).
      - Only the node at O(admin_url) is checked, unless O(status_urls) has other ones. A control plane does not
        proxy requests, so it needs O(status_urls). Check mode does not wait.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum number of seconds to wait.
    type: int
    default: 60
  status_urls:
    description:
      - URLs of other nodes of the same gateway or of its data planes, with the same connection options.
      - This is the Admin API of a node with a database, and the status port of a data plane or of a node without a
        database, for example V(http://127.0.0.1:8007).
      - C({ip}) or C({hostname}) in a URL is replaced by that of each data plane that is connected to the control plane.
      - With O(wait=true) the task waits for all of them.
    type: list
    elements: str
seealso:
  - module: irishtek.kong.kong_upstream
  - name: Targets
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/target/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a target with half of the default weight, and wait until it is used
  irishtek.kong.kong_target:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    target: 10.0.0.11:8080
    weight: 50
    wait: true

- name: Create many targets
  irishtek.kong.kong_target:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    targets:
      - target: 10.0.0.11:8080
      - target: 10.0.0.12:8080
        tags: [canary]

- name: Drain a server, and wait for every data plane of the control plane
  irishtek.kong.kong_target:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    target: 10.0.0.11:8080
    state: drained
    wait: true
    status_urls: ["http://{ip}:8007"]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Drain a server before work on it
      irishtek.kong.kong_target:
        upstream: echo
        target: 10.0.0.11:8080
        state: drained
        wait: true

    - name: Bring it back
      irishtek.kong.kong_target:
        upstream: echo
        target: 10.0.0.11:8080
        weight: 100
        wait: true

- name: Delete a target
  irishtek.kong.kong_target:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    target: 10.0.0.12:8080
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: when O(target) is written
  choices: [create, update, delete, none]
  sample: update
target:
  description:
    - The target as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the id of a target that does not exist yet begins with C(ffffffff).
  type: dict
  returned: when O(target) is written
  sample: {target: "10.0.0.11:8080", weight: 50, tags: null}
targets:
  description: The written targets as the gateway has them after the task.
  type: list
  elements: dict
  returned: when O(targets) is written
  sample: [{target: "10.0.0.11:8080", weight: 100, tags: null}]
changes:
  description: What was done, one entry for each target that was not left alone.
  type: list
  elements: dict
  returned: when O(targets) is written
  sample: [{operation: create, kind: target, target: "10.0.0.11:8080", upstream: echo}]
not_done:
  description: What was still to be done when a write failed, in the form of RV(changes).
  type: list
  elements: dict
  returned: failure in the middle of writing O(targets)
  sample: [{operation: create, kind: target, target: "10.0.0.12:8080", upstream: echo}]
health:
  description: What the balancer says of each target, by address.
  type: dict
  returned: when O(wait=true)
  sample: {"10.0.0.11:8080": HEALTHY}
nodes:
  description: RV(health) of each node, by its URL.
  type: dict
  returned: when O(wait=true) and O(status_urls) is written
  sample: {"http://127.0.0.1:8007": {"10.0.0.11:8080": HEALTHY}}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {weight: value should be between 0 and 65535}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target import KONG_TARGET


def main() -> None:
    run_module(KONG_TARGET)


if __name__ == "__main__":
    main()
