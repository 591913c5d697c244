# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``rollout_undo``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.irishtek.kong.plugins.plugin_utils._rollout._entities import undo_document


def rollout_undo(
    snapshot: Mapping[str, Any],
    now: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """See ``undo_document``."""
    return undo_document(snapshot, now, changes)


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rollout_undo": rollout_undo}
