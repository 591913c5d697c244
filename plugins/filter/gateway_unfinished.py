# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``gateway_unfinished``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role._plan import DATABASE


def gateway_unfinished(
    hosts: Mapping[str, Any], names: Iterable[str], played: Collection[str], database: list[str]
) -> list[str]:
    """Hosts that share the database and do not run the new version yet.

    :param hosts: the variables of all hosts.
    :param names: all hosts of the inventory; those that ``--limit`` leaves out count, too.
    :param played: the hosts of the play.
    :param database: the database, from the plan of the role.
    """

    def is_open(name: str) -> bool:
        variables = hosts[name]
        plan, mode = variables.get("__gateway_plan"), variables.get("gateway_mode")
        if plan is not None:
            return bool(plan["uses_database"]) and list(plan["database"]) == list(database)
        if mode is None:
            # A host of the play whose turn has not come, and whose options only the play knows.
            return name in played
        config = variables.get("gateway_config") or {}
        shared = [str(config.get(f"pg_{key}", "")) for key in DATABASE]
        return mode in ("control_plane", "traditional") and shared == list(database)

    return sorted(
        name for name in {*names, *played} if "__gateway_done" not in hosts[name] and is_open(name)
    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"gateway_unfinished": gateway_unfinished}
