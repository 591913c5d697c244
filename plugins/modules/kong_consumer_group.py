#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_consumer_group
short_description: Manage consumer groups of Kong Gateway Enterprise
version_added: 1.0.0
description:
  - Creates, updates or deletes a consumer group, to which plugins can apply.
  - Manages its members in the same task, and can remove those that are not listed.
  - Needs Kong Gateway Enterprise.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the consumer group. Required unless O(id) is set.
    type: str
  consumers:
    description:
      - Usernames, IDs or custom IDs of existing consumers that must be members. Other members are not changed unless
        O(purge_consumers=true).
    type: list
    elements: str
  purge_consumers:
    description:
      - Whether members that are not in O(consumers) are removed from the group. The consumers are not deleted.
    type: bool
    default: false
seealso:
  - module: irishtek.kong.kong_consumer
  - module: irishtek.kong.kong_plugin
  - name: Consumer groups
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/consumer-group/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a group with two members
  irishtek.kong.kong_consumer_group:
    admin_url: http://127.0.0.1:8001
    name: gold
    consumers: [alice, bob]

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Remove all other members
      irishtek.kong.kong_consumer_group:
        name: gold
        consumers: [alice]
        purge_consumers: true

    - name: Add a header to the requests of its members
      irishtek.kong.kong_plugin:
        name: request-transformer
        consumer_group: gold
        config:
          add:
            headers: ["x-plan:gold"]

- name: Delete a group
  irishtek.kong.kong_consumer_group:
    admin_url: http://127.0.0.1:8001
    name: gold
    state: absent
"""

RETURN = r"""
operation:
  description: What was done to the consumer group itself.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: update
consumer_group:
  description:
    - The consumer group as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    name: gold
    tags: null
consumers:
  description: Usernames of all members after the task, sorted.
  type: list
  elements: str
  returned: when O(consumers) is written
  sample: [alice, bob]
added:
  description: Usernames of the consumers that became members.
  type: list
  elements: str
  returned: when O(consumers) is written
  sample: [bob]
removed:
  description: Usernames of the consumers that were removed.
  type: list
  elements: str
  returned: when O(consumers) is written
  sample: []
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 404, method: POST, url: "http://127.0.0.1:8001/consumer_groups"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._consumer_group import (
    KONG_CONSUMER_GROUP,
)


def main() -> None:
    run_module(KONG_CONSUMER_GROUP)


if __name__ == "__main__":
    main()
