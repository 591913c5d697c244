# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``gateway_unfinished``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_WITH_DATABASE = ("control_plane", "traditional")


def gateway_unfinished(
    hosts: Mapping[str, Any], names: Iterable[str], played: Iterable[str], database: list[str]
) -> list[str]:
    """Hosts that share the database and do not run the new version yet.

    :param hosts: the variables of all hosts.
    :param names: all hosts of the inventory; those that ``--limit`` leaves out count, too.
    :param played: the hosts of the play.
    :param database: the database, from the plan of the role.
    """
    here = set(played)
    return sorted(
        name for name in {*names, *here} if _is_open(hosts[name], name in here, list(database))
    )


def _is_open(variables: Mapping[str, Any], is_played: bool, database: list[str]) -> bool:
    if "__gateway_done" in variables:
        return False
    plan = variables.get("__gateway_plan")
    if plan is not None:
        return bool(plan["uses_database"]) and list(plan["database"]) == database
    mode = variables.get("gateway_mode")
    if mode is None:
        # A host of the play whose turn has not come, and whose options only the play knows.
        return is_played
    config = variables.get("gateway_config") or {}
    shared = [str(config.get(f"pg_{key}", "")) for key in ("host", "port", "database", "schema")]
    return mode in _WITH_DATABASE and shared == database


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"gateway_unfinished": gateway_unfinished}
