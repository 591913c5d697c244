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
      - Whether the entity is to be there as it is written, or not at all.
    type: str
    choices: [present, absent]
    default: present
  id:
    description:
      - UUID of the entity. One that is there is found by it, and can be renamed; a new one gets it.
      - The ID of an existing entity is never changed. With O(state=absent), what is written beside it must be that of the
        entity.
    type: str
notes:
  - Only what is written is managed. What a task leaves out stays as it is; V(null) sets a field back to
    the gateway's default.
"""

    TAGS = r"""
options:
  tags:
    description:
      - Tags of the entity; their order does not matter.
    type: list
    elements: str
"""
