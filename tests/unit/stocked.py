# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway in memory: lists, writes and schemas, without requests."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    CASCADE,
    Entity,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import (
    KINDS,
    kinds_referring_to,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import (
    Gateway,
    Traits,
)
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan
from ansible_collections.irishtek.kong.plugins.module_utils._schema import complete
from unit.recordings import schemas


class StockedGateway:
    """What documents ask of a gateway; entities are completed with the defaults of a real one.

    `refuses` are kinds and names whose writes fail.
    """

    url = "http://gateway.test:8001"
    predicts = False
    lists_all: frozenset[str] = frozenset()
    managed_tags: frozenset[str] = frozenset()
    omits_nulls = False
    schema_of = Gateway.schema_of

    def __init__(self, refuses: Sequence[tuple[str, str]] = ()) -> None:
        self.stored: dict[str, dict[str, Entity]] = defaultdict(dict)
        self.refuses = set(refuses)
        self.writes: list[tuple[str, str, str]] = []
        self._by_name = {kind.schema_name: kind for kind in KINDS.values()}
        self._lock = threading.Lock()

    def traits(self) -> Traits:
        """A gateway of the open edition with a database."""
        return Traits()

    def offers(self, kind: Kind) -> bool:
        """Every kind."""
        return True

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        """By a value that only one has."""
        return next(
            (each for each in self.stored[kind.name].values() if each[field] == value), None
        )

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        """All of a kind, or those of a parent."""
        assert not tags and not of, "documents filter for themselves"
        every = list(self.stored[kind.name].values())
        if parent is None:
            return every
        return [each for each in every if each[str(kind.parent)]["id"] == parent]

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        """Keep an entity with the defaults of its schema."""
        with self._lock:
            self._written("create", kind, body)
            entity = complete(self.schema(kind.schema_name) or {}, body)
            if kind.parent:
                entity[kind.parent] = {"id": parent}
            self.stored[kind.name][body["id"]] = entity
            return dict(entity)

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        """Change fields; records are replaced."""
        with self._lock:
            self._written("update", plan.kind, plan.stored)
            # What was handed out before stays as it was.
            changed = {**plan.stored, **plan.body}
            self.stored[plan.kind.name][plan.stored["id"]] = changed
            return dict(changed)

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        """Forget an entity, and what lies below it."""
        with self._lock:
            self._written("delete", kind, current)
            self.stored[kind.name].pop(current["id"], None)
            for below, back in kinds_referring_to(kind.name, CASCADE):
                kept = self.stored[below.name].items()
                self.stored[below.name] = {
                    key: each
                    for key, each in kept
                    if (each.get(back) or {}).get("id") != current["id"]
                }

    def _written(self, how: str, kind: Kind, entity: Entity) -> None:
        label = kind.label(entity)
        if (kind.name, label) in self.refuses:
            raise InputError("it is refused")
        self.writes.append((how, kind.name, label))

    def schema(self, name: str) -> dict[str, Any] | None:
        """As a real gateway has it."""
        found: dict[str, Any] | None = schemas("3.10").get(name)
        return found

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        """Kinds of which some entity carries a tag."""
        return {
            kind
            for kind, entities in self.stored.items()
            if any(tag in (each.get("tags") or ()) for each in entities.values())
        }
