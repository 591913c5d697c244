# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``rollout_record``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.irishtek.kong.plugins.plugin_utils._rollout._entities import record_of


def rollout_record(document: Mapping[str, Any]) -> dict[str, Any]:
    """See ``record_of``."""
    return record_of(document)


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rollout_record": rollout_record}
