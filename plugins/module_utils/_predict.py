# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode: a gateway that predicts what writes would do, and sends reads and validations only.

A prediction is the existing entity (or the defaults of the gateway's own schema) with the change
merged in, validated by the gateway. What that validation does not know, uniqueness and references,
is looked up.
"""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Callable

from ._entities._consumer import WORKSPACE
from ._entities._identity import find_by_reference
from ._entities._keys import VAULT
from ._entities._kind import CASCADE, PLACEHOLDER, TIMESTAMPS, Entity, Kind
from ._entities._konnect import CONTROL_PLANE
from ._entities._registry import KINDS
from ._errors import InputError, error_context
from ._gateway._protocol import Gateway, refuse_without_workspaces
from ._partials import as_linked
from ._plan import Plan
from ._schema import Schema, complete, merged_schema, without_old_names
from ._values import with_nulls, without_nulls


class Predictions:
    """What earlier writes of a check-mode run would have left, and the schemas that were read.

    :param memory: plain JSON; a run's tasks hand it on to each other where they can.
    :param complete: whether it has all that the run predicted so far: then what is neither in it
        nor on the gateway does not exist, else an earlier task may create it.
    """

    def __init__(self, memory: dict[str, Any] | None = None, complete: bool = False) -> None:
        self.memory = {} if memory is None else memory
        self.complete = complete
        self._entities: dict[str, dict[str, Entity | None]] = self.memory.setdefault("entities", {})
        self.schemas: dict[str, Any] = self.memory.setdefault("schemas", {})
        # Tasks check many entities side by side.
        self.lock = threading.RLock()

    def copy(self) -> Predictions:
        """A copy, so that what is predicted from now on is discarded."""
        return Predictions(copy.deepcopy(self.memory), self.complete)

    def remember(self, kind: Kind, key: str, entity: Entity | None) -> None:
        """Keep a predicted entity by ID, None for a deleted one."""
        with self.lock:
            self._entities.setdefault(kind.schema_name, {})[key] = entity

    def known(self, kind: Kind) -> dict[str, Entity | None]:
        with self.lock:
            return dict(self._entities.get(kind.schema_name, {}))


@dataclass(frozen=True)
class Checks:
    """What a prediction is checked for.

    :param looks_up: whether uniqueness and references are looked up; not if all was read before.
    :param validates: whether the gateway validates each entity.
    :param writes_entities: whether the gateway must be able to write single entities.
    """

    looks_up: bool = True
    validates: bool = True
    writes_entities: bool = True


def _of_the_gateway(name: str) -> Any:
    """What predictions do not change."""
    return property(lambda self: getattr(self._gateway, name))


class PredictingGateway(Gateway):
    """The interface of the gateway that it reads from; nothing is written."""

    predicts = True
    # What is predicted refers to its parent by ID.
    takes_names = False
    url, control_plane = _of_the_gateway("url"), _of_the_gateway("control_plane")
    lists_all, omits_nulls = _of_the_gateway("lists_all"), _of_the_gateway("omits_nulls")
    traits, identify = _of_the_gateway("traits"), _of_the_gateway("identify")
    describe, is_control_plane = _of_the_gateway("describe"), _of_the_gateway("is_control_plane")
    offers, not_offered = _of_the_gateway("offers"), _of_the_gateway("not_offered")
    plugin_names, managed_tags = _of_the_gateway("plugin_names"), _of_the_gateway("managed_tags")
    data_planes, is_new = _of_the_gateway("data_planes"), _of_the_gateway("is_new")
    has_schemas, validate = _of_the_gateway("has_schemas"), _of_the_gateway("validate")

    def __init__(
        self,
        gateway: Gateway,
        predictions: Predictions,
        warn: Callable[[str], None],
        checks: Checks = Checks(),
    ) -> None:
        self._gateway = gateway
        self._predictions = predictions
        self._warn = warn
        self._checks = checks

    def with_checks(self, checks: Checks) -> PredictingGateway:
        """The same predictions with other checks."""
        return PredictingGateway(self._gateway, self._predictions, self._warn, checks)

    def has_predicted(self, workspace: str | None) -> bool:
        """Whether it predicts workspaces, or else control planes."""
        kind = CONTROL_PLANE if workspace is None else WORKSPACE
        return self.is_new or bool(self._predictions.known(kind))

    def inside(self, gateway: Gateway, workspace: str | None) -> Gateway:
        """The gateway of a workspace or control plane of this one, which may not exist yet.

        :raises InputError: it does not exist, and no task would create it.
        """
        kind, name = (WORKSPACE, workspace) if workspace else (CONTROL_PLANE, gateway.control_plane)
        with error_context(self.url) if workspace else nullcontext():
            found = find_by_reference(self, kind, str(name))
            key = str(found["id"]) if found is not None else self.missing(kind, str(name))
        is_new = is_predicted(key)
        if workspace and is_new:
            # Which schemas it has is asked outside of it.
            refuse_without_workspaces(self.traits(), workspace)
            self._gateway.url, gateway = gateway.url, self._gateway
        gateway.is_new = is_new
        return gateway

    def schema(self, name: str) -> dict[str, Any] | None:
        if not self.has_schemas:
            return {}
        with self._predictions.lock:
            schemas = self._predictions.schemas
            if name not in schemas:
                schemas[name] = self._gateway.schema(name)
            schema: dict[str, Any] | None = schemas[name]
        return schema

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        """What is predicted takes precedence over what the gateway has."""
        for entity in self._predicted(kind, kind.parent, parent):
            if entity.get(field) == value:
                return entity
        if self._has_nothing(parent):
            return None
        return self._unless_changed(kind, self._gateway.find_by(kind, field, value, parent))

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        existing: list[Entity] = []
        if not self._has_nothing(parent):
            existing = self._gateway.entities(kind, parent, of, tags) or []
        predicted = [
            entity
            for entity in self._predicted(kind, of or kind.parent, parent)
            if set(tags) <= set(entity.get("tags") or ())
        ]
        kept = (self._unless_changed(kind, entity) for entity in existing)
        return predicted + [entity for entity in kept if entity is not None]

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        found = set() if self.is_new else self._gateway.kinds_tagged(tag, known)
        return found | {
            kind.name
            for kind in KINDS.values()
            if any(tag in (each.get("tags") or ()) for each in self._predicted(kind, None, None))
        }

    def health(self, upstream: str) -> list[Entity] | None:
        return None if self.is_new else self._gateway.health(upstream)

    def _has_nothing(self, parent: str | None) -> bool:
        """Whether what is below a parent, or below any, is predicted as a whole."""
        return self.is_new or is_predicted(parent)

    def _predicted(self, kind: Kind, of: str | None, key: str | None) -> list[Entity]:
        """The predicted entities of a kind; with ``key``, those that refer to this entity."""
        known = self._predictions.known(kind).values()
        names = [each.name for each in kind.references if each.reference == of]
        return [
            entity
            for entity in known
            if entity is not None
            and (key is None or any((entity.get(name) or {}).get("id") == key for name in names))
            and not self._is_gone(kind, entity)
        ]

    def _unless_changed(self, kind: Kind, found: Entity | None) -> Entity | None:
        """An entity of the gateway, unless a prediction replaces or removes it."""
        if found is None or found["id"] in self._predictions.known(kind):
            return None
        return None if self._is_gone(kind, found) else found

    def _is_gone(self, kind: Kind, entity: Entity) -> bool:
        """Whether the entity is predicted to be deleted together with another one."""
        return any(
            key is not None and self._predictions.known(KINDS[each.reference]).get(key, {}) is None
            for each in kind.references
            if each.on_delete == CASCADE and each.reference in KINDS
            for key in [(entity.get(each.name) or {}).get("id")]
        )

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        self.refuse_read_only()
        if not self.offers(kind):
            raise InputError(self.not_offered.format(kind.schema_name))
        if self._checks.looks_up:
            self.refuse_taken(kind, body, {}, parent)
        above = {kind.parent: {"id": parent}} if kind.parent else {}
        self._validate(kind, {**body, **above}, body)
        entity = {**complete(self._schema_of_new(kind, body), body), **above}
        entity["id"] = body.get("id") or PLACEHOLDER + uuid.uuid4().hex[:12]
        return self._remembered(kind, entity)

    def _schema_of_new(self, kind: Kind, body: Entity) -> Schema:
        """The schema with the settings of a vault: since 3.5 (conformance case vault_schemas)."""
        is_vault = kind.schema_name == VAULT.schema_name
        details = self.schema(VAULT.settings_schema(body.get("name"))) if is_vault else None
        if is_vault and details is None:
            # 3.5 does not validate vaults, and every gateway has the one of the environment.
            if self.schema(VAULT.settings_schema("env")) is not None:
                name = body.get("name")
                raise InputError(f"schema violation (name: vault {name!r} is not installed)")
            self._warn(
                f"{self.url} has no schema of the settings of vaults: the prediction does not show "
                "those that are not in config and have a default"
            )
        return merged_schema(self.schema_of(kind), details)

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        kind, current = plan.kind, plan.stored
        self.refuse_read_only(current)
        if self._checks.looks_up:
            self.refuse_taken(kind, plan.body, current, parent)
        is_replaced = bool(plan.body.keys() & set(kind.replaced))
        entity = plan.full_body if is_replaced else plan.entity
        if is_replaced or kind.details is not None:
            entity = complete(self.schema_of(kind), entity)
        self._validate(kind, entity, plan.body)
        kept = ("id", str(kind.parent), *TIMESTAMPS)
        made = {name: current[name] for name in kept if name in current}
        return self._remembered(kind, {**entity, **made})

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        self.refuse_read_only(current)
        if self._checks.looks_up:
            self.refuse_referenced(kind, current)
        self._predictions.remember(kind, current["id"], None)

    def load(self, document: str) -> bool:
        """A gateway validates a document only by loading it."""
        return True

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        """Only a balancer can validate it, by setting it."""

    def missing(self, kind: Kind, key: str) -> str:
        if self._predictions.complete:
            return self._gateway.missing(kind, key)
        self._warn(
            f"{kind.name} {key} does not exist at {self.url}; "
            "the prediction goes on as if an earlier task had created it"
        )
        return PLACEHOLDER + uuid.uuid4().hex[:12]

    def _remembered(self, kind: Kind, entity: Entity) -> Entity:
        kind.predict(entity)
        if kind.typed_by_name:
            entity = as_linked(kind, entity)
        if self.omits_nulls:
            sparse = without_nulls(entity, kind.keeps_nulls, in_lists=True)
            entity = with_nulls(kind.fields, sparse)
        self._predictions.remember(kind, entity["id"], entity)
        return entity

    def _validate(self, kind: Kind, entity: Entity, written: Entity) -> None:
        """:param written: what a write would send."""
        if not (self._checks.validates and kind.validated):
            return
        if self._checks.writes_entities and self.traits().compares_references:
            kind.refuse_mismatch(written, entity, self)
        if not self.has_schemas:
            self._warn(
                f"{self.url} would be the first control plane, so there are no schemas yet: the "
                "prediction is not validated, and has no defaults"
            )
            return
        # A partial may be predicted, too, so a plugin is validated with the settings of its own.
        left_out = (*TIMESTAMPS, *kind.replaced, *kind.read_only)
        body = {name: value for name, value in entity.items() if name not in left_out}
        for link in (entity.get("partials") or ()) if kind.details is not None else ():
            partial = self.find_by(KINDS["partial"], "id", link["id"])
            if partial is None:
                return
            body = _with_settings(body, str(link["path"]).split("."), partial.get("config") or {})
        if kind.details is not None:
            body = without_old_names(kind.details, body)
        self._gateway.validate(kind, body)

    def refuse_read_only(self, current: Entity | None = None) -> None:
        if self._checks.writes_entities:
            self._gateway.refuse_read_only(current)


def is_predicted(key: str | None) -> bool:
    """Whether an ID is one that check mode made up."""
    return str(key).startswith(PLACEHOLDER)


def _with_settings(record: Entity, path: Sequence[str], settings: Entity) -> Entity:
    """A plugin with the settings of a partial where it takes them."""
    first, *rest = path
    inner = record.get(first) or {}
    changed = _with_settings(inner, rest, settings) if rest else {**inner, **settings}
    return {**record, first: changed}
