# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door two of ``kong_workspace``; what it does and its options are documented in the module."""

from __future__ import annotations

from ansible_collections.irishtek.kong.plugins.module_utils._operations._workspace import (
    KONG_WORKSPACE,
)
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import KongAction


class ActionModule(KongAction):
    """Runs in the controller's process where it can."""

    operation = KONG_WORKSPACE
