#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_state
short_description: Reconcile Kong Gateway with a state file of decK
version_added: 1.0.0
description:
  - Reads a state file in decK's format and brings the gateway to it, with a readable diff for each entity beforehand.
  - Files, their placeholders (C(${{ env "DECK_X" }})) and their vault encryption are always read on Ansible's
    controller, also when the task runs elsewhere.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.state_file
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  plan:
    description:
      - File with a plan that M(irishtek.kong.kong_plan) saved, on the host that the task runs on.
      - The task plans again and writes only if the plan is still the same. Else it fails and says what became
        different. A plan that was applied already changes nothing.
    type: path
notes:
  - On a gateway without a database the document becomes the whole configuration, so O(state=synced) is needed there.
seealso:
  - module: irishtek.kong.kong_dump
  - module: irishtek.kong.kong_plan
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Apply a file, and delete entities with its tags that are not in it
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: synced
    max_deletes: 10
    on_error: rollback

- name: Apply a document, without deletes
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    content:
      _format_version: "3.0"
      upstreams:
        - name: echo
          targets:
            - target: 10.0.0.11:8080
              weight: 50

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Keep exactly the upstreams and targets of these files
      irishtek.kong.kong_state:
        src: [upstreams/]
        state: synced
        purge_kinds: [upstream, target]

- name: Delete the entities of a file
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: absent
"""

RETURN = r"""
summary:
  description: Numbers of entities by kind and by what happened to them.
  type: dict
  returned: success, and failure after the first write
  sample: {upstream: {created: 1, updated: 0, deleted: 0, unchanged: 0}}
changes:
  description: What was done, in the planned order, one entry for each entity that changed.
  type: list
  elements: dict
  returned: success, and failure after the first write
  sample: [{operation: create, kind: upstream, name: echo}]
protected:
  description: What is not deleted because of O(protect_tags), with the reason.
  type: list
  elements: dict
  returned: when O(protect_tags) is written
  sample: [{operation: none, kind: service, name: billing, reason: it has the tag keep}]
failed_steps:
  description: What failed, with the reason.
  type: list
  elements: dict
  returned: failure of a write
  sample: [{operation: create, kind: route, name: echo, msg: "Could not create route echo at http://127.0.0.1:8001: …"}]
not_done:
  description: What was still to be done when a write failed, in the form of RV(changes).
  type: list
  elements: dict
  returned: failure of a write
  sample: [{operation: delete, kind: upstream, name: old}]
undone:
  description: What was done to put RV(changes) back.
  type: list
  elements: dict
  returned: failure of a write
  sample: [{operation: delete, kind: upstream, name: echo}]
left:
  description: What could not be put back, with the reason.
  type: list
  elements: str
  returned: failure of a write
  sample: ["service echo: somebody else has changed it since"]
failure:
  description: Details of the first failure, with the place in the file as RV(ignore:where).
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, where: "kong.yaml:12"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._state import KONG_STATE


def main() -> None:
    run_module(KONG_STATE)


if __name__ == "__main__":
    main()
