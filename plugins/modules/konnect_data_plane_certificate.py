#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: konnect_data_plane_certificate
short_description: Manage the certificates that data planes of Kong Konnect may use
version_added: 1.0.0
description:
  - Pins certificates at a control plane of Konnect, and removes them. Certificates are compared by their
    SHA-256 fingerprints, because Konnect takes one twice.
  - A certificate that a connected data plane uses is removed only with O(force).
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  content:
    description:
      - The certificate in PEM format, without its private key. Either this or O(path) is required.
    type: str
  path:
    description:
      - File with the certificate in PEM format, on the host that runs the task.
    type: path
  title:
    description:
      - Title of the certificate.
    type: str
  purge:
    description:
      - Whether to remove all other certificates of the control plane.
    type: bool
    default: false
  force:
    description:
      - Whether to remove certificates that connected data planes use, which cuts them off.
    type: bool
    default: false
  state:
    description:
      - Whether the certificate must be pinned. A control plane has at most 32 of them.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: irishtek.kong.konnect_control_plane
  - module: irishtek.kong.konnect_node_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Pin a certificate
  irishtek.kong.konnect_data_plane_certificate:
    konnect_token: "{{ konnect_token }}"
    control_plane: team-a
    path: /etc/kong/cluster.crt

- name: Pin a new certificate and remove the old ones
  module_defaults:
    group/irishtek.kong.kong:
      konnect_token: "{{ konnect_token }}"
      control_plane: team-a
  block:
    - name: Replace what is pinned
      irishtek.kong.konnect_data_plane_certificate:
        content: "{{ new_certificate }}"
        title: "2027"
        purge: true

- name: Remove a certificate
  irishtek.kong.konnect_data_plane_certificate:
    konnect_token: "{{ konnect_token }}"
    control_plane: team-a
    content: "{{ old_certificate }}"
    state: absent
"""

RETURN = r"""
certificate:
  description: The certificate as Konnect has it now, empty once it is removed.
  type: dict
  returned: success
  sample: {id: 0b7d4f5e-5f0d-4b5e-9d0a-2f9a3f0d4f5e, title: "2027"}
fingerprint:
  description: SHA-256 fingerprint of the certificate.
  type: str
  returned: success
  sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
changes:
  description: What was done, one entry for each certificate that was changed.
  type: list
  elements: dict
  returned: success
  sample:
    - operation: create
      kind: data_plane_certificate
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "https://us.api.konghq.com/v2/control-planes"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._konnect import (
    KONNECT_DATA_PLANE_CERTIFICATE,
)


def main() -> None:
    run_module(KONNECT_DATA_PLANE_CERTIFICATE)


if __name__ == "__main__":
    main()
