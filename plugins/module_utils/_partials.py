# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins that take some of their settings from partials. Pure.

A gateway takes either a setting or a link to the partial that has it (Kong's page on partials).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._entities._kind import Entity, Kind
from ._errors import InputError
from ._schema import value_at

# Where plugins have what partials were made for.
_USUAL = "config.redis"


def usual_path(kind: Kind) -> str:
    """Where a plugin has the settings of a partial, where nobody says it."""
    supported: Any = (kind.details or {}).get("supported_partials") or {}
    paths = [path for found in supported.values() for path in found]
    return str(paths[0]) if len(paths) == 1 else _USUAL


def refuse_settings_of_partials(written: Entity, links: Sequence[Entity]) -> None:
    """:raises InputError: a setting is written, and a link to the partial that has it, too."""
    for link in links:
        if value_at(written, link["path"].split(".")) is not None:
            raise InputError(f"{link['path']} cannot be combined with a partial for it")
