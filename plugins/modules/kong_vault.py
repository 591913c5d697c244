#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_vault
short_description: Manage vaults of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a vault, from which the gateway reads the secrets that
    V({vault://PREFIX/NAME}) in a configuration refers to.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  prefix:
    description:
      - Prefix of the vault in references. Required unless O(id) is set.
    type: str
  name:
    description:
      - Type of the vault, for example V(env); most others, such as V(hcv) or V(aws), need Kong Gateway Enterprise.
      - Required for a new vault.
    type: str
  description:
    description:
      - Description of the vault.
    type: str
  config:
    description:
      - Settings of this type of vault. Only the written keys are managed; V(null) clears a key.
      - Keys with credentials are not shown.
    type: dict
seealso:
  - module: irishtek.kong.kong_plugin
  - name: Vaults
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/vault/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Read secrets from environment variables that begin with ECHO_
  irishtek.kong.kong_vault:
    admin_url: http://127.0.0.1:8001
    prefix: echo-env
    name: env
    config:
      prefix: echo_

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Read secrets from HashiCorp Vault (Kong Gateway Enterprise)
      irishtek.kong.kong_vault:
        prefix: team-a
        name: hcv
        config:
          host: vault.internal
          port: 8200
          token: "{{ vault_token }}"

    - name: Use a secret in a plugin
      irishtek.kong.kong_plugin:
        name: session
        service: echo
        config:
          secret: "{vault://team-a/session/secret}"

- name: Delete a vault
  irishtek.kong.kong_vault:
    admin_url: http://127.0.0.1:8001
    prefix: echo-env
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
vault:
  description:
    - The vault as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - Secrets in its settings are replaced by asterisks.
  type: dict
  returned: success
  sample:
    prefix: echo-env
    name: env
    description: null
    config: {prefix: echo_}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {name: vault 'hcv' is not installed}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._keys import VAULT
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(VAULT))


if __name__ == "__main__":
    main()
