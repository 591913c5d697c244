# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway holds of the kinds that matter, read with one list a kind.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._entities._kind import Entity, Kind
from .._entities._registry import KINDS
from .._gateway import Gateway
from .._parallel import for_each


class Stock:
    """Entities by kind, found by id, by name, or by what they point at."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._by_id: dict[str, dict[str, Entity]] = {}
        self._by_name: dict[str, dict[tuple[str | None, Any], Entity]] = {}
        self._by_value: dict[tuple[str, str], dict[Any, list[Entity]]] = {}
        self._pools: set[str] = set()

    def read(self, kinds: Iterable[str]) -> None:
        """List the kinds that are not known yet, side by side; targets are listed by upstream."""
        wanted = [kind for kind in kinds if kind not in self._by_id and kind != "target"]
        lists = for_each(lambda kind: self._gateway.entities(KINDS[kind]) or [], wanted)
        for kind, entities in zip(wanted, lists):
            self._keep(KINDS[kind], entities)

    def read_targets(self, upstreams: Sequence[Entity]) -> None:
        """List the targets of these upstreams that are not known yet, side by side."""
        kind = KINDS["target"]
        wanted = [each["id"] for each in upstreams if each["id"] not in self._pools]
        lists = for_each(lambda key: self._gateway.entities(kind, key) or [], wanted)
        self._pools.update(wanted)
        self._keep(kind, [target for targets in lists for target in targets])

    def of(self, kind: str) -> list[Entity]:
        return list(self._by_id.get(kind, {}).values())

    def with_id(self, kind: str, key: str) -> Entity | None:
        return self._by_id.get(kind, {}).get(key)

    def named(self, kind: Kind, name: Any, owner: str | None = None) -> Entity | None:
        """The entity with this identity, below the owner with this id where the kind has one."""
        return self._by_name.get(kind.name, {}).get((owner, name))

    def holding(self, kind: str, field: str, value: Any) -> list[Entity]:
        """The entities with this value in a field, or in the list that a field is.

        Of a reference the value is the id that it points at.
        """
        if (kind, field) not in self._by_value:
            index: dict[Any, list[Entity]] = {}
            for entity in self.of(kind):
                held = entity.get(field)
                for each in held if isinstance(held, list) else [held]:
                    key = each.get("id") if isinstance(each, dict) else each
                    if isinstance(key, str):
                        index.setdefault(key, []).append(entity)
            self._by_value[kind, field] = index
        return self._by_value[kind, field].get(value, [])

    def find(self, kind: Kind, key: str) -> Entity | None:
        """By id or name; what was not listed is asked for, once."""
        known = self.with_id(kind.name, key) or self.named(kind, key)
        if known is not None or kind.name in self._by_id:
            return known
        if ("", key) not in self._by_name.setdefault(kind.name, {}):
            found = self._gateway.get(kind, key)
            self._by_name[kind.name]["", key] = found or {}
        return self._by_name[kind.name]["", key] or None

    def _keep(self, kind: Kind, entities: Sequence[Entity]) -> None:
        self._by_id.setdefault(kind.name, {}).update({each["id"]: each for each in entities})
        self._by_name.setdefault(kind.name, {}).update(
            {(owner_of(kind, each), each.get(kind.identity)): each for each in entities}
        )
        # Indexes are made when they are asked for, and anew where more is known since.
        for indexed in [key for key in self._by_value if key[0] == kind.name]:
            del self._by_value[indexed]


def owner_of(kind: Kind, entity: Entity) -> str | None:
    """The id of what an entity lies below."""
    if kind.parent is None:
        return None
    owner = entity.get(kind.parent) or {}
    return owner.get("id")
