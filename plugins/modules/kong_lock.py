#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_lock
short_description: Take the lock of a gateway, so that two rollouts do not interleave
version_added: 1.0.0
description:
  - Creates an upstream of the reserved name C(irishtek.kong.lock) without targets, whose tags say who holds the lock
    and since when. As names of upstreams are unique, only one of two tasks that try at once succeeds.
  - The lock is advisory. It stops nobody who does not ask for it.
  - The modules of this collection leave it out of lists, dumps and comparisons. Other tools, such as decK, may delete it.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
options:
  state:
    description:
      - With V(present) the lock is taken, with V(absent) it is released.
    type: str
    choices: [present, absent]
    default: present
  owner:
    description:
      - Who holds the lock. The same owner can take it again, and release it, in any run.
      - By default the user and the host of this run of Ansible together with O(run), so that two runs of one user exclude
        each other.
    type: str
  run:
    description:
      - What tells this run from others of the same O(owner).
      - By default the process of C(ansible-playbook) where O(owner) is not set. A lock whose process was killed on
        this machine is taken over, with a warning.
    type: str
  stale_after:
    description:
      - Seconds after which a lock is stale. A stale lock is still held, and the error says that it is stale.
    type: int
    default: 3600
  force:
    description:
      - Whether to break a stale lock of somebody else. Together with O(stale_after=0) any lock is broken.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until somebody else releases the lock. With V(0) the task fails at once.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description:
      - Looks who holds the lock, and writes nothing.
  diff_mode:
    support: full
    description:
      - Shows who holds the lock before and after the task.
notes:
  - A gateway without a database cannot hold a lock, as single entities cannot be written there. The task fails.
  - Each workspace, and each control plane of Konnect, has a lock of its own.
  - Data planes get the upstream as part of their configuration. No service leads to it.
seealso:
  - module: irishtek.kong.kong_state
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Take the lock, or fail with the name of who holds it
  irishtek.kong.kong_lock:
    admin_url: http://127.0.0.1:8001

- name: Wait ten minutes for another rollout to end
  irishtek.kong.kong_lock:
    admin_url: http://127.0.0.1:8001
    owner: change 4711
    wait_timeout: 600

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Break a lock that is older than two hours
      irishtek.kong.kong_lock:
        stale_after: 7200
        force: true

- name: Release the lock
  irishtek.kong.kong_lock:
    admin_url: http://127.0.0.1:8001
    state: absent
"""

RETURN = r"""
operation:
  description: Whether the task took the lock (V(create)) or released it (V(delete)).
  type: str
  returned: success
  choices: [create, delete, none]
  sample: create
lock:
  description: Who holds the lock after the task, and since when; empty after O(state=absent).
  type: dict
  returned: success
  sample: {owner: alice@controller, since: "2026-11-30 12:00:00 UTC"}
failure:
  description: Details of a failure, such as who holds the lock.
  type: dict
  returned: failure
  sample: {owner: bob@controller, since: "2026-11-30 11:58:12 UTC", stale: false}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._lock import KONG_LOCK


def main() -> None:
    run_module(KONG_LOCK)


if __name__ == "__main__":
    main()
