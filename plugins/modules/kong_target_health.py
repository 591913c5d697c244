#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_target_health
short_description: Mark a target of Kong Gateway as healthy or unhealthy
version_added: 1.0.0
description:
  - Sets the health of a target in the gateway's balancer, without changing the target itself. An unhealthy target
    gets no requests.
  - Needs an upstream with health checks, a target with a weight above 0, and a gateway that is not a control plane.
    The health is in the memory of the gateway, not in its database.
  - Active health checks replace it with their next probe. To stop requests to a target for longer, drain it with
    M(irishtek.kong.kong_target).
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
attributes:
  check_mode:
    support: full
    description:
      - Reports what would change without writing to the gateway.
  idempotent:
    support: partial
    description:
      - A second run changes nothing and sends no write.
    details:
      - Unless an active health check has changed the health since the first run.
options:
  upstream:
    description:
      - Name or ID of the upstream, which must exist.
    type: str
    required: true
  target:
    description:
      - Host name or IP address of the target, with an optional port. The default for the port is V(8000).
    type: str
    required: true
  address:
    description:
      - One of the addresses of the target's host name, with its port. By default the health of all of them is set.
    type: str
  health:
    description:
      - Health of the target.
    type: str
    choices: [healthy, unhealthy]
    required: true
  wait_timeout:
    description:
      - Maximum number of seconds to wait until the gateway's balancer reports the health of the target, as after the
        creation of an upstream or the end of draining. Check mode does not wait.
    type: int
    default: 30
seealso:
  - module: irishtek.kong.kong_target
  - module: irishtek.kong.kong_info
  - name: Health checks and circuit breakers
    description: Health of targets in Kong's documentation.
    link: https://developer.konghq.com/gateway/traffic-control/health-checks-circuit-breakers/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Mark a target as unhealthy
  irishtek.kong.kong_target_health:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    target: 10.0.0.11:8080
    health: unhealthy

- name: Mark one address of a host name as unhealthy
  irishtek.kong.kong_target_health:
    admin_url: http://127.0.0.1:8001
    upstream: echo
    target: echo.internal:8080
    address: 10.0.0.11:8080
    health: unhealthy

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Mark targets as healthy, after passive health checks marked them as unhealthy
      irishtek.kong.kong_target_health:
        upstream: echo
        target: "{{ item }}"
        health: healthy
      loop:
        - 10.0.0.11:8080
        - 10.0.0.12:8080
"""

RETURN = r"""
target:
  description: Address of the target as the gateway has it.
  type: str
  returned: success
  sample: 10.0.0.11:8080
health:
  description: Health of the target after the task.
  type: str
  returned: success
  choices: [HEALTHY, UNHEALTHY]
  sample: UNHEALTHY
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, method: PUT, url: "http://127.0.0.1:8001/upstreams/echo/targets/10.0.0.11:8080/healthy"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target_health import (
    KONG_TARGET_HEALTH,
)


def main() -> None:
    run_module(KONG_TARGET_HEALTH)


if __name__ == "__main__":
    main()
