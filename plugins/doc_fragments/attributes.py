# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules promise about check mode, diffs and idempotence."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description:
      - Reports what would change without writing to the gateway, which validates each change.
  diff_mode:
    support: full
    description:
      - Shows each changed entity before and after the task.
  idempotent:
    support: full
    description:
      - A second run changes nothing and sends no write.
  platform:
    support: full
    platforms: posix
    description:
      - Where the module can run.
"""

    ACTION_GROUP = r"""
attributes:
  action_group:
    support: full
    description:
      - Use C(group/irishtek.kong.kong) in C(module_defaults) to set the connection options once.
    membership:
      - irishtek.kong.kong
"""

    READ_ONLY = r"""
attributes:
  check_mode:
    support: full
    description:
      - The module only reads, also in check mode.
  diff_mode:
    support: N/A
    description:
      - The module changes nothing.
  idempotent:
    support: full
    description:
      - Changes nothing.
  platform:
    support: full
    platforms: posix
    description:
      - Where the module can run.
"""
