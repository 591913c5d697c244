#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_ready
short_description: Wait until a gateway serves
version_added: 1.0.0
description:
  - Requests the status of a gateway on its own host until it serves, and fails with the reason from its log when it
    does not.
  - Can reload the gateway first and wait until its new workers serve.
attributes:
  check_mode:
    support: full
    description:
      - Waits for the gateway, and does not reload it.
  diff_mode:
    support: N/A
    description:
      - There is nothing to show.
  idempotent:
    support: full
    description:
      - Changes nothing unless O(reload) is given.
  platform:
    support: full
    platforms: posix
    description:
      - Where the module can run.
options:
  status_url:
    description:
      - URL of the gateway's C(status_listen). C(/status) and C(/status/ready) are requested.
    type: str
    default: ''
  proxy_url:
    description:
      - URL of the gateway's proxy. Any response of a gateway counts, with any status.
    type: str
    default: ''
  reload:
    description:
      - Command that reloads the gateway, as a list of words.
    type: list
    elements: str
    default: []
  log:
    description:
      - Command that prints the gateway's log, as a list of words.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait at most.
    type: float
    default: 60.0
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Wait until the gateway serves
  irishtek.kong.gateway_ready:
    status_url: http://127.0.0.1:8100
    proxy_url: http://127.0.0.1:8000

- name: Reload the gateway and wait for its new workers
  irishtek.kong.gateway_ready:
    status_url: http://127.0.0.1:8100
    reload: [docker, exec, kong, kong, reload]
    log: [docker, logs, --tail, "200", kong]
"""

RETURN = r"""
gateway:
  description:
    - The gateway's status.
  returned: success
  type: dict
  sample:
    configuration_hash: 5b1b1a5a6e2f3c4d5b1b1a5a6e2f3c4d
    ready: true
    workers: [1234, 1235]
    proxy_status: 404
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._gateway_role._ready import SPEC, NotReady, wait


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    given = {**module.params, **({"reload": []} if module.check_mode else {})}
    try:
        found = wait(module.run_command, given)
    except NotReady as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=bool(module.params["reload"]), gateway=found)


if __name__ == "__main__":
    main()
