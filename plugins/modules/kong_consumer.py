#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_consumer
short_description: Manage consumers of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a consumer, a user of the services of the gateway.
  - A consumer is found by O(id), by O(username), or by O(custom_id) if only that is set.
    Its credentials and plugins are deleted together with it.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  username:
    description:
      - Name of the consumer, unique on the gateway.
    type: str
  custom_id:
    description:
      - ID of the consumer in another system, unique on the gateway.
    type: str
seealso:
  - module: irishtek.kong.kong_credential
  - module: irishtek.kong.kong_consumer_group
  - name: Consumers
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/consumer/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a consumer
  irishtek.kong.kong_consumer:
    admin_url: http://127.0.0.1:8001
    username: alice
    tags: [team-a]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a consumer with its ID in another system
      irishtek.kong.kong_consumer:
        username: billing
        custom_id: crm-4711

    - name: Remove the ID in the other system
      irishtek.kong.kong_consumer:
        username: billing
        custom_id: null

- name: Delete a consumer with its credentials
  irishtek.kong.kong_consumer:
    admin_url: http://127.0.0.1:8001
    username: alice
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
consumer:
  description:
    - The consumer as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    username: alice
    custom_id: null
    tags: [team-a]
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 409, code: 5, name: unique constraint violation, fields: {custom_id: crm-4711}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._consumer import CONSUMER
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(CONSUMER))


if __name__ == "__main__":
    main()
