#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: konnect_control_plane_info
short_description: List control planes of Kong Konnect
version_added: 1.0.0
description:
  - Returns the control planes of a region, or those that have a name, a type or labels.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes.read_only
  - irishtek.kong.attributes.action_group
options:
  name:
    description:
      - Only the control plane of this name.
    type: str
  cluster_type:
    description:
      - Only control planes of this type, for example V(CLUSTER_TYPE_CONTROL_PLANE).
    type: str
  labels:
    description:
      - Only control planes with all of these labels.
    type: dict
seealso:
  - module: irishtek.kong.konnect_control_plane
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: List all control planes of a region
  irishtek.kong.konnect_control_plane_info:
    konnect_token: "{{ konnect_token }}"
    konnect_region: eu

- name: Gather the addresses that data planes connect to
  irishtek.kong.konnect_control_plane_info:
    konnect_token: "{{ konnect_token }}"
    name: team-a
  register: found

- name: List the control planes of production
  module_defaults:
    group/irishtek.kong.kong:
      konnect_token: "{{ konnect_token }}"
  block:
    - name: Gather the control planes with a label
      irishtek.kong.konnect_control_plane_info:
        labels:
          env: prod
"""

RETURN = r"""
control_planes:
  description: The control planes as Konnect returns them.
  type: list
  elements: dict
  returned: success
  sample:
    - id: 5f0d4f5e-5f0d-4b5e-9d0a-2f9a3f0d4f5e
      name: team-a
      labels: {env: prod}
      config:
        cluster_type: CLUSTER_TYPE_CONTROL_PLANE
        control_plane_endpoint: https://0123456789.eu.cp.konghq.com
        telemetry_endpoint: https://0123456789.eu.tp.konghq.com
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "https://us.api.konghq.com/v2/control-planes"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._konnect import (
    KONNECT_CONTROL_PLANE_INFO,
)


def main() -> None:
    run_module(KONNECT_CONTROL_PLANE_INFO)


if __name__ == "__main__":
    main()
