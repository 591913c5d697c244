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
  - Creates, changes in place or deletes an upstream, a virtual host name whose requests are shared among targets.
  - Writes its targets in the same task, any number of them, and can take those away that are not written.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the upstream, a host name without a port. Services use the upstream by having it as their host.
      - Needed unless O(id) is written.
    type: str
  algorithm:
    description:
      - How requests are shared among the targets. The gateway's default is V(round-robin).
      - A stored O(hash_on) would override what is written here, so it is set to V(none) along with it.
      - V(sticky-sessions) needs Kong Gateway 3.11 or newer.
    type: str
    choices: [consistent-hashing, least-connections, round-robin, latency, sticky-sessions]
  hash_on:
    description:
      - What to hash on; anything but V(none) makes O(algorithm) V(consistent-hashing).
    type: str
    choices: [none, consumer, ip, header, cookie, path, query_arg, uri_capture]
  hash_fallback:
    description:
      - What to hash on when O(hash_on) gives nothing.
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
      - Cookie to hash on, with O(hash_on=cookie) or O(hash_fallback=cookie); the gateway sets it where it is missing.
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
      - When a target is taken out of the balancer and when it comes back.
    type: dict
    suboptions:
      threshold:
        description:
          - Least share of the targets' weight, in percent, that must be available for the upstream to count as healthy.
        type: float
      active:
        description:
          - Probes that the gateway sends by itself.
        type: dict
        suboptions:
          type:
            description:
              - Kind of the probe. The gateway's default is V(http).
            type: str
            choices: [tcp, http, https, grpc, grpcs]
          http_path:
            description:
              - Path that an HTTP probe asks for. The gateway's default is V(/).
            type: str
          timeout:
            description:
              - Seconds within which a probe must be answered. The gateway's default is V(1).
            type: float
          concurrency:
            description:
              - Probes at the same time. The gateway's default is V(10).
            type: int
          https_sni:
            description:
              - Server name of an HTTPS probe.
            type: str
          https_verify_certificate:
            description:
              - Whether an HTTPS probe checks the target's certificate. The gateway's default is V(true).
            type: bool
          headers:
            description:
              - Headers of an HTTP probe, each with a list of values.
              - Values of headers whose name speaks of credentials are not shown.
            type: dict
          healthy:
            description:
              - How targets that are in use are probed, and when probes bring one back.
            type: dict
            suboptions:
              interval:
                description:
                  - Seconds between probes of healthy targets; V(0), the gateway's default, sends none.
                type: float
              successes:
                description:
                  - Good answers after which a target is healthy; V(0), the gateway's default, never.
                type: int
              http_statuses:
                description:
                  - Statuses that are good answers.
                type: list
                elements: int
          unhealthy:
            description:
              - When probes take a target out.
            type: dict
            suboptions:
              interval:
                description:
                  - Seconds between probes of unhealthy targets; V(0), the gateway's default, sends none.
                type: float
              tcp_failures:
                description:
                  - Failed connections after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              http_failures:
                description:
                  - Bad answers after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              timeouts:
                description:
                  - Timeouts after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              http_statuses:
                description:
                  - Statuses that are bad answers.
                type: list
                elements: int
      passive:
        description:
          - Judgement by the requests that are proxied.
        type: dict
        suboptions:
          type:
            description:
              - Kind of the traffic. The gateway's default is V(http).
            type: str
            choices: [tcp, http, https, grpc, grpcs]
          healthy:
            description:
              - When proxied requests make a target healthy.
            type: dict
            suboptions:
              successes:
                description:
                  - Good answers after which a target is healthy; V(0), the gateway's default, never.
                type: int
              http_statuses:
                description:
                  - Statuses that are good answers.
                type: list
                elements: int
          unhealthy:
            description:
              - When proxied requests take a target out. Only an active probe or an operator gets it back.
            type: dict
            suboptions:
              tcp_failures:
                description:
                  - Failed connections after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              http_failures:
                description:
                  - Bad answers after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              timeouts:
                description:
                  - Timeouts after which a target is unhealthy; V(0), the gateway's default, never.
                type: int
              http_statuses:
                description:
                  - Statuses that are bad answers.
                type: list
                elements: int
  host_header:
    description:
      - Value of the C(Host) header of proxied requests, instead of the target's own address.
    type: str
  client_certificate:
    description:
      - Certificate that the gateway shows to the targets, by its id or one of its SNIs.
    type: str
  use_srv_name:
    description:
      - Whether the C(Host) header is the name from the DNS SRV record. The gateway's default is V(false).
    type: bool
  targets:
    description:
      - Targets that the upstream must have. Others are left alone unless O(purge_targets=true).
      - Several that differ in writing but mean the same address are an error.
    type: list
    elements: dict
    suboptions:
      target:
        description:
          - Host name or IP address with a port. Without one the gateway uses V(8000).
        type: str
        required: true
      weight:
        description:
          - Share of the requests, from 0 (none) to 65535. The gateway's default is V(100).
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
      - Whether targets of the upstream that O(targets) does not have are deleted, after the others are written.
    type: bool
    default: false
  allow_empty:
    description:
      - Whether O(purge_targets) may delete all targets when O(targets) is empty, so that an empty inventory group
        cannot empty a pool by accident.
    type: bool
    default: false
  force:
    description:
      - Whether the last targets that have weight may be deleted or given the weight 0, after which the upstream answers
        503.
    type: bool
    default: false
  max_deletes:
    description:
      - Most targets that O(purge_targets) may delete; if there are more, the task fails before it writes.
      - Without it there is no limit.
    type: int
  protect_tags:
    description:
      - Tags of targets that O(purge_targets) never deletes. The result names them in RV(protected).
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
- name: An upstream with two targets
  irishtek.kong.kong_upstream:
    admin_url: http://127.0.0.1:8001
    name: echo
    targets:
      - target: 10.0.0.11:8080
      - target: 10.0.0.12:8080
        weight: 50

- name: Exactly the servers of an inventory group, checked every five seconds
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

- name: The connection once, for several tasks
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

    - name: Back to the default number of slots
      irishtek.kong.kong_upstream:
        name: sessions
        slots: null

- name: No such upstream, and none of its targets
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
