#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_host_info
short_description: Gather facts of a gateway's host
version_added: 1.0.0
description:
  - Gathers the distribution, the versions of container engines, and the gateway that the role
    P(irishtek.kong.gateway#role) runs on the host, in one task.
extends_documentation_fragment:
  - irishtek.kong.attributes.read_only
options:
  directory:
    description:
      - Directory of the role's files.
    type: path
    default: /etc/kong
  name:
    description:
      - Name of the container or unit.
    type: str
    default: kong
  method:
    description:
      - What runs the gateway.
    type: str
    choices: [docker, podman, compose, package, helm, files]
    default: files
  unit:
    description:
      - Unit of a package's gateway.
    type: str
    default: kong.service
  namespace:
    description:
      - Namespace of a release of helm.
    type: str
    default: kong
  kubeconfig:
    description:
      - Path of the kubeconfig. By default that of C(KUBECONFIG), else C(~/.kube/config).
    type: path
    default: ''
seealso:
  - module: irishtek.kong.gateway_files
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Gather facts of the host
  irishtek.kong.gateway_host_info:
    method: podman
  register: host

- name: Gather facts of a gateway's package
  irishtek.kong.gateway_host_info:
    method: package
    unit: kong-enterprise-edition.service

- name: Show which version the role has installed
  ansible.builtin.debug:
    var: host.facts.record.version
"""

RETURN = r"""
facts:
  description:
    - The distribution (RV(facts.distribution), RV(facts.family)), versions, whether the gateway runs, its
      certificates, and what the role's last run recorded.
  returned: always
  type: dict
  sample:
    distribution: debian
    family: debian
    running: true
    record: {}
  contains:
    distribution:
      description: The distribution's ID.
      type: str
      returned: always
    family:
      description: The distribution's family, V(debian), V(rhel) or V(amzn).
      type: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._gateway_role._host import SPEC, host_facts


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    module.exit_json(changed=False, facts=host_facts(module.run_command, module.params))


if __name__ == "__main__":
    main()
