# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ``kong_lock`` in process, and says for both ways to run which run of Ansible it is."""

from __future__ import annotations

from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._operations._lock import KONG_LOCK
from ansible_collections.irishtek.kong.plugins.module_utils._process import (
    name_of_run,
    user_and_host,
)
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import KongAction


class ActionModule(KongAction):
    """Runs in the controller's process where it can."""

    operation = KONG_LOCK

    def _arguments(self) -> dict[str, Any]:
        args = dict(self._task.args)
        if not args.get("owner"):
            args["run"] = args.get("run") or name_of_run()
            args["owner"] = user_and_host()
        return args
