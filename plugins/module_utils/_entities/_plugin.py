# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins: what a gateway does with requests, for all of them or within a scope.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
    tags_field,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import PROTOCOLS
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import fields_from

# The foreign keys that are a plugin's scope, the narrowest collection first.
SCOPES = ("route", "consumer", "service", "consumer_group")


def is_same_plugin(desired: Entity, stored: Entity) -> bool:
    """Same name in the same scope, as the gateway's own uniqueness has it (case plugin_scopes)."""
    return stored.get("name") == desired.get("name") and all(
        (stored.get(scope) or None) == (desired.get(scope) or None) for scope in SCOPES
    )


def with_details(details: Mapping[str, Any]) -> Kind:
    """The kind of one plugin: its configuration typed by the schema that a gateway has of it."""
    config = _config_of(details)
    typed = tuple(
        replace(field, fields=fields_from(config), open=not config.get("fields"))
        if field.name == "config"
        else field
        for field in PLUGIN.fields
    )
    return replace(PLUGIN, fields=typed, details=details)


def config_schema(kind: Kind) -> Mapping[str, Any]:
    """The gateway's schema of a typed plugin's configuration."""
    return _config_of(kind.details or {})


def _config_of(details: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((entry["config"] for entry in details.get("fields", ()) if "config" in entry), {})


PLUGIN = Kind(
    name="plugin",
    path="plugins",
    identity="name",
    unique=("instance_name",),
    matches=is_same_plugin,
    fields=(
        Field("name", nullable=False),
        Field("instance_name"),
        *(Field(scope, reference=scope) for scope in ("service", "route", "consumer")),
        Field("consumer_group", reference="consumer_group"),
        Field("config", "dict", open=True),
        Field("protocols", "list", elements="str", choices=PROTOCOLS, unordered=True),
        Field("enabled", "bool"),
        Field("ordering", "dict", open=True),
        Field("condition"),
        tags_field(),
    ),
)
