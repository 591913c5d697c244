#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_sni
short_description: Manage SNIs of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes an SNI, a host name for which the gateway uses a certificate.
  - An SNI can be moved to another certificate in place.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - The host name, which can begin or end with a wildcard as in V(*.example). Required unless O(id) is set.
    type: str
  certificate:
    description:
      - ID or another SNI of the certificate, which must exist. Required for a new SNI.
    type: str
seealso:
  - module: irishtek.kong.kong_certificate
  - name: SNIs
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/sni/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Use the certificate of another host name
  irishtek.kong.kong_sni:
    admin_url: http://127.0.0.1:8001
    name: shop.example
    certificate: www.shop.example

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a certificate
      irishtek.kong.kong_certificate:
        snis: ["*.example"]
        cert: "{{ wildcard_cert }}"
        key: "{{ wildcard_key }}"
      register: wildcard

    - name: Move a host name to it
      irishtek.kong.kong_sni:
        name: shop.example
        certificate: "{{ wildcard.certificate.id }}"

- name: Delete an SNI
  irishtek.kong.kong_sni:
    admin_url: http://127.0.0.1:8001
    name: shop.example
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: update
sni:
  description:
    - The SNI as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    name: shop.example
    certificate: {id: 6eed5e9c-5398-4026-9a4c-d48f18a2431e}
    tags: null
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {name: should not be an IP}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import SNI
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(SNI))


if __name__ == "__main__":
    main()
