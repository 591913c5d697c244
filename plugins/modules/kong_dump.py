#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_dump
short_description: Write the entities of Kong Gateway to a state file
version_added: 1.0.0
description:
  - Reads a gateway and writes its entities as a document in decK's format, sorted and nested, to a file or into the
    result. M(irishtek.kong.kong_state) reads it back.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  dest:
    description:
      - File to write, where the task runs; its mode is C(0600). Without it the document is only returned.
    type: path
  kinds:
    description:
      - Kinds to write. Without it all of them.
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
  select_tags:
    description:
      - Only entities that have all of these tags, which the document then names as its own.
    type: list
    elements: str
  with_ids:
    description:
      - Whether the ids are written. Those of certificates and of what has no name of its own always are.
    type: bool
    default: false
  skip_defaults:
    description:
      - Whether only what differs from the gateway's own defaults is written.
    type: bool
    default: false
  secrets:
    description:
      - With V(mask) secrets are written as asterisks, with V(env) as placeholders for environment variables, with V(keep)
        as they are.
      - Each secret has a variable of its own, named after where it stands; any value reaches M(irishtek.kong.kong_state)
        and decK.
      - A key of key-auth that expires is written with the seconds that are left, so two dumps of it differ.
    type: str
    choices: [mask, env, keep]
    default: mask
  format:
    description:
      - Format of the file.
    type: str
    choices: [yaml, json]
    default: yaml
seealso:
  - module: irishtek.kong.kong_state
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Dump all entities, without their secrets
  irishtek.kong.kong_dump:
    admin_url: http://127.0.0.1:8001
    dest: kong.yaml

- name: Dump the entities of a team, without defaults
  irishtek.kong.kong_dump:
    admin_url: http://127.0.0.1:8001
    select_tags: [team-a]
    skip_defaults: true
    secrets: env
    dest: team-a.yaml

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Dump upstreams and targets into a variable
      irishtek.kong.kong_dump:
        kinds: [upstream, target]
      register: pools
"""

RETURN = r"""
document:
  description: The document.
  type: dict
  returned: success
  sample: {_format_version: "3.0", upstreams: [{name: echo, targets: [{target: "10.0.0.11:8080", weight: 100}]}]}
dest:
  description: The file that was written.
  type: str
  returned: when O(dest) is written
  sample: /srv/kong.yaml
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 401, method: GET, url: "http://127.0.0.1:8001/"}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._dump import KONG_DUMP


def main() -> None:
    run_module(KONG_DUMP)


if __name__ == "__main__":
    main()
