# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``gateway_plan``; its documentation is the YAML file of the same name."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role import _checks, _plan

_display = Display()


def gateway_plan(options: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the role ``gateway`` does on one host.

    :param options: the role's options without their prefix.
    :param facts: what the module ``gateway_host_info`` found.
    :raises AnsibleFilterError: they are no dictionaries, or lack something.
    """
    if not isinstance(options, Mapping) or not isinstance(facts, Mapping):
        raise AnsibleFilterError("gateway_plan takes a dictionary of options and one of facts")
    try:
        needed = _checks.collections_of(options)
        there = [name for name in needed if _is_installed(name)]
        plan = _plan.plan_of({**options, "collections": there}, facts, time.time())
    except KeyError as exc:
        raise AnsibleFilterError(f"gateway_plan: {exc} is missing") from exc
    for warning in plan["warnings"]:
        _display.warning(warning)
    return plan


def _is_installed(collection: str) -> bool:
    try:
        importlib.import_module(f"ansible_collections.{collection}")
    except ImportError:
        return False
    return True


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"gateway_plan": gateway_plan}
