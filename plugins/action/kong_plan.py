# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door two of ``kong_plan``, and the reader of its files for both ways to run."""

from __future__ import annotations

from ansible_collections.irishtek.kong.plugins.module_utils._operations._state import KONG_PLAN
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_action import KongStateAction


class ActionModule(KongStateAction):
    """Reads the state file here, then runs in the controller's process where it can."""

    operation = KONG_PLAN
