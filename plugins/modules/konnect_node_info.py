#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: konnect_node_info
short_description: Gather the data planes of a control plane of Kong Konnect
version_added: 1.0.0
description:
  - Returns the data planes, whether they are connected and compatible, and whether they run the configuration that
    the control plane expects. Can wait until enough of them do.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes.read_only
  - irishtek.kong.attributes.action_group
options:
  wait:
    description:
      - Whether to wait until O(nodes) data planes run the expected configuration. Check mode does not wait.
    type: bool
    default: false
  nodes:
    description:
      - How many data planes to wait for.
    type: int
    default: 1
  wait_timeout:
    description:
      - Seconds to wait at most.
    type: int
    default: 120
seealso:
  - module: irishtek.kong.konnect_data_plane_certificate
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: List the data planes
  irishtek.kong.konnect_node_info:
    konnect_token: "{{ konnect_token }}"
    control_plane: team-a

- name: Wait until two data planes run what was just written
  irishtek.kong.konnect_node_info:
    konnect_token: "{{ konnect_token }}"
    control_plane: team-a
    wait: true
    nodes: 2

- name: Fail if a data plane is not compatible
  module_defaults:
    group/irishtek.kong.kong:
      konnect_token: "{{ konnect_token }}"
  block:
    - name: Gather the data planes
      irishtek.kong.konnect_node_info:
        control_plane: team-a
      register: found
      failed_when: found.nodes | map(attribute='compatibility_status.state') | select('search', 'INCOMPATIBLE') | length > 0
"""

RETURN = r"""
expected_hash:
  description: Hash of the configuration that the control plane expects.
  type: str
  returned: success
  sample: 79c5930da2834adc0000e8f9d8eb5ae5
connected:
  description: How many data planes are connected.
  type: int
  returned: success
  sample: 1
up_to_date:
  description: How many connected data planes run the expected configuration.
  type: int
  returned: success
  sample: 1
nodes:
  description:
    - The data planes as Konnect returns them, with C(connected) and C(up_to_date). Konnect lists data planes for
      hours after they are gone.
  type: list
  elements: dict
  returned: success
  sample:
    - hostname: gateway-1
      version: 3.10.0.0
      config_hash: 79c5930da2834adc0000e8f9d8eb5ae5
      connected: true
      up_to_date: true
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "https://us.api.konghq.com/v2/control-planes"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._konnect import (
    KONNECT_NODE_INFO,
)


def main() -> None:
    run_module(KONNECT_NODE_INFO)


if __name__ == "__main__":
    main()
