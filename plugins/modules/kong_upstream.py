#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_upstream
short_description: Manage upstreams of Kong Gateway, with their targets
version_added: 1.0.0
description:
  - Creates, updates or deletes an upstream, a virtual host name whose requests are balanced among targets.
  - Manages any number of its targets in the same task, and can delete those that are not listed.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the upstream, a host name without a port. Services use the upstream by this name as their host.
      - Required unless O(id) is set.
    type: str
  algorithm:
    description:
      - Load balancing algorithm. The gateway's default is V(round-robin).
      - An algorithm other than V(consistent-hashing) also sets O(hash_on) to V(none), which would override it.
      - V(sticky-sessions) needs Kong Gateway 3.11 or newer.
    type: str
    choices: [consistent-hashing, least-connections, round-robin, latency, sticky-sessions]
  hash_on:
    description:
      - What to hash on. Any value other than V(none) sets O(algorithm) to V(consistent-hashing).
    type: str
    choices: [none, consumer, ip, header, cookie, path, query_arg, uri_capture]
  hash_fallback:
    description:
      - What to hash on if O(hash_on) has no value in a request.
    type: str
    choices: [none, consumer, ip, header, cookie, path, query_arg, uri_capture]
  hash_on_header:
    description:
      - Header to hash on, with O(hash_on=header).
    type: str
  hash_fallback_header:
    description:
      - Header to hash on, with O(hash_fallback=header).
    type: str
  hash_on_cookie:
    description:
      - Cookie to hash on, with O(hash_on=cookie) or O(hash_fallback=cookie); the gateway sets it if it is missing.
    type: str
  hash_on_cookie_path:
    description:
      - Path of the cookie that the gateway sets. Its default is V(/).
    type: str
  hash_on_query_arg:
    description:
      - Query argument to hash on, with O(hash_on=query_arg).
    type: str
  hash_fallback_query_arg:
    description:
      - Query argument to hash on, with O(hash_fallback=query_arg).
    type: str
  hash_on_uri_capture:
    description:
      - Named group of the route's path to hash on, with O(hash_on=uri_capture).
    type: str
  hash_fallback_uri_capture:
    description:
      - Named group of the route's path to hash on, with O(hash_fallback=uri_capture).
    type: str
  sticky_sessions_cookie:
    description:
      - Cookie that binds a client to a target, with O(algorithm=sticky-sessions). Needs Kong Gateway 3.11 or newer.
    type: str
  sticky_sessions_cookie_path:
    description:
      - Path of that cookie. The gateway's default is V(/).
    type: str
  slots:
    description:
      - Slots of the hash ring, from 10 to 65536. The gateway's default is V(10000).
    type: int
  healthchecks:
    description:
      - Active and passive health checks of the targets.
    type: dict
    suboptions:
      threshold:
        description:
          - Minimum percentage of the weight of all targets that must be available for the upstream to be healthy.
        type: float
      active:
        description:
          - Probes that the gateway sends.
        type: dict
        suboptions:
          type:
            description:
              - Type of the probe. The gateway's default is V(http).
            type: str
            choices: [tcp, http, https, grpc, grpcs]
          http_path:
            description:
              - Path of the request of an HTTP probe. The gateway's default is V(/).
            type: str
          timeout:
            description:
              - Timeout of a probe in seconds. The gateway's default is V(1).
            type: float
          concurrency:
            description:
              - Number of targets that are probed at the same time. The gateway's default is V(10).
            type: int
          https_sni:
            description:
              - Server name of an HTTPS probe.
            type: str
          https_verify_certificate:
            description:
              - Whether an HTTPS probe verifies the certificate of the target. The gateway's default is V(true).
            type: bool
          headers:
            description:
              - Headers of an HTTP probe, each with a list of values.
              - Values of headers with names of credentials are not shown.
            type: dict
          healthy:
            description:
              - Probes of healthy targets, and when a target becomes healthy.
            type: dict
            suboptions:
              interval:
                description:
                  - Seconds between probes of healthy targets. The gateway's default is V(0), which disables them.
                type: float
              successes:
                description:
                  - Number of successes after which a target is healthy. The gateway's default is V(0), which disables this.
                type: int
              http_statuses:
                description:
                  - Statuses that count as a success.
                type: list
                elements: int
          unhealthy:
            description:
              - Probes of unhealthy targets, and when a target becomes unhealthy.
            type: dict
            suboptions:
              interval:
                description:
                  - Seconds between probes of unhealthy targets. The gateway's default is V(0), which disables them.
                type: float
              tcp_failures:
                description:
                  - Number of failed connections after which a target is unhealthy. The gateway's default is V(0), which
                    disables this.
                type: int
              http_failures:
                description:
                  - Number of failed responses after which a target is unhealthy. The gateway's default is V(0), which disables
                    this.
                type: int
              timeouts:
                description:
                  - Number of timeouts after which a target is unhealthy. The gateway's default is V(0), which disables this.
                type: int
              http_statuses:
                description:
                  - Statuses that count as a failure.
                type: list
                elements: int
      passive:
        description:
          - Health checks by the requests that are proxied.
        type: dict
        suboptions:
          type:
            description:
              - Type of the traffic. The gateway's default is V(http).
            type: str
            choices: [tcp, http, https, grpc, grpcs]
          healthy:
            description:
              - When proxied requests make a target healthy.
            type: dict
            suboptions:
              successes:
                description:
                  - Number of successes after which a target is healthy. The gateway's default is V(0), which disables this.
                type: int
              http_statuses:
                description:
                  - Statuses that count as a success.
                type: list
                elements: int
          unhealthy:
            description:
              - When proxied requests make a target unhealthy. Only an active probe or an operator makes it healthy again.
            type: dict
            suboptions:
              tcp_failures:
                description:
                  - Number of failed connections after which a target is unhealthy. The gateway's default is V(0), which
                    disables this.
                type: int
              http_failures:
                description:
                  - Number of failed responses after which a target is unhealthy. The gateway's default is V(0), which disables
                    this.
                type: int
              timeouts:
                description:
                  - Number of timeouts after which a target is unhealthy. The gateway's default is V(0), which disables this.
                type: int
              http_statuses:
                description:
                  - Statuses that count as a failure.
                type: list
                elements: int
  host_header:
    description:
      - Value of the C(Host) header of proxied requests, instead of the address of the target.
    type: str
  client_certificate:
    description:
      - Certificate that the gateway presents to the targets, by its ID or one of its SNIs.
    type: str
  use_srv_name:
    description:
      - Whether the C(Host) header is the name from the DNS SRV record. The gateway's default is V(false).
    type: bool
  targets:
    description:
      - Targets that the upstream must have. Other targets are not changed unless O(purge_targets=true).
      - Two targets with the same address are an error, also if it is written in different ways.
    type: list
    elements: dict
    suboptions:
      target:
        description:
          - Host name or IP address with an optional port. The gateway's default for the port is V(8000).
        type: str
        required: true
      weight:
        description:
          - Weight of the target, from V(0) (no requests) to V(65535). The gateway's default is V(100).
        type: int
      failover:
        description:
          - Whether the target is used only when no other one is available. Needs Kong Gateway Enterprise 3.12 or newer.
        type: bool
      tags:
        description:
          - Tags of the target; their order does not matter.
        type: list
        elements: str
  purge_targets:
    description:
      - Whether targets of the upstream that are not in O(targets) are deleted, after the others are written.
    type: bool
    default: false
  allow_empty:
    description:
      - Whether O(purge_targets) may delete all targets if O(targets) is empty. By default this is an error, so that an
        empty inventory group cannot empty an upstream.
    type: bool
    default: false
  force:
    description:
      - Whether the last targets with a weight above 0 may be deleted or get the weight 0, after which requests fail with
        503.
    type: bool
    default: false
  max_deletes:
    description:
      - Maximum number of targets that O(purge_targets) may delete. If there are more, the task fails before it writes.
      - By default there is no limit.
    type: int
  protect_tags:
    description:
      - Tags of targets that O(purge_targets) does not delete. They are listed in RV(protected).
    type: list
    elements: str
seealso:
  - module: irishtek.kong.kong_target
  - name: Upstreams
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/upstream/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create an upstream with two targets
  irishtek.kong.kong_upstream:
    admin_url: http://127.0.0.1:8001
    name: echo
    targets:
      - target: 10.0.0.11:8080
      - target: 10.0.0.12:8080
        weight: 50

- name: Keep exactly the servers of an inventory group, with health checks
  irishtek.kong.kong_upstream:
    admin_url: http://127.0.0.1:8001
    name: echo
    tags: [team-a]
    healthchecks:
      active:
        http_path: /health
        healthy: {interval: 5, successes: 2}
        unhealthy: {interval: 5, http_failures: 2, tcp_failures: 2, timeouts: 2}
    targets: "{{ groups['echo_servers'] | irishtek.kong.kong_targets(hostvars, port=8080, weight=100) }}"
    purge_targets: true
    max_deletes: 2

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Hash on a header
      irishtek.kong.kong_upstream:
        name: sessions
        hash_on: header
        hash_on_header: X-Session

    - name: Reset the number of slots to the default
      irishtek.kong.kong_upstream:
        name: sessions
        slots: null

- name: Delete an upstream with its targets
  irishtek.kong.kong_upstream:
    admin_url: http://127.0.0.1:8001
    name: echo
    state: absent
"""

RETURN = r"""
operation:
  description: What was done to the upstream itself.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: update
upstream:
  description:
    - The upstream as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the id of an upstream that does not exist yet begins with C(ffffffff).
  type: dict
  returned: success
  sample: {name: echo, algorithm: round-robin, slots: 10000, tags: [team-a]}
targets:
  description: The written targets as the gateway has them after the task.
  type: list
  elements: dict
  returned: when O(targets) is written
  sample: [{target: "10.0.0.11:8080", weight: 100, tags: null}]
protected:
  description: Targets that are not deleted because of O(protect_tags).
  type: list
  elements: dict
  returned: when O(protect_tags) and O(targets) are written
  sample: [{operation: none, kind: target, target: "10.0.0.12:8080", upstream: echo}]
changes:
  description: What was done, one entry for each entity that was not left alone.
  type: list
  elements: dict
  returned: when O(targets) is written or O(state=absent)
  sample: [{operation: create, kind: target, target: "10.0.0.11:8080", upstream: echo}]
not_done:
  description: What was still to be done when a write failed, in the form of RV(changes).
  type: list
  elements: dict
  returned: failure in the middle of writing targets
  sample: [{operation: create, kind: target, target: "10.0.0.12:8080", upstream: echo}]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {slots: value should be between 10 and 65536}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._upstream import (
    KONG_UPSTREAM,
)


def main() -> None:
    run_module(KONG_UPSTREAM)


if __name__ == "__main__":
    main()
