# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode: a gateway that foretells what writes would do, and sends reads and validations only.

PRIVATE to the collection: it can change in any release.

A prediction is the stored entity (or the defaults of the gateway's own schema) with the change
merged in, judged by the gateway's ``/schemas/…/validate``. What that endpoint does not know,
uniqueness and references, is looked up.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from typing import Any, Callable

from ._client import NO_DATABASE
from ._entities._kind import GENERATED, NEEDS_ENTERPRISE, PLACEHOLDER, Entity, Kind, ids_in
from ._entities._plugin import without_linked
from ._entities._registry import kind_named
from ._errors import InputError
from ._gateway import AdminGateway, minds_lists
from ._schema import Schema, complete, composed, replacements, value_at, without_old_spellings
from ._values import merge


class Predictions:
    """What earlier writes of a check-mode run would have left, and the schemas that were read.

    :param memory: plain JSON; a run's tasks hand it on to each other where they can.
    :param complete: whether it holds all that the run predicted so far: then what is neither there
        nor on the gateway is missing, else an earlier task may have been going to make it.
    """

    def __init__(self, memory: dict[str, Any] | None = None, complete: bool = False) -> None:
        self.memory = {} if memory is None else memory
        self.complete = complete
        self._entities: dict[str, dict[str, Entity | None]] = self.memory.setdefault("entities", {})
        self.schemas: dict[str, Any] = self.memory.setdefault("schemas", {})
        # Tasks check many entities side by side.
        self.lock = threading.RLock()

    def remember(self, kind: Kind, key: str, entity: Entity | None) -> None:
        """Keep a predicted entity by id, None for a deleted one."""
        with self.lock:
            self._entities.setdefault(kind.name, {})[key] = entity

    def known(self, kind: Kind) -> dict[str, Entity | None]:
        with self.lock:
            return dict(self._entities.get(kind.name, {}))


class PredictingGateway:
    """The same interface as the gateway that it stands for; nothing is ever written."""

    predicts = True

    def __init__(
        self, gateway: AdminGateway, predictions: Predictions, warn: Callable[[str], None]
    ) -> None:
        self._gateway = gateway
        self._predictions = predictions
        self._warn = warn
        self._owners: dict[str, str] = {}
        # Whether what only look-ups can tell is looked up: not where all of it was read before.
        self.looks_up = True
        # Whether the gateway judges each entity, and has to be able to write it by itself.
        self.judges = True
        self.one_by_one = True
        self.url = gateway.url

    def root(self) -> dict[str, Any]:
        return self._gateway.root()

    def schema(self, name: str) -> dict[str, Any] | None:
        with self._predictions.lock:
            schemas = self._predictions.schemas
            if name not in schemas:
                schemas[name] = self._gateway.schema(name)
            schema: dict[str, Any] | None = schemas[name]
        return schema

    def plugin_names(self) -> list[str]:
        return self._gateway.plugin_names()

    def get(self, kind: Kind, key: str, parent: str | None = None) -> Entity | None:
        owner = self._owner(kind, parent)
        if kind.parent and owner is None:
            return None
        known = self._predictions.known(kind)
        for entity in known.values():
            if entity is not None and _is_named(kind, entity, key, owner):
                return entity
        if kind.parent and str(owner).startswith(PLACEHOLDER):
            return None
        found = self._gateway.get(kind, key, parent)
        return None if found is None or found["id"] in known else found

    def entities(
        self, kind: Kind, parent: str | None = None, tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        owner = None if parent is None else self._owner(kind, parent)
        if kind.parent and parent is not None and owner is None:
            return None
        stored: list[Entity] = []
        if not str(owner).startswith(PLACEHOLDER):
            stored = self._gateway.entities(kind, parent, tags) or []
        known = self._predictions.known(kind)
        predicted = [
            entity
            for entity in known.values()
            if entity is not None
            and _belongs(kind, entity, owner)
            and set(tags) <= set(entity.get("tags") or ())
        ]
        return predicted + [entity for entity in stored if entity["id"] not in known]

    def children(self, kind: Kind, of: Kind, key: str) -> list[Entity]:
        known = self._predictions.known(kind)
        stored = [] if key.startswith(PLACEHOLDER) else self._gateway.children(kind, of, key)
        predicted = [
            entity
            for entity in known.values()
            if entity is not None and _points_at(kind, entity, of, key)
        ]
        return predicted + [entity for entity in stored if entity["id"] not in known]

    def holder(self, kind: Kind, field: str, value: str) -> Entity | None:
        known = self._predictions.known(kind)
        for entity in known.values():
            if entity is not None and entity.get(field) == value:
                return entity
        found = self._gateway.holder(kind, field, value)
        return None if found is None or found["id"] in known else found

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        self._refuse_without_database()
        if kind.enterprise and self.root().get("edition") == "community":
            raise InputError(NEEDS_ENTERPRISE)
        self._refuse_taken(kind, body, {}, parent)
        owner = (
            {kind.parent: {"id": self._owner_or_placeholder(kind, str(parent))}}
            if kind.parent
            else {}
        )
        self._judge(kind, {**body, **owner})
        entity = {**complete(self._schema_of(kind), body), **owner}
        entity["id"] = body.get("id") or PLACEHOLDER + uuid.uuid4().hex[:12]
        return self._foretold(kind, entity)

    def update(
        self, kind: Kind, current: Entity, body: Entity, parent: str | None = None
    ) -> Entity:
        self._refuse_without_database()
        self._refuse_taken(kind, body, current, parent)
        entity = merge(kind.fields, current, body)
        if kind.details is not None:
            entity = complete(self._schema_of(kind), entity)
        self._judge(kind, entity)
        return self._foretold(kind, entity)

    def replace(self, kind: Kind, current: Entity, body: Entity) -> Entity:
        self._refuse_without_database()
        entity = complete(self._schema_of(kind), body)
        self._judge(kind, entity)
        made = {name: current[name] for name in GENERATED if name in current}
        return self._foretold(kind, {**entity, **made, "id": current["id"]})

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        self._refuse_without_database()
        if self.looks_up:
            self._refuse_pointed_at(kind, current)
        self._predictions.remember(kind, current["id"], None)

    def _refuse_pointed_at(self, kind: Kind, current: Entity) -> None:
        """What still points at an entity forbids to delete it."""
        for name in kind.restricted_by:
            by = kind_named(name)
            _refuse_if_any(by, self.children(by, kind, current["id"]))
        for name, field in kind.listed_by if minds_lists(self.root()) else ():
            by = kind_named(name)
            listing = self.entities(by) or []
            pointing = [each for each in listing if current["id"] in ids_in(each.get(field))]
            _refuse_if_any(by, pointing)

    def load(self, document: str) -> bool:
        """A gateway judges a document only by loading it."""
        return True

    def kinds_tagged(self, tag: str) -> set[str]:
        return self._gateway.kinds_tagged(tag)

    def data_planes(self) -> list[Entity]:
        return self._gateway.data_planes()

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        """Health is the balancer's own and cannot be judged without being set."""

    def members(self, group: str) -> list[Entity]:
        return [] if group.startswith(PLACEHOLDER) else self._gateway.members(group)

    def add_member(self, group: str, consumer: str) -> None:
        self._refuse_without_database()

    def remove_member(self, group: str, consumer: str) -> None:
        self._refuse_without_database()

    def health(self, upstream: str) -> list[Entity] | None:
        return self._gateway.health(upstream)

    def missing(self, kind: Kind, key: str) -> str:
        if self._predictions.complete:
            return self._gateway.missing(kind, key)
        self._warn(
            f"{kind.name} {key} does not exist at {self.url}; "
            "the prediction goes on as if an earlier task had made it"
        )
        return PLACEHOLDER + uuid.uuid4().hex[:12]

    def _owner(self, kind: Kind, parent: str | None) -> str | None:
        """The id of the parent, looked up once a task."""
        if kind.parent is None:
            return None
        key = str(parent)
        if not self.looks_up:
            return key
        with self._predictions.lock:
            if key not in self._owners:
                found = self.get(kind_named(kind.parent), key)
                if found is None:
                    return None
                self._owners[key] = str(found["id"])
            return self._owners[key]

    def _owner_or_placeholder(self, kind: Kind, parent: str) -> str:
        with self._predictions.lock:
            owner = self._owner(kind, parent)
            if owner is None:
                owner = self._owners[parent] = self.missing(kind_named(str(kind.parent)), parent)
            return owner

    def _schema_of(self, kind: Kind) -> Schema:
        return composed(self.schema(kind.schema_name) or {}, kind.details)

    def _refuse_taken(self, kind: Kind, body: Entity, current: Entity, parent: str | None) -> None:
        if not self.looks_up:
            return
        name = body.get(kind.identity)
        renamed = bool(current) and name is not None and kind.matches is None
        if renamed and self.get(kind, str(name), parent) is not None:
            raise InputError(f"{kind.identity} {name} is taken by another {kind.name}")
        for field in kind.unique:
            value = body.get(field)
            other = self.holder(kind, field, value) if value else None
            if other is not None and other["id"] != current.get("id"):
                shown = "" if kind.field(field).secret else f" {value}"
                raise InputError(f"{field}{shown} is taken by another {kind.name}")

    def _foretold(self, kind: Kind, entity: Entity) -> Entity:
        if kind.foretell is not None:
            kind.foretell(entity)
        if kind.name == "plugin" and entity.get("partials"):
            entity = _as_linked(self._schema_of(kind), entity)
        self._predictions.remember(kind, entity["id"], entity)
        return entity

    def _judge(self, kind: Kind, entity: Entity) -> None:
        if not self.judges:
            return
        # A partial may be foretold, too; without it a plugin is judged with its defaults.
        left_out = (*GENERATED, "partials")
        judged = {name: value for name, value in entity.items() if name not in left_out}
        if kind.details is not None:
            judged = without_old_spellings(kind.details, judged)
        self._gateway.validate(kind, judged)

    def _refuse_without_database(self) -> None:
        if not self.one_by_one:
            return
        configuration = self._gateway.root().get("configuration") or {}
        if configuration.get("database") == "off":
            raise InputError(NO_DATABASE)


def _as_linked(schema: Schema, plugin: Entity) -> Entity:
    """A plugin as reads have it: what its partials hold is null under its old names, too."""
    plugin = without_linked(plugin)
    specs: Schema = next((each["config"] for each in schema["fields"] if "config" in each), {})
    config = plugin.get("config") or {}
    old = {name: value_at(config, path) for name, path in replacements(specs).items()}
    return {**plugin, "config": {**config, **old}}


def _refuse_if_any(by: Kind, pointing: list[Entity]) -> None:
    if pointing:
        raise InputError(f"{by.describe(pointing[0])} still points at it: delete that one first")


def _is_named(kind: Kind, entity: Entity, key: str, owner: str | None) -> bool:
    """Whether a path with this key would lead to the entity."""
    names = [entity.get("id"), *(entity.get(kind.keys) or ())]
    # Kinds that are matched in a list have no name in their paths, but for a plugin's instance.
    names.append(entity.get("instance_name" if kind.matches else kind.identity))
    return key in names and _belongs(kind, entity, owner)


def _points_at(kind: Kind, entity: Entity, of: Kind, key: str) -> bool:
    names = [field.name for field in kind.fields if field.reference == of.name]
    return any((entity.get(name) or {}).get("id") == key for name in names)


def _belongs(kind: Kind, entity: Entity, owner: str | None) -> bool:
    return (
        kind.parent is None or owner is None or (entity.get(kind.parent) or {}).get("id") == owner
    )
