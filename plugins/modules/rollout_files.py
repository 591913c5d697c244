#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_files
short_description: Keep the files of a rollout
version_added: 1.0.0
description:
  - Writes and removes files of one directory in one task. The mode of the directory is C(0700), that of the files
    C(0600), and each file is replaced as a whole. The role P(irishtek.kong.rollout#role) uses it.
extends_documentation_fragment:
  - irishtek.kong.attributes
attributes:
  check_mode:
    support: full
    description:
      - Writes nothing and says what would change.
  diff_mode:
    support: none
    description:
      - The files hold secrets, so they are not shown.
  idempotent:
    support: full
    description:
      - A second run changes nothing.
options:
  directory:
    description:
      - Directory of the files.
    type: path
    required: true
  files:
    description:
      - Texts of the files by their names. They are not shown.
    type: dict
    default: {}
  remove:
    description:
      - Names of files to remove.
    type: list
    elements: str
    default: []
  prefix:
    description:
      - What the names of the files begin with of which O(keep) keeps some.
    type: str
  keep:
    description:
      - Number of files whose names begin with O(prefix) to keep, at least V(1). Of these names the last ones in
        alphabetical order are kept.
    type: int
seealso:
  - module: irishtek.kong.kong_dump
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Keep a snapshot and the five newest ones
  irishtek.kong.rollout_files:
    directory: /var/lib/rollouts/kong-1
    files:
      snapshot-20261130T120000Z.yml: "{{ dumped.document | to_nice_yaml }}"
    prefix: snapshot-
    keep: 5
  no_log: true

- name: Remove the note of a rollout
  irishtek.kong.rollout_files:
    directory: /var/lib/rollouts/kong-1
    remove: [unfinished.json]
"""

RETURN = r"""
written:
  description: Names of the files that were written.
  type: list
  elements: str
  returned: success
  sample: [plan.json]
removed:
  description: Names of the files that were removed.
  type: list
  elements: str
  returned: success
  sample: [snapshot-20261001T120000Z.yml]
time:
  description: Unix time at which it was done.
  type: int
  returned: success
  sample: 1795996800
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._files import (
    ROLLOUT_FILES,
)


def main() -> None:
    run_module(ROLLOUT_FILES)


if __name__ == "__main__":
    main()
