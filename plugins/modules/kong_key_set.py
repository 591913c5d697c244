#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_key_set
short_description: Manage key sets of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a key set, a group of keys that plugins can use.
  - Its keys are deleted together with it.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the key set. Required unless O(id) is set.
    type: str
seealso:
  - module: irishtek.kong.kong_key
  - name: Key sets
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/key-set/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a key set
  irishtek.kong.kong_key_set:
    admin_url: http://127.0.0.1:8001
    name: issuer
    tags: [team-a]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create or rename a key set by its ID
      irishtek.kong.kong_key_set:
        id: 00000000-0000-4000-8000-000000000002
        name: issuer-internal

    - name: Remove its tags
      irishtek.kong.kong_key_set:
        name: issuer-internal
        tags: []

- name: Delete a key set with its keys
  irishtek.kong.kong_key_set:
    admin_url: http://127.0.0.1:8001
    name: issuer
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
key_set:
  description:
    - The key set as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    name: issuer
    tags: [team-a]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 409, code: 5, name: unique constraint violation, fields: {name: issuer}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._keys import KEY_SET
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(KEY_SET))


if __name__ == "__main__":
    main()
