# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox gateway keeps of one workspace: entities and their indexes."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

Entity = dict[str, Any]

#: The kinds that a proxy needs to route and balance.
PROXIED = ("services", "routes", "upstreams", "targets")


def hashable(value: Any) -> Any:
    """A value as a dictionary key; foreign keys count by their id."""
    if isinstance(value, dict):
        return tuple(sorted((key, hashable(item)) for key, item in value.items()))
    if isinstance(value, list):
        return tuple(hashable(item) for item in value)
    return value


class Store:
    """Entities by kind and id, in order of creation, behind one lock.

    `unique` names the combinations of fields that occur once a kind; `foreign` the fields that
    point to another entity. Both are indexed, so that no write looks through a kind.
    """

    def __init__(
        self,
        unique: Mapping[str, tuple[tuple[str, ...], ...]],
        foreign: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.lock = threading.RLock()
        self.revision = 0
        self._unique = unique
        self._foreign = foreign
        self.kinds: dict[str, dict[str, Entity]] = {}
        self._keys: dict[tuple[str, tuple[str, ...]], dict[Any, str]] = {}
        self._children: dict[tuple[str, str, str], dict[str, None]] = {}
        #: The kind that first wrote an id, and the tags of the last write (conformance:
        #: one_row_of_tags).
        self._tags: dict[str, tuple[str, list[str]]] = {}
        #: When entities end by themselves, by kind and id.
        self._ends: dict[tuple[str, str], float] = {}
        self._clear()

    def _clear(self) -> None:
        self.kinds = {kind: {} for kind in self._unique}
        self._tags = {}
        self._ends = {}
        self._keys = {(kind, key): {} for kind, keys in self._unique.items() for key in keys}
        self._children = {}

    # -- reading

    def get(self, kind: str, identifier: str) -> Entity | None:
        """The stored entity itself: callers copy before they change it."""
        return self.kinds[kind].get(identifier)

    def find(self, kind: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Entity | None:
        """The entity whose unique `fields` hold `values`."""
        identifier = self._keys[(kind, fields)].get(hashable(list(values)))
        return None if identifier is None else self.kinds[kind][identifier]

    def all(self, kind: str) -> Iterator[Entity]:
        """Every entity of a kind, oldest first."""
        return iter(self.kinds[kind].values())

    def children(self, kind: str, field: str, parent: str) -> list[Entity]:
        """The entities of `kind` whose `field` points to `parent`, oldest first."""
        entities = self.kinds[kind]
        return [entities[item] for item in self._children.get((kind, field, parent), ())]

    def tagged(self) -> Iterator[tuple[str, str, str]]:
        """Ids, kinds and tags as the gateway's one table of tags has them: a row for each id."""
        for identifier, (kind, tags) in self._tags.items():
            for tag in tags:
                yield identifier, kind, tag

    def snapshot(self) -> dict[str, list[Entity]]:
        """Plain copies of what the proxy side reads: services, routes, upstreams and targets."""
        with self.lock:
            return {kind: copy.deepcopy(list(self.all(kind))) for kind in PROXIED}

    # -- writing

    def put(self, kind: str, entity: Entity) -> None:
        """Store `entity` in the place of the one with its id, or as a new one."""
        with self.lock:
            old = self.kinds[kind].get(entity["id"])
            if old is not None:
                self._unindex(kind, old, keep=entity)
            self.kinds[kind][entity["id"]] = entity
            if "tags" in entity:
                first = self._tags.get(entity["id"], (kind, []))[0]
                self._tags[entity["id"]] = first, entity["tags"] or []
            self._index(kind, entity)
            self.revision += 1

    def remove(self, kind: str, identifier: str) -> None:
        """Forget one entity; what depends on it is the caller's to judge."""
        with self.lock:
            self._unindex(kind, self.kinds[kind].pop(identifier))
            self._ends.pop((kind, identifier), None)
            self._tags.pop(identifier, None)
            self.revision += 1

    # -- entities that end by themselves

    def expire_at(self, kind: str, identifier: str, ends: float | None) -> None:
        """Let an entity end then (seconds since 1970), or never."""
        with self.lock:
            self._ends.pop((kind, identifier), None)
            if ends is not None:
                self._ends[kind, identifier] = ends

    def ends(self, kind: str, identifier: str) -> float | None:
        """When an entity ends (seconds since 1970); None where it never does."""
        return self._ends.get((kind, identifier))

    def seconds_left(self, kind: str, identifier: str) -> int | None:
        """Whole seconds until an entity ends; None where it never does."""
        ends = self._ends.get((kind, identifier))
        return None if ends is None else math.floor(ends - time.time())

    def has_ended(self, kind: str, identifier: str) -> bool:
        """Whether an entity is not shown any more; its unique values are still taken."""
        return self._ends.get((kind, identifier), math.inf) < time.time()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self._clear()
            self.revision += 1

    def _index(self, kind: str, entity: Entity) -> None:
        for fields in self._unique[kind]:
            key = self.key(fields, entity)
            if key is not None:
                self._keys[(kind, fields)][key] = entity["id"]
        for field in self._foreign[kind]:
            if entity.get(field):
                place = (kind, field, entity[field]["id"])
                self._children.setdefault(place, {})[entity["id"]] = None

    def _unindex(self, kind: str, entity: Entity, keep: Entity | None = None) -> None:
        """Leave the indexes; `keep` is what takes its place, which holds its rank in lists."""
        for fields in self._unique[kind]:
            key = self.key(fields, entity)
            if key is not None:
                self._keys[(kind, fields)].pop(key, None)
        for field in self._foreign[kind]:
            if entity.get(field) and (keep is None or keep.get(field) != entity[field]):
                place = (kind, field, entity[field]["id"])
                self._children[place].pop(entity["id"], None)

    @staticmethod
    def key(fields: tuple[str, ...], entity: Mapping[str, Any]) -> Any:
        """The index key; None where the one field is null: nulls never collide in a database."""
        values = [entity.get(field) for field in fields]
        if len(fields) == 1 and values[0] is None:
            return None
        return hashable(values)

    # -- as a whole

    def document(self) -> dict[str, list[Entity]]:
        """Every entity by kind, as `load` takes them."""
        with self.lock:
            return {kind: list(self.all(kind)) for kind in self.kinds}

    def load(self, document: Mapping[str, list[Entity]], source: Store | None = None) -> None:
        """Keep what `document` holds and nothing else, from one moment to the next.

        What it has of `source` ends when it does there.
        """
        with self.lock:
            self._clear()
            self._ends = dict(source._ends) if source is not None else {}
            for kind, entities in document.items():
                for entity in entities:
                    self.put(kind, entity)
            self.revision += 1
