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
    GENERATED,
    Entity,
    Kind,
)

TESTS = Path(__file__).parents[1]
VERSIONS = ("3.4", "3.5", "3.9", "3.10")


@lru_cache
def steps(case: str) -> list[dict[str, dict[str, Any]]]:
    """The requests and responses of a conformance case."""
    path = TESTS / "conformance" / "database" / f"{case}.json"
    found: list[dict[str, dict[str, Any]]] = json.loads(path.read_text())
    return found


@lru_cache
def schemas(version: str) -> dict[str, Any]:
    """Entity schemas of a gateway of that version, by collection path."""
    path = TESTS / "sandbox" / "data" / f"kong-{version}.json"
    entities: dict[str, Any] = json.loads(path.read_text())["entities"]
    return entities


def schema(kind: Kind, version: str = "3.10") -> dict[str, Any]:
    found: dict[str, Any] = schemas(version)[kind.path]
    return found


def lasting(entity: Entity) -> Entity:
    """An entity without what a gateway makes up."""
    return {name: value for name, value in entity.items() if name not in ("id", *GENERATED)}
