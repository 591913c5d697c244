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
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  src:
    description:
      - Files or directories to read, found as in other actions, in a role's or a play's C(files) first.
      - The lists of several files are joined; a value that two of them write differently is an error.
    type: list
    elements: path
  content:
    description:
      - The document itself, as a mapping or as text.
      - Text with placeholders needs C(!unsafe), so that Ansible does not take them for templates.
    type: raw
  state:
    description:
      - With V(applied) the document is merged in. Only fields that it has are touched, and nothing is deleted.
      - With V(synced) the gateway is brought to the document. Fields that it leaves out take their defaults, and what is
        owned and not in it is deleted. O(select_tags) or O(purge_kinds) has to say what is owned; a gateway without a
        database is owned whole.
      - With V(absent) what the document names is deleted.
    type: str
    choices: [synced, applied, absent]
    default: applied
  select_tags:
    description:
      - Tags that say what the document owns. All entities that it has get them.
      - They and C(_info.select_tags) of the document must be the same where both are written.
    type: list
    elements: str
  default_lookup_tags:
    description:
      - Read for decK's sake. References are looked up among all entities of the gateway, whatever their tags.
    type: dict
  purge_kinds:
    description:
      - Kinds of which the document owns everything, where there are no tags that say what it owns.
    type: list
    elements: str
    choices:
      - certificate
      - ca_certificate
      - vault
      - key_set
      - partial
      - consumer
      - consumer_group
      - sni
      - key
      - upstream
      - service
      - key_auth
      - basic_auth
      - hmac_auth
      - jwt
      - oauth2
      - acl
      - mtls_auth
      - target
      - route
      - plugin
  cascade:
    description:
      - Whether entities that are not owned may be deleted along with one that they belong to or point at, and with
        those in turn what belongs to them or points at them.
    type: bool
    default: false
  max_deletes:
    description:
      - Most entities that may be deleted, those that go along and memberships of consumer groups included; if there
        are more, the task fails before it writes. Without it there is no limit.
    type: int
  allow_empty:
    description:
      - Whether a document without entities may delete everything that is owned.
    type: bool
    default: false
  concurrency:
    description:
      - Requests at the same time, at most 10, as a gateway gets no more connections.
    type: int
    default: 10
  on_error:
    description:
      - With V(stop) nothing new is begun after a failure. With V(continue) only what needs the failed entity is left out.
      - With V(rollback) what was done is put back, in reverse order. What somebody changed meanwhile is left alone and
        named, and so is what cannot be made again, as a gateway answers passwords of basic-auth only hashed.
    type: str
    choices: [stop, continue, rollback]
    default: stop
  ignore_konnect:
    description:
      - Whether a document with C(_konnect), which asks for a control plane of Konnect, may go to an Admin API.
    type: bool
    default: false
notes:
  - On a gateway without a database the document becomes the whole configuration, so O(state=synced) is needed there.
seealso:
  - module: irishtek.kong.kong_dump
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Bring the gateway to the file, which says by its tags what it owns
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    src: [kong.yaml]
    state: synced
    max_deletes: 10
    on_error: rollback

- name: Merge a document in, without deleting anything
  irishtek.kong.kong_state:
    admin_url: http://127.0.0.1:8001
    content:
      _format_version: "3.0"
      upstreams:
        - name: echo
          targets:
            - target: 10.0.0.11:8080
              weight: 50

- name: The connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: All upstreams and targets as in these files, and no others
      irishtek.kong.kong_state:
        src: [upstreams/]
        state: synced
        purge_kinds: [upstream, target]

- name: What the file names goes away
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
  description: What was done, in the order done, one entry for each entity that was not left alone.
  type: list
  elements: dict
  returned: success, and failure after the first write
  sample: [{operation: create, kind: upstream, name: echo}]
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
  sample: ["service echo: it was changed since by somebody else"]
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
