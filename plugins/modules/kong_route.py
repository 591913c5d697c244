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
  - Creates, changes in place or deletes a route, the rule which requests go to which service.
  - A route is moved to another service in place.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the route. Needed unless O(id) is written.
    type: str
  service:
    description:
      - Name or id of the service, which must exist; V(null) takes the route away from its service.
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
      - HTTP methods, in capitals. As with all lists of a route, the order does not matter.
    type: list
    elements: str
  hosts:
    description:
      - Host names; one C(*) may stand for the leftmost or the rightmost label.
    type: list
    elements: str
  paths:
    description:
      - Beginnings of the path; one that begins with C(~) is a regular expression.
      - A warning tells of one that looks like an expression and lacks the C(~).
    type: list
    elements: str
  headers:
    description:
      - Headers that the request must have, each with a list of the values that it may have.
    type: dict
  snis:
    description:
      - Server names of a TLS connection.
    type: list
    elements: str
  sources:
    description:
      - Where a stream (TCP, TLS, UDP) comes from.
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
      - Where a stream (TCP, TLS, UDP) goes to.
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
      - Status that answers plain HTTP where only C(https) is accepted. The gateway's default is V(426).
    type: int
    choices: [426, 301, 302, 307, 308]
  regex_priority:
    description:
      - Which of several matching regular expressions wins, the highest. The gateway's default is V(0).
    type: int
  strip_path:
    description:
      - Whether the matched beginning of the path is taken away. The gateway's default is V(true).
    type: bool
  path_handling:
    description:
      - How the paths of service and request are joined. The gateway's default is V(v0).
    type: str
    choices: [v0, v1]
  preserve_host:
    description:
      - Whether the request's own C(Host) header is sent on. The gateway's default is V(false).
    type: bool
  request_buffering:
    description:
      - Whether requests are read whole before they are sent on. The gateway's default is V(true).
    type: bool
  response_buffering:
    description:
      - Whether answers are read whole before they are sent back. The gateway's default is V(true).
    type: bool
  expression:
    description:
      - Rule in the expressions language, for a gateway with C(router_flavor=expressions).
    type: str
  priority:
    description:
      - Which of several matching expressions wins, the highest, with O(expression).
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
- name: Requests below /api go to the service "echo"
  irishtek.kong.kong_route:
    admin_url: http://127.0.0.1:8001
    name: echo
    service: echo
    paths: [/api]

- name: Only some requests
  irishtek.kong.kong_route:
    admin_url: http://127.0.0.1:8001
    name: reports
    service: reports
    protocols: [https]
    hosts: [reports.example, "*.reports.example"]
    methods: [GET, HEAD]
    headers:
      x-version: ["1", "2"]

- name: The connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: From any host again
      irishtek.kong.kong_route:
        name: reports
        hosts: null

- name: No such route
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
