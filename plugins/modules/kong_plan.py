#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_plan
short_description: Save what a state file would change in Kong Gateway, for an approval
version_added: 1.0.0
description:
  - Plans as M(irishtek.kong.kong_state) does, lets the gateway validate each write, and saves the plan. Nothing is
    written to the gateway.
  - "M(irishtek.kong.kong_state) with O(irishtek.kong.kong_state#module:plan) carries it out later, only if it is
    still the same."
  - A plan holds no secret. A salted digest stands for each one.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.state_file
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  dest:
    description:
      - File to write the plan to, on the host that the task runs on; its mode is C(0600). Without it the plan is only
        returned.
      - A file that holds the same plan already is left alone.
    type: path
attributes:
  check_mode:
    support: full
    description:
      - Plans and returns the plan, but does not write O(dest).
  diff_mode:
    support: full
    description:
      - Shows each entity before and after the changes that are planned.
  idempotent:
    support: full
    description:
      - A second run leaves O(dest) as it is.
notes:
  - The options are those of M(irishtek.kong.kong_state), so that both tasks can share them. O(concurrency) and
    O(on_error) have no effect on a plan.
seealso:
  - module: irishtek.kong.kong_state
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Save what the file would change
  irishtek.kong.kong_plan:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: synced
    select_tags: [team-orders]
    dest: orders.plan.json

- name: Apply the approved plan
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: synced
    select_tags: [team-orders]
    plan: orders.plan.json

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Save a plan for each gateway
      irishtek.kong.kong_plan:
        src: [kong.yaml]
        dest: "plans/{{ inventory_hostname }}.json"

- name: Save what state absent would delete
  irishtek.kong.kong_plan:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: absent
    dest: removal.plan.json
"""

RETURN = r"""
plan:
  description:
    - The plan, as O(dest) holds it, with the gateway, its version, fingerprints and the changes.
    - Without O(dest) the fingerprint C(document) is null when there are no changes.
  type: dict
  returned: success
  sample:
    format: 1
    gateway: {url: "http://127.0.0.1:8001", workspace: null, name: Kong Gateway, version: 3.9.1, edition: community, role: traditional,
      database: postgres}
    document: 5f0c9a7e1d2b4c6f8a90b1c2d3e4f506
    changes: [{operation: create, kind: upstream, entity: upstream echo}]
has_changes:
  description: Whether the document changes anything in the gateway; RV(ignore:changed) says whether O(dest) was written.
  type: bool
  returned: success
  sample: true
dest:
  description: The file that holds the plan.
  type: str
  returned: when O(dest) is written
  sample: orders.plan.json
summary:
  description: Numbers of entities by kind and by what would happen to them.
  type: dict
  returned: success
  sample: {upstream: {created: 1, updated: 0, deleted: 0, unchanged: 0}}
changes:
  description: What would be done, one entry for each entity that would not be left alone.
  type: list
  elements: dict
  returned: success
  sample: [{operation: create, kind: upstream, name: echo}]
protected:
  description: What would not be deleted because of O(protect_tags), with the reason.
  type: list
  elements: dict
  returned: when O(protect_tags) is written
  sample: [{operation: none, kind: service, name: billing, reason: it has the tag keep}]
failure:
  description: Details of a failure, such as what the gateway would refuse.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, where: "kong.yaml:12"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._state import KONG_PLAN


def main() -> None:
    run_module(KONG_PLAN)


if __name__ == "__main__":
    main()
