#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_key
short_description: Manage keys of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a key, which plugins use to sign, encrypt or verify.
  - It is either a O(jwk) or a O(pem).
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  name:
    description:
      - Name of the key. Required unless O(id) is set.
    type: str
  set:
    description:
      - Name or ID of the key set of the key, which must exist. V(null) removes the key from its set.
    type: str
  kid:
    description:
      - ID of the key in tokens, unique in its set. Required for a new key.
    type: str
  jwk:
    description:
      - The key as a JSON Web Key, a string or a dictionary. Its C(kid) must be the same as O(kid).
      - Strings with the same JSON are the same key.
    type: json
  pem:
    description:
      - The key in PEM format; one of the two can be left out, but Kong Gateway 3.4 and 3.5 need both.
    type: dict
    suboptions:
      private_key:
        description:
          - The private key.
        type: str
      public_key:
        description:
          - The public key.
        type: str
  x5t:
    description:
      - Thumbprint (SHA-1) of the key's X.509 certificate. Needs a recent version of Kong Gateway.
    type: str
seealso:
  - module: irishtek.kong.kong_key_set
  - name: Keys
    description: The entity in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/key/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a public key
  irishtek.kong.kong_key:
    admin_url: http://127.0.0.1:8001
    name: issuer-2026
    kid: "2026"
    pem:
      public_key: "{{ lookup('ansible.builtin.file', 'issuer-2026.pem') }}"

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a key set
      irishtek.kong.kong_key_set:
        name: issuer

    - name: Create a JSON Web Key in it
      irishtek.kong.kong_key:
        name: issuer-2027
        set: issuer
        kid: "2027"
        jwk: "{{ lookup('ansible.builtin.file', 'issuer-2027.json') }}"

- name: Delete a key
  irishtek.kong.kong_key:
    admin_url: http://127.0.0.1:8001
    name: issuer-2025
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
key:
  description:
    - The key as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - A private key, and a JWK as a whole, is replaced by asterisks.
  type: dict
  returned: success
  sample:
    name: issuer-2026
    kid: "2026"
    set: null
    jwk: null
    pem: {private_key: "********", public_key: "-----BEGIN PUBLIC KEY-----..."}
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 400, code: 2, name: schema violation, fields: {pem: could not load public key}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._entities._keys import KEY
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)


def main() -> None:
    run_module(entity_operation(KEY))


if __name__ == "__main__":
    main()
