# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an entity is found again: by name, by a comparison over a list, or by keys. Pure.

Modules, state files, lookups, prediction and generic entities all use this, on a gateway or on what
was read of one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Callable, Protocol, cast

from .._errors import InputError
from ._kind import Entity, Field, Kind, id_of, shown_id

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Source(Protocol):
    """Where entities are looked for; ``parent`` is the parent's name or ID.

    ``of`` is the kind that ``parent`` is of, where it is not the kind's own parent.
    """

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        ...

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = ""
    ) -> list[Entity] | None:
        ...


def looks_like_id(text: str) -> bool:
    """Whether a gateway takes a segment of a path for an ID, and so never for a name."""
    return bool(_UUID.fullmatch(text))


def stored_id(text: str) -> str:
    """An ID as a gateway stores it: small letters, whatever made it wrote large ones."""
    return text.lower() if looks_like_id(text) else text


def stored_ids(texts: list[str]) -> list[str]:
    return [stored_id(text) for text in texts]


ID = Field("id", nullable=False, normalise=stored_id)


def refuse_empty(name: str, value: Any) -> None:
    """Refuse what identifies nothing: an undefined variable must not make a task succeed."""
    if value in ([], {}) or (isinstance(value, str) and not value.strip()):
        raise InputError(f"{name} must not be empty")


def find_by_reference(
    source: Source, kind: Kind, key: str, parent: str | None = None
) -> Entity | None:
    """The entity with a name or an ID; a name can look like an ID.

    :raises InputError: it is empty, or several entities have it.
    """
    refuse_empty(kind.name, key)
    found = source.find_by(kind, "id", stored_id(key), parent) if looks_like_id(key) else None
    return found or kind.identity.find_by_label(source, kind, key, parent)


@dataclass(frozen=True)
class Identity:
    """By the ID, a name or another unique value: what most kinds are found by.

    :param field: the field that identifies within the parent.
    :param fixed: fields that never change; other fields of an entity found by its ID can.
    :param scope: the foreign keys that belong to the identity, that of the shortest list first.
    :param by_path: the field whose value can replace the ID in a path, where it is not ``field``;
        empty where none can, as for secrets.
    """

    field: str
    fixed: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    by_path: str | None = None

    @property
    def path_key(self) -> str:
        return self.field if self.by_path is None else self.by_path

    def key_of(self, entity: Entity) -> Hashable:
        """The value that identifies an entity in a list, for an index; None: it has none."""
        key: Hashable = entity.get(self.field)
        return key

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The fields each of which identifies an entity."""
        return tuple(dict.fromkeys((self.field, *kind.unique)))

    def check(self, kind: Kind, desired: Entity) -> None:
        """:raises InputError: nothing identifies the entity; names the option."""
        names = self.names(kind)
        refuse_empty("id", desired.get("id"))
        for name in names:
            # An empty list clears the field of an entity that is identified by its ID.
            if not (desired.get("id") and isinstance(desired.get(name), list)):
                refuse_empty(name, desired.get(name))
        for name in () if desired.get("id") else self.scope:
            if name in desired and desired[name] is None:
                # A variable without a value must not widen a scope.
                raise InputError(
                    f"{name} must not be null; leave it out for a {kind.name} of all {name}s"
                )
        if not any(desired.get(name) for name in ("id", *names)):
            raise InputError(f"one of the following is required: {', '.join((*names, 'id'))}")

    def find(
        self, source: Source, kind: Kind, desired: Entity, parent: str | None = None
    ) -> Entity | None:
        """By ID if one is written, else (or if no entity has it) by what else identifies it."""
        self.check(kind, desired)
        key = desired.get("id")
        found = source.find_by(kind, "id", str(key), parent) if key else None
        found = found or self.search(source, kind, desired, parent)
        label = desired.get(kind.path_key)
        if found is None and label and kind.path_key != self.field:
            # An entity that is found so contradicts what is written, which is an error.
            found = source.find_by(kind, kind.path_key, label, parent)
        return found

    def search(
        self, source: Source, kind: Kind, desired: Entity, parent: str | None
    ) -> Entity | None:
        """The entity that the fields other than the ID identify."""
        if desired.get(self.field):
            return source.find_by(kind, self.field, str(desired[self.field]), parent)
        written = (name for name in kind.unique if desired.get(name))
        return next((source.find_by(kind, name, desired[name]) for name in written), None)

    def find_by_label(
        self, source: Source, kind: Kind, key: str, parent: str | None
    ) -> Entity | None:
        """The entity with this name or other unique value."""
        found = source.find_by(kind, kind.path_key, key, parent)
        for name in kind.unique:
            found = found or source.find_by(kind, name, key)
        return found

    def agrees(self, kind: Kind, desired: Entity, found: Entity, deleting: bool = False) -> None:
        """Refuse an entity that contradicts what is written together with its key.

        :param deleting: nothing that is written is a change.
        :raises InputError: names the field, and both values where they can be shown.
        """
        wanted, known = desired.get("id"), shown_id(found.get("id"))
        if wanted is not None and wanted != found.get("id"):
            raise InputError(
                f"it exists with the id {known}, and an id cannot be changed to {wanted}"
            )
        for name in (*self.fixed, *(self.names(kind) if deleting else ())):
            if name in desired and not self.is_same(kind, name, desired, found):
                raise InputError(
                    f"it was found with the id {known}, and its {name} is "
                    f"{_shown(kind, name, found)}, not {_shown(kind, name, desired)}"
                )

    def is_same(self, kind: Kind, name: str, desired: Entity, found: Entity) -> bool:
        return (found.get(name) or None) == (desired[name] or None)


@dataclass(frozen=True)
class ByComparison(Identity):
    """By comparing the entities of a list, for kinds that are not found by name in a path.

    :param key: the value that identifies an entity, None if it has none; by default that is the
        field and the scope.
    """

    by_path: str | None = ""
    key: Callable[[Entity], Hashable] | None = None

    def key_of(self, entity: Entity) -> Hashable:
        if self.key is not None:
            return self.key(entity)
        return tuple(id_of(entity.get(name)) or None for name in (self.field, *self.scope))

    def is_it(self, desired: Entity, found: Entity) -> bool:
        """Whether an existing entity is the desired one."""
        key = self.key_of(desired)
        return key is not None and key == self.key_of(found)

    def search(
        self, source: Source, kind: Kind, desired: Entity, parent: str | None
    ) -> Entity | None:
        if not desired.get(self.field):
            return None
        listed = self._listed(source, kind, desired, parent)
        return next((each for each in listed if self.is_it(desired, each)), None)

    def _listed(
        self, source: Source, kind: Kind, desired: Entity, parent: str | None
    ) -> list[Entity]:
        of = next((name for name in self.scope if desired.get(name)), "")
        parent = desired[of]["id"] if of else parent
        return source.entities(kind, parent, of) or []

    def find_by_label(
        self, source: Source, kind: Kind, key: str, parent: str | None
    ) -> Entity | None:
        names = ("id", *self.names(kind), *kind.named_by)
        listed = source.entities(kind, parent) or []
        found = [each for each in listed if any(each.get(name) == key for name in names)]
        if len(found) > 1:
            raise InputError(
                f"{kind.describe({self.field: key}, parent)} exists {len(found)} times; "
                "set id to choose one"
            )
        return found[0] if found else None

    def is_same(self, kind: Kind, name: str, desired: Entity, found: Entity) -> bool:
        if name == self.field and self.key is not None:
            return self.is_it(desired, found)
        return super().is_same(kind, name, desired, found)


@dataclass(frozen=True)
class ByKeys(Identity):
    """By entities of another kind that refer to it: a certificate by its SNIs.

    :param keys: their kind; ``field`` lists their names, and they refer back by the name of the
        identified kind.
    """

    by_path: str | None = ""
    keys: Kind | None = None

    def search(
        self, source: Source, kind: Kind, desired: Entity, parent: str | None
    ) -> Entity | None:
        owners: dict[str, str] = {}
        for key in desired.get(self.field) or ():
            owner = self._owner(source, kind, key)
            if owner is not None:
                owners.setdefault(owner, key)
        if len(owners) > 1:
            names = " and ".join(owners.values())
            raise InputError(f"its {self.field} {names} belong to different {kind.path}")
        return source.find_by(kind, "id", next(iter(owners))) if owners else None

    def find_by_label(
        self, source: Source, kind: Kind, key: str, parent: str | None
    ) -> Entity | None:
        return self.search(source, kind, {self.field: [key]}, parent)

    def agrees(self, kind: Kind, desired: Entity, found: Entity, deleting: bool = False) -> None:
        # Only a list of the keys says which ones an entity has: the operation compares it.
        super().agrees(kind, {**desired, self.field: None}, {**found, self.field: None}, deleting)

    def _owner(self, source: Source, kind: Kind, key: str) -> str | None:
        found = source.find_by(cast(Kind, self.keys), "name", key)
        return None if found is None else str(found[kind.name]["id"])


def _shown(kind: Kind, name: str, entity: Entity) -> str:
    """A value for a message; a secret and a text of several lines are not."""
    value = entity.get(name)
    secret = any(field.secret for field in kind.fields if field.name == name)
    if secret or "\n" in str(value):
        return "another" if value else "none"
    return "null" if value is None else shown_id(id_of(value))
