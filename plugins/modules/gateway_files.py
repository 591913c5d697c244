#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_files
short_description: Write the files of a gateway together
version_added: 1.0.0
description:
  - Writes the files of a directory in one task, keeps what they replace, and can put that back. The role
    P(irishtek.kong.gateway#role) uses it.
  - Secrets and settings that are not known are never shown in a diff.
attributes:
  check_mode:
    support: full
    description:
      - Writes nothing and predicts the changes.
  diff_mode:
    support: full
    description:
      - Shows each file before and after the task.
  idempotent:
    support: full
    description:
      - A second run changes nothing.
  platform:
    support: full
    platforms: posix
    description:
      - Where the module can run.
options:
  state:
    description:
      - V(present) writes O(files), moves O(moves) and removes those of O(known) that are not wanted.
      - V(proven) writes O(files) and removes what the last change replaced.
      - V(restored) puts back what the last change replaced.
      - V(absent) removes O(known) and directories that are empty then.
    type: str
    choices: [present, proven, restored, absent]
    default: present
  directory:
    description:
      - Directory of the files.
    type: path
    required: true
  owner:
    description:
      - User who owns the files. By default who runs the task.
    type: str
    default: ''
  group:
    description:
      - Group that may read the files.
    type: str
    default: ''
  files:
    description:
      - List of files, each with C(path) (relative to O(directory), or absolute), C(content), C(mode), C(secret)
        (whether the content is hidden in a diff) and C(open_lines) (names of settings that a diff may show). It is
        never logged. Give it as a JSON string; words of a list are hidden in the result.
    type: json
    default: '[]'
  moves:
    description:
      - Files to move, from and to.
    type: dict
    default: {}
  known:
    description:
      - Files that an earlier run wrote.
    type: list
    elements: str
    default: []
seealso:
  - module: irishtek.kong.gateway_host_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Write the settings
  irishtek.kong.gateway_files:
    directory: /etc/kong
    files: "{{ [{'path': 'kong.conf', 'content': 'database = off\n', 'mode': '0640'}] | to_json }}"

- name: Put back what the last change replaced
  irishtek.kong.gateway_files:
    directory: /etc/kong
    state: restored

- name: Remove the files
  irishtek.kong.gateway_files:
    directory: /etc/kong
    state: absent
    known: [kong.conf]
"""

RETURN = r"""
paths:
  description:
    - The files that changed.
  returned: always
  type: list
  elements: str
  sample: [kong.conf]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._gateway_role._files import SPEC, run


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    given = dict(module.params)
    # A verbose run shows the parameters; of a list no_log would hide single words only.
    module.params["files"] = ""
    module.exit_json(**run(given, module.check_mode))


if __name__ == "__main__":
    main()
