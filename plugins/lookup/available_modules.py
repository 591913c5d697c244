# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: available_modules
short_description: Tell which modules the controller has
version_added: 1.0.0
description:
  - Returns those of the given modules that a play could use, found as a task would find them.
  - A task file that names a module of a collection that is not installed cannot be loaded. Whoever
    includes it dynamically can ask before.
options:
  _terms:
    description:
      - Modules by their full names, such as V(kubernetes.core.k8s).
    type: list
    elements: str
    required: true
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Use a collection where it is installed
  ansible.builtin.include_tasks:
    file: with_collection.yml
  when: query('irishtek.kong.available_modules', 'kubernetes.core.k8s') | length > 0
"""

RETURN = r"""
_raw:
  description:
    - The names of the modules that are there, in the order given.
  type: list
  elements: str
  sample:
    - kubernetes.core.k8s
"""

import importlib
from typing import Any

from ansible.plugins.loader import module_loader
from ansible.plugins.lookup import LookupBase


def _is_there(name: str) -> bool:
    # Some versions of the loader warn of a collection that is not there.
    try:
        importlib.import_module("ansible_collections." + ".".join(name.split(".")[:2]))
    except ImportError:
        return False
    return bool(module_loader.find_plugin_with_context(name).resolved)


class LookupModule(LookupBase):
    """Asks Ansible's own loader."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[str]:
        return [str(term) for term in terms if _is_there(str(term))]
