#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_route
short_description: Manage routes of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a route, which matches requests and sends them to a service.
  - A route can be moved to another service in place.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the route. Required unless O(id) is set.
    type: str
  service:
    description:
      - Name or ID of the service, which must exist; V(null) removes the route from its service.
    type: str
  protocols:
    description:
      - Protocols that the route accepts. The gateway's default is V(http) and V(https).
      - V(ws) and V(wss) need Kong Gateway Enterprise.
    type: list
    elements: str
    choices: [grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp, ws, wss]
  methods:
    description:
      - HTTP methods in upper case. The order does not matter, as in all lists of a route.
    type: list
    elements: str
  hosts:
    description:
      - Host names. C(*) can be the leftmost or the rightmost label.
    type: list
    elements: str
  paths:
    description:
      - Path prefixes. A path that begins with C(~) is a regular expression.
      - A path that looks like a regular expression without C(~) causes a warning.
    type: list
    elements: str
  headers:
    description:
      - Headers that the request must have, each with a list of accepted values.
    type: dict
  snis:
    description:
      - Server names of a TLS connection.
    type: list
    elements: str
  sources:
    description:
      - Sources of a stream (TCP, TLS, UDP).
    type: list
    elements: dict
    suboptions:
      ip:
        description:
          - IP address or CIDR range.
        type: str
      port:
        description:
          - Port.
        type: int
  destinations:
    description:
      - Destinations of a stream (TCP, TLS, UDP).
    type: list
    elements: dict
    suboptions:
      ip:
        description:
          - IP address or CIDR range.
        type: str
      port:
        description:
          - Port.
        type: int
  https_redirect_status_code:
    description:
      - Status of the response to plain HTTP if only C(https) is accepted. The gateway's default is V(426).
    type: int
    choices: [426, 301, 302, 307, 308]
  regex_priority:
    description:
      - Priority among matching regular expressions; the highest is used. The gateway's default is V(0).
    type: int
  strip_path:
    description:
      - Whether the matched prefix is removed from the path. The gateway's default is V(true).
    type: bool
  path_handling:
    description:
      - How the paths of the service and of the request are combined. The gateway's default is V(v0).
    type: str
    choices: [v0, v1]
  preserve_host:
    description:
      - Whether the C(Host) header of the request is sent to the service. The gateway's default is V(false).
    type: bool
  request_buffering:
    description:
      - Whether requests are buffered before they are sent to the service. The gateway's default is V(true).
    type: bool
  response_buffering:
    description:
      - Whether responses are buffered before they are sent to the client. The gateway's default is V(true).
    type: bool
  expression:
    description:
      - Expression that matches requests, for a gateway with C(router_flavor=expressions).
    type: str
  priority:
    description:
      - Priority among matching expressions; the highest is used. Needs O(expression).
    type: int
seealso:
  - module: irishtek.kong.kong_service
  - name: Routes
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/route/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Route requests below /api to the service "echo"
  irishtek.kong.kong_route:
    admin_url: http://127.0.0.1:8001
    name: echo
    service: echo
    paths: [/api]

- name: Route only some requests
  irishtek.kong.kong_route:
    admin_url: http://127.0.0.1:8001
    name: reports
    service: reports
    protocols: [https]
    hosts: [reports.example, "*.reports.example"]
    methods: [GET, HEAD]
    headers:
      x-version: ["1", "2"]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Accept any host again
      irishtek.kong.kong_route:
        name: reports
        hosts: null

- name: Delete a route
  irishtek.kong.kong_route:
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
route:
  description:
    - The route as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the id of a route that does not exist yet begins with C(ffffffff).
  type: dict
  returned: success
  sample: {name: echo, paths: [/api], strip_path: true, protocols: [http, https]}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {paths: ["should start with: /"]}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._route import ROUTE
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(ROUTE))


if __name__ == "__main__":
    main()
