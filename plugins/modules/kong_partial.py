#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_partial
short_description: Manage settings that plugins of Kong Gateway share
version_added: 1.0.0
description:
  - Creates, updates or deletes a partial, a part of a configuration that several plugins share. A plugin is linked to it by
    O(irishtek.kong.kong_plugin#module:partials).
  - Needs Kong Gateway Enterprise 3.10 or newer.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the partial. Required unless O(id) is set.
    type: str
  type:
    description:
      - Type of the settings, for example V(redis-ce) or V(redis-ee). Required for a new partial.
    type: str
  config:
    description:
      - The settings. Only the written keys are managed.
    type: dict
seealso:
  - module: irishtek.kong.kong_plugin
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create the settings of a Redis for many plugins
  irishtek.kong.kong_partial:
    admin_url: http://127.0.0.1:8001
    name: shared-redis
    type: redis-ce
    config:
      host: redis.internal
      port: 6379

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Change the port
      irishtek.kong.kong_partial:
        name: shared-redis
        config:
          port: 6380

- name: Delete a partial
  irishtek.kong.kong_partial:
    admin_url: http://127.0.0.1:8001
    name: shared-redis
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
partial:
  description:
    - The partial as the gateway has it after the task; empty after O(state=absent). Secrets are not shown.
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample: {name: shared-redis, type: redis-ce, config: {host: redis.internal, port: 6379}}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {type: required field missing}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._plugin import PARTIAL
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(PARTIAL))


if __name__ == "__main__":
    main()
