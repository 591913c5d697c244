# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that entities share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) creates or updates the entity, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  id:
    description:
      - UUID of the entity. An existing entity is found by it and can be renamed; a new entity gets it.
      - The ID of an existing entity is never changed. With O(state=absent) the other options must agree with the entity.
    type: str
notes:
  - Only the options that are set are managed. Other fields are not changed; V(null) sets a field to the
    default of the gateway.
"""

    TAGS = r"""
options:
  tags:
    description:
      - Tags of the entity; their order does not matter.
    type: list
    elements: str
"""
