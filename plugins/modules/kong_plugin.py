#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_plugin
short_description: Manage plugins of Kong Gateway
version_added: 1.0.0
description:
  - Adds a plugin to a service, a route, a consumer, a consumer group or all traffic, changes its configuration in
    place or deletes it.
  - A plugin is found by O(id), by O(instance_name), else by O(name) within the written scope, which is O(service),
    O(route), O(consumer) and O(consumer_group). Without a scope it is the plugin for all traffic.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the plugin, for example V(rate-limiting). Required for a new plugin.
    type: str
  instance_name:
    description:
      - Name of this instance of the plugin, unique on the gateway. For a plugin that is found by it, another scope than
        its own is an error.
    type: str
  service:
    description:
      - Name or ID of the service whose requests the plugin applies to.
    type: str
  route:
    description:
      - Name or ID of the route whose requests the plugin applies to.
    type: str
  consumer:
    description:
      - Username or ID of the consumer whose requests the plugin applies to.
    type: str
  consumer_group:
    description:
      - Name or ID of the consumer group whose requests the plugin applies to. Needs Kong Gateway Enterprise.
    type: str
  config:
    description:
      - Configuration of the plugin. Only the written keys are managed, also in nested records; V(null) sets a key to the
        gateway's default, and the order of sets does not matter.
      - Values are converted to the types in the gateway's schema of the plugin if nothing is lost, such as V('5') to
        V(5). Old names such as C(redis_host) are replaced by the nested names.
      - Encrypted keys and other keys with credentials are not shown.
    type: dict
  protocols:
    description:
      - Protocols of the requests that the plugin applies to. The gateway's default depends on the plugin, most often
        V(grpc), V(grpcs), V(http) and V(https).
      - V(ws) and V(wss) need Kong Gateway Enterprise.
    type: list
    elements: str
    choices: [grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp, ws, wss]
  enabled:
    description:
      - Whether the plugin is used. The gateway's default is V(true).
    type: bool
  ordering:
    description:
      - "Plugins before or after which this one runs, as C({before: {access: [key-auth]}})."
      - Needs Kong Gateway Enterprise.
    type: dict
  condition:
    description:
      - Expression that a request must match for the plugin to run.
      - Needs a recent version of Kong Gateway Enterprise.
    type: str
  partials:
    description:
      - Partials that the plugin takes settings from, which must exist. Other links are removed, and with V([]) all.
      - A setting cannot be written together with a partial for it. Needs Kong Gateway Enterprise.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - ID of the partial, or O(partials[].name).
        type: str
      name:
        description:
          - Name of the partial.
        type: str
      path:
        description:
          - Setting of the plugin that the partial has. The default depends on the plugin, most often V(config.redis).
        type: str
seealso:
  - module: irishtek.kong.kong_service
  - module: irishtek.kong.kong_route
  - module: irishtek.kong.kong_consumer
  - name: Plugins
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/plugin/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Limit a service to 60 requests a minute
  irishtek.kong.kong_plugin:
    admin_url: http://127.0.0.1:8001
    name: rate-limiting
    service: echo
    config:
      minute: 60
      policy: local

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Enable metrics for all traffic
      irishtek.kong.kong_plugin:
        name: prometheus
        config:
          latency_metrics: true

    - name: Reset a setting to the gateway's default
      irishtek.kong.kong_plugin:
        name: prometheus
        config:
          latency_metrics: null

    - name: Limit two consumers on one route
      irishtek.kong.kong_plugin:
        name: rate-limiting
        instance_name: "echo-{{ item.consumer }}"
        route: echo
        consumer: "{{ item.consumer }}"
        config:
          minute: "{{ item.minute }}"
      loop:
        - {consumer: alice, minute: 100}
        - {consumer: bob, minute: 10}

- name: Remove the limit of the service
  irishtek.kong.kong_plugin:
    admin_url: http://127.0.0.1:8001
    name: rate-limiting
    service: echo
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: update
plugin:
  description:
    - The plugin as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - Secrets in its configuration are replaced by asterisks.
  type: dict
  returned: success
  sample:
    name: rate-limiting
    service: {id: 6eed5e9c-5398-4026-9a4c-d48f18a2431e}
    config: {minute: 60, policy: local}
    enabled: true
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {config: {minute: expected a number}}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._plugin import KONG_PLUGIN


def main() -> None:
    run_module(KONG_PLUGIN)


if __name__ == "__main__":
    main()
