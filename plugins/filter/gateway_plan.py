# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``gateway_plan``; its documentation is the YAML file of the same name."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ansible.utils.display import Display

from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role._checks import COLLECTIONS
from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role._plan import plan_of


def gateway_plan(options: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the role ``gateway`` does on one host.

    :param options: the role's options without their prefix.
    :param facts: what the module ``gateway_host_info`` found.
    """
    installed = []
    for name in set(COLLECTIONS.values()):
        with suppress(ImportError):
            importlib.import_module(f"ansible_collections.{name}")
            installed.append(name)
    plan = plan_of({**options, "collections": installed}, facts, time.time())
    for warning in plan["warnings"]:
        Display().warning(warning)
    return plan


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"gateway_plan": gateway_plan}
