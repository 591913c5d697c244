#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_certificate
short_description: Manage certificates of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a certificate with its private key, which the gateway presents to clients or to
    services.
  - A certificate is found by O(id) or by any of its O(snis), so that a renewed one replaces the old one in place.
    Its SNIs are deleted together with it.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  cert:
    description:
      - The certificate (PEM) with its chain. Required for a new certificate.
    type: str
  key:
    description:
      - The private key (PEM, no passphrase), or a reference such as V({vault://env/tls-key}). Required for a new certificate.
    type: str
  cert_alt:
    description:
      - A second certificate (PEM) with another type of key, for both RSA and ECDSA.
    type: str
  key_alt:
    description:
      - The private key of O(cert_alt) (PEM, no passphrase).
    type: str
  snis:
    description:
      - All host names for which the certificate is used. The order does not matter.
      - Other names are removed from the certificate. Names of different certificates are an error.
    type: list
    elements: str
seealso:
  - module: irishtek.kong.kong_sni
  - module: irishtek.kong.kong_ca_certificate
  - name: Certificates
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/certificate/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a certificate for two host names
  irishtek.kong.kong_certificate:
    admin_url: http://127.0.0.1:8001
    cert: "{{ lookup('ansible.builtin.file', 'echo.example.pem') }}"
    key: "{{ lookup('ansible.builtin.file', 'echo.example.key') }}"
    snis: [echo.example, www.echo.example]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a certificate without host names, for connections to a service
      irishtek.kong.kong_certificate:
        id: 00000000-0000-4000-8000-000000000001
        cert: "{{ client_cert }}"
        key: "{{ client_key }}"

    - name: Use it in the service
      irishtek.kong.kong_service:
        name: echo
        url: https://echo.internal:8443
        client_certificate: 00000000-0000-4000-8000-000000000001

- name: Delete the certificate of a host name
  irishtek.kong.kong_certificate:
    admin_url: http://127.0.0.1:8001
    snis: [echo.example]
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
certificate:
  description:
    - The certificate as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - Its private keys are replaced by asterisks.
  type: dict
  returned: success
  sample:
    cert: |
      -----BEGIN CERTIFICATE-----
      MIIB...
      -----END CERTIFICATE-----
    key: "********"
    snis: [echo.example, www.echo.example]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {cert: invalid certificate}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._certificate import (
    KONG_CERTIFICATE,
)


def main() -> None:
    run_module(KONG_CERTIFICATE)


if __name__ == "__main__":
    main()
