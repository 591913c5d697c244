# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``rollout_problems``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.plugin_utils._rollout._entities import drift_since
from ansible_collections.irishtek.kong.plugins.plugin_utils._rollout._problems import (
    data_plane_problems,
    health_problems,
    node_problems,
    preflight_problems,
)

_CHECKS: Mapping[str, Callable[..., list[str]]] = {
    "preflight": preflight_problems,
    "health": health_problems,
    "data_planes": data_plane_problems,
    "nodes": node_problems,
    "drift": lambda document, *, record, tags=(), kinds=(): drift_since(
        record, document, tags, kinds
    ),
}


def rollout_problems(result: Mapping[str, Any], check: str, **options: Any) -> list[str]:
    """The sentences of one check.

    :raises AnsibleFilterError: there is no such check.
    """
    if check not in _CHECKS:
        raise AnsibleFilterError(f"check must be one of {', '.join(_CHECKS)}, got {check}")
    return _CHECKS[check](result, **options)


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rollout_problems": rollout_problems}
