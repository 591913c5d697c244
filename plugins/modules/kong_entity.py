#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_entity
short_description: Manage any other entity of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes an entity that has no module of its own, such as those of custom plugins or of newer
    versions.
  - Its fields, with their types, sets and secrets, are read from the schema of the gateway. Plugins, each of which has a
    schema of its own, are managed by M(irishtek.kong.kong_plugin).
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  path:
    description:
      - Path of the list of these entities, without the URL of the Admin API. The path of nested entities begins with the
        parent, as in V(consumers/alice/my-credentials), which is also their reference.
    type: str
    required: true
  schema:
    description:
      - Name of the gateway's schema, as in C(/schemas/NAME). The default is the last part of O(path), with underscores
        instead of hyphens.
    type: str
  identity:
    description:
      - Field of O(entity) by which the entity is found, unique at O(path).
    type: str
    default: name
  search:
    description:
      - Whether to search for the entity in the list at O(path), for an O(identity) that cannot be part of a URL, such as a
        secret or a field by which the gateway does not find entities.
    type: bool
    default: false
  entity:
    description:
      - Fields of the entity, with the gateway's own names. The field O(identity) or C(id) is required.
      - "Only the written fields are managed, also in nested records; V(null) sets a field to the gateway's default.
        References are written as in the gateway, C({id: ...})."
      - Encrypted fields are not shown.
    type: dict
    required: true
  state:
    description:
      - V(present) creates or updates the entity, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: irishtek.kong.kong_info
  - name: Entities
    description: The entities of Kong Gateway in its documentation.
    link: https://developer.konghq.com/gateway/entities/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a route of the plugin degraphql (Kong Gateway Enterprise)
  irishtek.kong.kong_entity:
    admin_url: http://127.0.0.1:8001
    path: services/graph/degraphql/routes
    schema: degraphql_routes
    identity: uri
    search: true
    entity:
      uri: /people
      query: query { people { name } }

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a role of administrators (Kong Gateway Enterprise)
      irishtek.kong.kong_entity:
        path: rbac/roles
        schema: rbac_roles
        entity:
          name: orders-readers
          comment: May look at what belongs to orders

- name: Delete an entity
  irishtek.kong.kong_entity:
    admin_url: http://127.0.0.1:8001
    path: rbac/roles
    schema: rbac_roles
    entity:
      name: orders-readers
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
entity:
  description:
    - The entity as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - Its secrets are replaced by asterisks.
  type: dict
  returned: success
  sample:
    name: shared-redis
    type: redis-ce
    config: {host: redis.internal, port: 6379}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 404, method: GET, url: "http://127.0.0.1:8001/schemas/partials"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._generic import (
    KONG_ENTITY,
)


def main() -> None:
    run_module(KONG_ENTITY)


if __name__ == "__main__":
    main()
