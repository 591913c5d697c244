#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_workspace
short_description: Manage workspaces of Kong Gateway Enterprise
version_added: 1.0.0
description:
  - Creates, updates or deletes a workspace, in which a team has its own entities.
  - The gateway refuses to delete a workspace with entities.
  - Needs Kong Gateway Enterprise.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
options:
  name:
    description:
      - Name of the workspace. Required unless O(id) is set.
      - This is the workspace to manage. O(workspace) is that of the connection, and is usually not set here.
    type: str
  comment:
    description:
      - Description of the workspace.
    type: str
  config:
    description:
      - Settings of the workspace, such as those of its developer portal. Only the written keys are managed.
    type: dict
  meta:
    description:
      - C(color) and C(thumbnail) of the workspace in Kong Manager. Only the written keys are managed.
    type: dict
seealso:
  - module: irishtek.kong.kong_entity
  - name: Workspaces
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/workspace/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a workspace
  irishtek.kong.kong_workspace:
    admin_url: http://127.0.0.1:8001
    name: team-a
    comment: Shop and payment

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a workspace
      irishtek.kong.kong_workspace:
        name: team-b

    - name: Create an upstream in it
      irishtek.kong.kong_upstream:
        workspace: team-b
        name: echo

- name: Delete a workspace
  irishtek.kong.kong_workspace:
    admin_url: http://127.0.0.1:8001
    name: team-a
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
workspace:
  description:
    - The workspace as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
  type: dict
  returned: success
  sample:
    name: team-a
    comment: Shop and payment
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, method: DELETE, url: "http://127.0.0.1:8001/workspaces/team-a"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._workspace import (
    KONG_WORKSPACE,
)


def main() -> None:
    run_module(KONG_WORKSPACE)


if __name__ == "__main__":
    main()
