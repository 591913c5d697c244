# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting entities: the rules of the gateway's database layer."""

from __future__ import annotations

import copy
from typing import Any

from . import errors, partials, validate
from .fill import filled, merged
from .gateway import NEWER, Gateway, Kind
from .hooks import Hooks
from .schema import Record
from .shorthands import mismatches, rewrite, with_older_names
from .store import Entity, Store

#: What stands in a path or a write for one entity: {"id": …} or {"name": …}.
Keys = dict[str, Any]


def kept_numbers(value: Any) -> Any:
    """A value as it is kept: numbers with 14 significant digits (conformance: numbers)."""
    if isinstance(value, dict):
        return {key: kept_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [kept_numbers(item) for item in value]
    return float(f"{value:.14g}") if isinstance(value, float) else value


def _kept_id(value: Any) -> Any:
    """An id as a database keeps it (conformance: ids_in_large_letters)."""
    return value.lower() if validate.is_uuid(value) else value


class Entities:
    """The write and look-up side of one gateway. Every refusal is an `errors.Refusal`."""

    def __init__(self, gateway: Gateway, store: Store, writable: bool = True) -> None:
        """Not `writable`: without a database, what is written is judged, and then refused."""
        self.gateway = gateway
        self.writable = writable
        self.store = store
        self.hooks = Hooks(gateway, store)

    # -- finding

    def keys(self, kind: str, text: str) -> Keys:
        """What a path's segment says: an id, or the value of the kind's own key."""
        key = self.gateway.kinds[kind].declared.key
        if validate.is_uuid(text):
            return {"id": text}
        if key is None:
            raise errors.invalid_primary_key({"id": "expected a valid UUID"})
        return {key: text}

    def find(self, kind: str, keys: Keys, parent: tuple[str, str] | None = None) -> Entity | None:
        """The stored entity, or None. `parent` is a foreign field and the id it must hold."""
        found = self._found(kind, keys, parent)
        ended = found is not None and self.store.has_ended(kind, found["id"])
        return None if ended else found

    def _found(self, kind: str, keys: Keys, parent: tuple[str, str] | None) -> Entity | None:
        name, value = next(iter(keys.items()))
        if name == "id":
            found = self.store.get(kind, _kept_id(value))
            inside = parent is None or (found or {}).get(parent[0]) == {"id": parent[1]}
            return found if inside else None
        if parent is not None and (parent[0], name) in self.gateway.kinds[kind].unique:
            fields = (parent[0], name)
            return self.store.find(kind, fields, ({"id": parent[1]}, value))
        self._check_unique_value(kind, name, value)
        if (name,) not in self.gateway.kinds[kind].unique:
            return None
        found = self.store.find(kind, (name,), (value,))
        inside = parent is None or (found or {}).get(parent[0]) == {"id": parent[1]}
        return found if inside else None

    def _check_unique_value(self, kind: str, name: str, value: Any) -> None:
        error = validate.field_error(self.gateway.kinds[kind].record.fields[name], value)
        if isinstance(error, str):
            raise errors.invalid_unique(name, error)

    def answer(self, kind: str, entity: Entity) -> Entity:
        """An entity as the Admin API shows it."""
        out = self.hooks.shown(kind, copy.deepcopy(entity))
        return with_older_names(self.gateway.record(kind, entity), out)

    # -- judging

    def prepared(self, kind: str, data: Entity) -> Entity:
        """A whole entity from what was written; refused where its schema is not held."""
        record = self.gateway.record(kind, data)
        self._refuse_mismatches(record, data)
        entity = filled(record, rewrite(record, filled(record, data)))
        self._judge(kind, entity)
        return entity

    @staticmethod
    def _refuse_mismatches(record: Record, data: Entity) -> None:
        found = mismatches(record, data)
        if found:
            raise errors.schema_violation(found)

    def _judge(self, kind: str, entity: Entity, full: bool = True) -> None:
        found = self.gateway.errors(kind, partials.judged(self.store, entity), full)
        if found:
            raise errors.schema_violation(found)

    def _resolved(self, kind: str, data: Entity) -> Entity:
        """`data` with foreign keys by name turned into foreign keys by id."""
        out = dict(data)
        for field, spec in self.gateway.kinds[kind].foreign.items():
            value = out.get(field)
            if isinstance(value, dict):
                out[field] = self._reference(field, str(spec.reference), value)
        return out

    def _reference(self, field: str, kind: str, value: Keys) -> Keys:
        if "id" in value:
            return {"id": value["id"]}
        fields = self.gateway.kinds[kind].record.fields
        for name, *others in self.gateway.kinds[kind].unique:
            if not others and value.get(name):
                if validate.field_error(fields[name], value[name]):
                    return value  # refused with the rest of what is wrong
                found = self.store.find(kind, (name,), (value[name],))
                if found is None:
                    raise errors.foreign_keys_unresolved(field, name, value[name], kind)
                return {"id": found["id"]}
        return value

    def _constraints(self, kind: Kind, entity: Entity, keys: Keys, old: Entity | None) -> None:
        """What the database refuses, in the order in which it looks."""
        if any(entity.get(field) is None for field in ("id", *kind.declared.not_null)):
            raise errors.primary_key_violation(keys)
        if old is None and self.store.get(kind.name, _kept_id(entity["id"])) is not None:
            raise errors.primary_key_violation(keys)
        for fields in kind.unique:
            if fields == (fields[0],) and entity.get(fields[0]) is None:
                continue
            found = self.store.find(kind.name, fields, tuple(entity.get(f) for f in fields))
            if found is not None and found["id"] != _kept_id(entity["id"]):
                raise errors.unique_violation({field: entity.get(field) for field in fields})
        for field, spec in kind.foreign.items():
            value = entity.get(field)
            if value and self.store.get(str(spec.reference), _kept_id(value["id"])) is None:
                raise errors.foreign_key_missing(field, value, str(spec.reference))

    def _commit(
        self, kind: str, entity: Entity, keys: Keys, old: Entity | None, written: Entity
    ) -> Entity:
        entity, after = self.hooks.transient(kind, kept_numbers(entity), written)
        self._constraints(self.gateway.kinds[kind], entity, keys, old)
        entity["id"] = _kept_id(entity["id"])
        for field in self.gateway.kinds[kind].foreign:
            if entity.get(field):
                entity[field] = {"id": _kept_id(entity[field]["id"])}
        self.store.put(kind, entity)
        after()
        return entity

    # -- writing

    def _refuse_without_database(self, operation: str, kind: str, keys: Keys) -> None:
        if not self.writable:
            raise errors.unsupported(operation, kind, next(iter(keys)))

    def insert(self, kind: str, data: Entity) -> Entity:
        """A new entity, as the Admin API answers it."""
        with self.store.lock:
            self.hooks.check_options(kind, data)
            self.hooks.check_protocols(kind, data)
            entity = self.prepared(kind, self._resolved(kind, self.hooks.created(kind, data)))
            keys = {"id": entity["id"]}
            self._refuse_without_database("create", kind, keys)
            answer = self.answer(kind, self._commit(kind, entity, keys, None, data))
            return self.hooks.echoed(kind, {}, answer)

    def update(self, kind: str, keys: Keys, old: Entity | None, data: Entity) -> Entity:
        """`old` (found by `keys`) with what `data` writes: records deep, null clears."""
        with self.store.lock:
            if old is None:
                raise self._missing(kind, keys, data)
            self.hooks.check_options(kind, data)
            if "id" in keys:
                self.hooks.check_protocols(kind, data, old)
            stored = self._resolved(kind, self.hooks.written(kind, data, old))
            record = self.gateway.record(kind, {**old, **stored})
            self._refuse_mismatches(record, stored)
            changed = merged(record, filled(record, stored, partial=True), old)
            entity = filled(record, rewrite(record, changed))
            for name, field in record.fields.items():
                if field.spec.get("transient") and name not in changed:
                    del entity[name]
            self._judge(kind, entity, full=False)
            self.hooks.check_changes(kind, data)
            entity["id"] = self._row(kind, keys, old, data)
            self._refuse_without_database("update", kind, keys)
            entity = self._commit(kind, entity, keys, old, data)
            return self.hooks.echoed(kind, data, self.answer(kind, entity))

    def _row(self, kind: str, keys: Keys, old: Entity, data: Entity) -> str:
        """The id that a PATCH changes: that in its body, if its path has one, too.

        Conformance: other_ids.
        """
        written: str = _kept_id(data.get("id") or old["id"]) if "id" in keys else old["id"]
        if written != old["id"] and self.store.get(kind, written) is None:
            raise errors.no_such_entity(keys)
        return written

    def _missing(self, kind: str, keys: Keys, data: Entity) -> errors.Refusal:
        """The answer to a PATCH of what is not there (conformance: missing_entities)."""
        named_by = self.gateway.kinds[kind].declared.named_by
        if named_by and (self.gateway.release < NEWER or data.get(named_by) is None):
            return errors.not_found()
        return errors.no_such_entity(keys)

    def upsert(self, kind: str, keys: Keys, old: Entity | None, data: Entity) -> Entity:
        """The entity of these keys, made or replaced; what is left out gets its default."""
        with self.store.lock:
            self.hooks.check_options(kind, data)
            written = data.get("id")
            data = {**data, **keys}
            if old is not None:
                data["id"] = old["id"]
                data.setdefault("created_at", old["created_at"])
            if written is not None and not validate.is_uuid(written):
                # An id in the body counts for nothing, but it must be one: the schema refuses it.
                data["id"] = written
            if "id" in keys:
                self.hooks.check_protocols(kind, data)
            data = self._resolved(kind, self.hooks.created(kind, data, old))
            entity = self.prepared(kind, data)
            self._refuse_without_database("create or update", kind, keys)
            self.hooks.check_upsert(kind, keys)
            answer = self.answer(kind, self._commit(kind, entity, keys, old, data))
            return self.hooks.echoed(kind, {}, answer)

    def delete(self, kind: str, entity: Entity, keys: Keys | None = None) -> None:
        """Delete an entity (found by `keys`) and what goes with it; not while others need it."""
        with self.store.lock:
            self._refuse_without_database("remove", kind, keys or {"id": entity["id"]})
            self.hooks.deletable(kind, entity)
            self._refuse_referenced(kind, entity["id"])
            self._delete(kind, entity["id"])

    def _pointing(self, kind: str) -> list[tuple[Kind, str]]:
        return [
            (other, field)
            for other in self.gateway.kinds.values()
            for field, spec in other.foreign.items()
            if spec.reference == kind
        ]

    def _refuse_referenced(self, kind: str, identifier: str) -> None:
        for other, field in self._pointing(kind):
            if other.cascades(field):
                for child in self.store.children(other.name, field, identifier):
                    self._refuse_referenced(other.name, child["id"])
            elif self.store.children(other.name, field, identifier):
                raise errors.still_referenced(kind, other.name)

    def _delete(self, kind: str, identifier: str) -> None:
        for other, field in self._pointing(kind):
            for child in self.store.children(other.name, field, identifier):
                self._delete(other.name, child["id"])
        self.store.remove(kind, identifier)
