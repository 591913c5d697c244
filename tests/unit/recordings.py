# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real gateways answered, and their schemas, as the tests of the engine use them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    TIMESTAMPS,
    Entity,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import with_details
from ansible_collections.irishtek.kong.plugins.module_utils._schema import merged_schema

TESTS = Path(__file__).parents[1]
VERSIONS = ("3.4", "3.5", "3.9", "3.10")


@lru_cache
def steps(case: str, of: str = "database") -> list[dict[str, dict[str, Any]]]:
    """The requests and responses of a conformance case, of newer gateways or of another set."""
    path = TESTS / "conformance" / of / f"{case}.json"
    found: list[dict[str, dict[str, Any]]] = json.loads(path.read_text())
    return found


@lru_cache
def schemas(version: str) -> dict[str, Any]:
    """Entity schemas of a gateway of that version, by name."""
    entities: dict[str, Any] = _dump(version)["entities"]
    return entities


@lru_cache
def plugin_schemas(version: str) -> dict[str, Any]:
    """The schemas of the plugins bundled with that version, by name."""
    plugins: dict[str, Any] = _dump(version)["plugins"]
    return plugins


@lru_cache
def _dump(version: str) -> dict[str, Any]:
    path = TESTS / "sandbox" / "data" / f"kong-{version}.json"
    dump: dict[str, Any] = json.loads(path.read_text())
    return dump


def schema(kind: Kind, version: str = "3.10") -> dict[str, Any]:
    """The schema of a kind; a plugin's is merged_schema with its own."""
    return dict(merged_schema(schemas(version)[kind.schema_name], kind.details))


@lru_cache
def plugin(name: str, version: str = "3.10") -> Kind:
    """The kind of a bundled plugin, typed as by that version."""
    return with_details(plugin_schemas(version)[name])


def lasting(entity: Entity) -> Entity:
    """An entity without what a gateway makes up."""
    return {name: value for name, value in entity.items() if name not in ("id", *TIMESTAMPS)}
