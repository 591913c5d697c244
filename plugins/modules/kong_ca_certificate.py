#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_ca_certificate
short_description: Manage CA certificates of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a CA certificate, which services and plugins can trust.
  - It is found by O(id), else by the digest of O(cert).
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  cert:
    description:
      - A single certificate (PEM). Required unless O(id) is set.
      - Together with O(id) it replaces the certificate in place.
    type: str
seealso:
  - module: irishtek.kong.kong_certificate
  - module: irishtek.kong.kong_service
  - name: CA certificates
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/ca-certificate/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a CA certificate
  irishtek.kong.kong_ca_certificate:
    admin_url: http://127.0.0.1:8001
    cert: "{{ lookup('ansible.builtin.file', 'authority.pem') }}"

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a CA certificate with a tag
      irishtek.kong.kong_ca_certificate:
        cert: "{{ internal_authority }}"
        tags: [internal]
      register: internal

    - name: Verify the certificate of a service by it
      irishtek.kong.kong_service:
        name: echo
        url: https://echo.internal:8443
        tls_verify: true
        ca_certificates: ["{{ internal.ca_certificate.id }}"]

- name: Delete a CA certificate
  irishtek.kong.kong_ca_certificate:
    admin_url: http://127.0.0.1:8001
    cert: "{{ lookup('ansible.builtin.file', 'old-authority.pem') }}"
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
ca_certificate:
  description:
    - The CA certificate as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    cert: |
      -----BEGIN CERTIFICATE-----
      MIIB...
      -----END CERTIFICATE-----
    cert_digest: 9a6c1d2f4f0f4a0f8f5be2b0a9fbd2b7c6e7b0a5c2d7e6f1a3b4c5d6e7f80910
    tags: [internal]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {cert: certificate expired}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import (
    CA_CERTIFICATE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(CA_CERTIFICATE))


if __name__ == "__main__":
    main()
