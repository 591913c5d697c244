#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: konnect_control_plane
short_description: Manage control planes of Kong Konnect
version_added: 1.0.0
description:
  - Creates, changes in place, and deletes control planes, and says which ones are in a group of control planes.
  - The type of a control plane cannot be changed.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  id:
    description:
      - ID of the control plane, to rename it.
    type: str
  name:
    description:
      - Name of the control plane, unique in the organization and region.
    type: str
  description:
    description:
      - What the control plane is for. Clear it with V("").
    type: str
  labels:
    description:
      - All labels of the control plane. Keys must not begin with C(kong), C(konnect), C(mesh), C(kic) or C(_).
    type: dict
  cluster_type:
    description:
      - Type of the control plane. It is set on creation only.
    type: str
    choices:
      - CLUSTER_TYPE_CONTROL_PLANE
      - CLUSTER_TYPE_K8S_INGRESS_CONTROLLER
      - CLUSTER_TYPE_CONTROL_PLANE_GROUP
      - CLUSTER_TYPE_SERVERLESS
      - CLUSTER_TYPE_KAFKA_NATIVE_EVENT_PROXY
      - CLUSTER_TYPE_SERVERLESS_V1
  cloud_gateway:
    description:
      - Whether its data planes are hosted by Konnect. It is set on creation only.
    type: bool
  auth_type:
    description:
      - How data planes authenticate, by certificates that are pinned, or that are issued by an authority.
    type: str
    choices: [pinned_client_certs, pki_client_certs]
  proxy_urls:
    description:
      - All addresses of the proxies of the data planes.
    type: list
    elements: dict
    suboptions:
      host:
        description:
          - Host name or address.
        type: str
        required: true
      port:
        description:
          - Port.
        type: int
        required: true
      protocol:
        description:
          - Protocol, such as V(https).
        type: str
        required: true
  members:
    description:
      - Names or IDs of control planes that must be in the group, for V(CLUSTER_TYPE_CONTROL_PLANE_GROUP).
    type: list
    elements: str
  purge_members:
    description:
      - Whether to remove from the group what O(members) does not list.
    type: bool
    default: false
  force:
    description:
      - Whether to delete a control plane that has entities or data planes.
    type: bool
    default: false
  state:
    description:
      - Whether the control plane must exist.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: irishtek.kong.konnect_control_plane_info
  - module: irishtek.kong.konnect_data_plane_certificate
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a control plane
  irishtek.kong.konnect_control_plane:
    konnect_token: "{{ konnect_token }}"
    konnect_region: eu
    name: team-a
    labels:
      env: prod

- name: Put two control planes into a group, and nothing else
  module_defaults:
    group/irishtek.kong.kong:
      konnect_token: "{{ konnect_token }}"
  block:
    - name: Create the group
      irishtek.kong.konnect_control_plane:
        name: all-teams
        cluster_type: CLUSTER_TYPE_CONTROL_PLANE_GROUP
        members: [team-a, team-b]
        purge_members: true

- name: Delete a control plane with all that it has
  irishtek.kong.konnect_control_plane:
    konnect_token: "{{ konnect_token }}"
    name: team-a
    state: absent
    force: true
"""

RETURN = r"""
operation:
  description: What was done to the control plane itself.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
control_plane:
  description: The control plane as Konnect has it now, empty once it is deleted.
  type: dict
  returned: success
  sample:
    id: 5f0d4f5e-5f0d-4b5e-9d0a-2f9a3f0d4f5e
    name: team-a
    labels: {env: prod}
    config:
      cluster_type: CLUSTER_TYPE_CONTROL_PLANE
      control_plane_endpoint: https://0123456789.eu.cp.konghq.com
      telemetry_endpoint: https://0123456789.eu.tp.konghq.com
members:
  description: IDs of all members of the group.
  type: list
  elements: str
  returned: when O(members) is set
  sample: []
added:
  description: IDs of the control planes that were added to the group.
  type: list
  elements: str
  returned: when O(members) is set
  sample: []
removed:
  description: IDs of the control planes that were removed from the group.
  type: list
  elements: str
  returned: when O(members) is set
  sample: []
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "https://us.api.konghq.com/v2/control-planes"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._konnect import (
    KONNECT_CONTROL_PLANE,
)


def main() -> None:
    run_module(KONNECT_CONTROL_PLANE)


if __name__ == "__main__":
    main()
