#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_service
short_description: Manage services of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a service, the server to which routes send requests.
  - A service uses an upstream if O(host) is the name of the upstream.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the service. Required unless O(id) is set.
    type: str
  url:
    description:
      - Protocol, host, port and path in one URL. The default port is 80 (443 for C(https)); without a path there is none.
      - Cannot be combined with O(protocol), O(host), O(port) or O(path).
    type: str
  protocol:
    description:
      - Protocol of the requests to the host. The gateway's default is V(http).
      - V(ws) and V(wss) need Kong Gateway Enterprise.
    type: str
    choices: [grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp, ws, wss]
  host:
    description:
      - Host name or IP address, or the name of an upstream. Required for a new service, unless O(url) is set.
    type: str
  port:
    description:
      - Port of the host. The gateway's default is V(80). Targets of an upstream have their own port.
    type: int
  path:
    description:
      - Path in front of the path of the request. It begins with a slash.
    type: str
  retries:
    description:
      - How often a failed request is sent again, to another target. The gateway's default is V(5).
    type: int
  connect_timeout:
    description:
      - Timeout for the connection in milliseconds. The gateway's default is V(60000).
    type: int
  write_timeout:
    description:
      - Timeout between two writes in milliseconds. The gateway's default is V(60000).
    type: int
  read_timeout:
    description:
      - Timeout between two reads in milliseconds. The gateway's default is V(60000).
    type: int
  client_certificate:
    description:
      - Certificate that the gateway presents to the host, by its ID or one of its SNIs.
    type: str
  tls_verify:
    description:
      - Whether the certificate of the host is verified. By default the configuration of the gateway decides.
    type: bool
  tls_verify_depth:
    description:
      - Maximum number of intermediate certificates, from V(0) to V(64).
    type: int
  tls_sans:
    description:
      - Other names that are accepted in the certificate of the host. Needs Kong Gateway Enterprise 3.10 or newer.
    type: dict
    suboptions:
      dnsnames:
        description:
          - DNS names.
        type: list
        elements: str
      uris:
        description:
          - URIs.
        type: list
        elements: str
  ca_certificates:
    description:
      - IDs of the CA certificates for the verification of the certificate of the host.
    type: list
    elements: str
  enabled:
    description:
      - Whether the routes of the service are used. The gateway's default is V(true).
    type: bool
seealso:
  - module: irishtek.kong.kong_route
  - module: irishtek.kong.kong_upstream
  - name: Services
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/service/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a service in front of the upstream "echo"
  irishtek.kong.kong_service:
    admin_url: http://127.0.0.1:8001
    name: echo
    host: echo
    read_timeout: 5000

- name: Create a service by its URL
  irishtek.kong.kong_service:
    admin_url: http://127.0.0.1:8001
    name: reports
    url: https://reports.example:8443/v2

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Disable a service
      irishtek.kong.kong_service:
        name: reports
        enabled: false

- name: Delete a service, after its routes
  irishtek.kong.kong_service:
    admin_url: http://127.0.0.1:8001
    name: reports
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
service:
  description:
    - The service as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the id of a service that does not exist yet begins with C(ffffffff).
  type: dict
  returned: success
  sample: {name: echo, host: echo, port: 80, protocol: http, path: null}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {host: required field missing}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import SERVICE
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(SERVICE))


if __name__ == "__main__":
    main()
