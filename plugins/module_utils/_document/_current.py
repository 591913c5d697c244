# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway has of the kinds that matter, read with one list a kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, cast

from .._entities._identity import ByComparison, find_by_reference
from .._entities._kind import Entity, Kind, id_of, unique_values
from .._entities._registry import KINDS
from .._gateway._errors import NotOffered
from .._gateway._protocol import Gateway
from .._parallel import for_each

# Names of indexes that no field has.
_UNIQUE, _IDENTITY = "(unique)", "(identity)"


class CurrentState:
    """Entities by kind, found by ID, by name, or by what they point at.

    What was not listed is asked of the gateway, once.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._by_id: dict[str, dict[str, Entity]] = {}
        # By kind and by what is looked for; made when that is first asked for.
        self._indexes: dict[str, dict[str, dict[Hashable, list[Entity]]]] = {}
        self._asked: dict[tuple[str, str, str], Entity | None] = {}
        self._below: set[tuple[str, str]] = set()

    def read(
        self, kinds: Iterable[str], skipped: Callable[[str, NotOffered], None] | None = None
    ) -> None:
        """List the kinds that are not known yet, side by side.

        :param skipped: called with a kind that the gateway does not offer; else that is an error.
        """
        wanted = [
            kind
            for kind in kinds
            if kind not in self._by_id and not self._is_listed_below(KINDS[kind])
        ]

        def listed(kind: str) -> list[Entity]:
            try:
                return self._gateway.entities(KINDS[kind]) or []
            except NotOffered as exc:
                if skipped is None or not KINDS[kind].optional:
                    raise
                skipped(kind, exc)
                return []

        for kind, entities in zip(wanted, for_each(listed, wanted)):
            self._keep(kind, entities)

    def read_below(self, kind: Kind, owners: Sequence[Entity]) -> None:
        """List the entities of these parents that are not known yet, side by side."""
        if not self._is_listed_below(kind):
            self.read([kind.name])
            return
        wanted = [each["id"] for each in owners if (kind.name, each["id"]) not in self._below]
        lists = for_each(lambda key: self._gateway.entities(kind, key) or [], wanted)
        self._below.update((kind.name, key) for key in wanted)
        self._keep(kind.name, [entity for entities in lists for entity in entities])

    def _is_listed_below(self, kind: Kind) -> bool:
        return kind.is_listed_below and kind.name not in self._gateway.lists_all

    def of(self, kind: str) -> list[Entity]:
        return list(self._by_id.get(kind, {}).values())

    def with_id(self, kind: str, key: str) -> Entity | None:
        return self._by_id.get(kind, {}).get(key)

    def holding(self, kind: str, field: str, value: Any) -> list[Entity]:
        """The entities with this value in a field, or in the list that a field is.

        Of a reference the value is the ID that it points at.
        """

        def values(entity: Entity) -> Iterator[str]:
            held = entity.get(field)
            for each in held if isinstance(held, list) else [held]:
                key = id_of(each)
                if isinstance(key, str):
                    yield key

        return self._index(kind, field, values).get(value, [])

    def sharing(self, kind: Kind, unique: Hashable) -> list[Entity]:
        """The entities with these values of these fields, a pair of ``unique_values``."""

        def values(entity: Entity) -> Iterable[Hashable]:
            return unique_values(kind, entity, kind.parent_id(entity)).items()

        return self._index(kind.name, _UNIQUE, values).get(unique, [])

    def _index(
        self, kind: str, name: str, values: Callable[[Entity], Iterable[Hashable]]
    ) -> Mapping[Hashable, list[Entity]]:
        """The entities of a kind by these values of them."""
        indexes = self._indexes.setdefault(kind, {})
        if name not in indexes:
            index = indexes[name] = {}
            for entity in self.of(kind):
                for value in values(entity):
                    index.setdefault(value, []).append(entity)
        return indexes[name]

    def find(self, kind: Kind, key: str) -> Entity | None:
        """The entity that a reference by name or ID means."""
        return find_by_reference(self, kind, key)

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if kind.name in self._by_id and field == "id":
            return self.with_id(kind.name, value)
        if kind.name in self._by_id:
            found = self.holding(kind.name, field, value)
            return next((each for each in found if parent in (None, kind.parent_id(each))), None)
        asked = (kind.name, field, value)
        if asked not in self._asked:
            self._asked[asked] = self._gateway.find_by(kind, field, value)
        return self._asked[asked]

    def by_comparison(self, kind: Kind, desired: Entity, parent: str | None) -> Entity | None:
        """The listed entity below a parent that a comparison finds, without comparing with all."""
        identity = cast(ByComparison, kind.identity)
        if not desired.get(identity.field):
            return None

        def values(entity: Entity) -> Iterable[Hashable]:
            return [(kind.parent_id(entity), identity.key_of(entity))]

        key = identity.key_of(desired)
        found = self._index(kind.name, _IDENTITY, values).get((parent, key))
        return found[0] if found and key is not None else None

    def entities(self, kind: Kind, parent: str | None = None, of: str = "") -> list[Entity] | None:
        if parent is None:
            return self.of(kind.name)
        names = [each.name for each in kind.references if each.reference == (of or kind.parent)]
        return [entity for name in names for entity in self.holding(kind.name, name, parent)]

    def _keep(self, kind: str, entities: Sequence[Entity]) -> None:
        self._by_id.setdefault(kind, {}).update({each["id"]: each for each in entities})
        self._indexes.pop(kind, None)
