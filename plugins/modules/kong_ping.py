#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_ping
short_description: Check the connection to a Kong Gateway
version_added: 1.0.0
description:
  - Connects to the Admin API and returns version, edition and role of the gateway. Can wait until it responds.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes.read_only
  - irishtek.kong.attributes.action_group
options:
  wait:
    description:
      - Whether to wait until the gateway responds. Refused credentials end the wait.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum number of seconds to wait.
    type: int
    default: 60
  wait_interval:
    description:
      - Seconds between two attempts.
    type: float
    default: 1.0
seealso:
  - module: irishtek.kong.kong_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Check the connection
  irishtek.kong.kong_ping:
    admin_url: http://127.0.0.1:8001

- name: Wait for a gateway that was just started
  irishtek.kong.kong_ping:
    admin_url: http://127.0.0.1:8001
    wait: true
    wait_timeout: 120

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Fail if the gateway is too old
      irishtek.kong.kong_ping:
      register: gateway
      failed_when: gateway is failed or gateway.version is version('3.4', '<')
"""

RETURN = r"""
msg:
  description: A sentence with version, edition and URL of the gateway.
  type: str
  returned: always
  sample: Connected to Kong Gateway 3.10.0 (community) at http://127.0.0.1:8001
url:
  description: URL of the Admin API, with the workspace.
  type: str
  returned: success
  sample: http://127.0.0.1:8001
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
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {method: GET, url: "http://127.0.0.1:8001/", attempts: 4}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._info import KONG_PING


def main() -> None:
    run_module(KONG_PING)


if __name__ == "__main__":
    main()
