# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins, with the partials that have some of their settings: ``kong_plugin``."""

from __future__ import annotations

from .._entities._plugin import PLUGIN
from ._entity import operation_of

KONG_PLUGIN = operation_of(PLUGIN, {
    "partials": {
        "type": "list",
        "elements": "dict",
        "options": {name: {"type": "str"} for name in ("id", "name", "path")},
    },
})
