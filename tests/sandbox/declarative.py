# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of a gateway without a database: nested or flat lists of entities, read and judged."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from . import errors, validate
from .entities import Entities
from .gateway import Gateway, Kind
from .hooks import EXPIRING
from .store import Entity, Store

Document = dict[str, Any]

VERSIONS = ("1.1", "2.1", "3.0")

#: Keys that any entity may have beside its own.
REMARKS = ("_comment", "_ignore")

#: Kinds that no document holds: nodes write the one, the other is the enterprise edition's.
LEFT_OUT = ("clustering_data_planes", "workspaces")

#: Ids are made of names below this one, so that a document gives the same ids each time.
NAMESPACE = uuid.UUID("fd02801f-0957-4a15-a55a-c8d9606f30b5")


@dataclass
class Entry:
    """One entity of a document. `data` is what was written, its id, and what it points to.

    `place` is its index in its list; `lists` holds what is nested in it, by kind.
    """

    kind: Kind
    data: Entity
    place: int
    parent: Entry | None
    lists: dict[str, Level] = field(default_factory=dict)


#: A list of a document: its entries, a text for one that is no record; a text where it is no list.
Level = list[Entry | str] | str


class Reader:
    """Reads one document into a store of its own; `read` refuses with code 14."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.kinds = {name: kind for name, kind in gateway.kinds.items() if name not in LEFT_OUT}
        self.store = Store(gateway.unique, gateway.foreign)
        self.entities = Entities(gateway, self.store)
        self.entries: list[Entry] = []
        self.dangling: dict[str, Any] = {}
        self.transform = True

    def read(self, document: Document) -> Store:
        """The store that holds what the document says, whole and filled in."""
        self.transform = document.get("_transform") is not False
        found = self._head(document)
        lists = {
            name: self._list(kind, document[name], None)
            for name, kind in self.kinds.items()
            if document.get(name) is not None
        }
        self._resolve()
        found |= self._judge(lists)
        if found:
            raise errors.declarative_config(found)
        self._refuse(self._repeated())
        self._refuse(self.dangling)
        return self.store

    @staticmethod
    def _refuse(found: dict[str, Any]) -> None:
        if found:
            raise errors.declarative_config(found)

    def _head(self, document: Document) -> dict[str, Any]:
        """What is wrong with a document beside its entities."""
        found: dict[str, Any] = {
            name: validate.UNKNOWN_FIELD
            for name in document
            if name not in (*self.kinds, "_format_version", "_transform", *REMARKS)
        }
        version = document.get("_format_version")
        if version is None:
            found["_format_version"] = "required field missing"
        elif not isinstance(version, str):
            found["_format_version"] = "expected a string"
        elif version not in VERSIONS:
            found["_format_version"] = f"expected one of: {', '.join(VERSIONS)}"
        if not isinstance(document.get("_transform", True), bool):
            found["_transform"] = "expected a boolean"
        return found

    # -- from lists to entries

    def _list(self, kind: Kind, items: Any, parent: Entry | None) -> Level:
        if not isinstance(items, list):
            return "expected an array"
        return [self._entry(kind, item, place, parent) for place, item in enumerate(items)]

    def _entry(self, kind: Kind, item: Any, place: int, parent: Entry | None) -> Entry | str:
        if not isinstance(item, dict):
            return "expected a record"
        data = {name: value for name, value in item.items() if name not in REMARKS}
        inner = {
            child.name: data.pop(child.name)
            for child in self._children(kind)
            if data.get(child.name) is not None and _nested(kind, child.name, data[child.name])
        }
        entry = Entry(kind, data, place, parent)
        if data.get("id") is None:
            data["id"] = self._made_id(entry)
        self.entries.append(entry)
        entry.lists = {
            name: self._list(self.kinds[name], items, entry) for name, items in inner.items()
        }
        return entry

    def _children(self, kind: Kind) -> list[Kind]:
        """The kinds that may be nested in one: those with a foreign key to it."""
        return [other for other in self.kinds.values() if _link(other, kind) is not None]

    @staticmethod
    def _made_id(entry: Entry) -> str:
        """An id made of what names the entity; a random one for what has no name."""
        kind, data = entry.kind, entry.data
        parent = None if entry.parent is None else entry.parent.data["id"]
        key = kind.declared.key
        parts: list[Any] = []
        if key is not None and isinstance(data.get(key), str):
            parts = [data[key]]
            if (key,) not in kind.unique:
                owners = [name for name in kind.foreign if kind.cascades(name)]
                parts += [parent or data.get(name) for name in owners]
        elif kind.name == "plugins":
            names = kind.declared.together[0]
            own = None if entry.parent is None else _link(kind, entry.parent.kind)
            parts = ["plugins", *(parent if name == own else data.get(name) for name in names)]
        if not parts:
            return str(uuid.uuid4())
        text = ":".join("" if part is None else str(part) for part in parts)
        return str(uuid.uuid5(uuid.uuid5(NAMESPACE, kind.name), text))

    # -- what points to what

    def _resolve(self) -> None:
        """Turn foreign keys by name or id into those by id; what is not there is `dangling`."""
        known: dict[tuple[str, str], str] = {}
        for entry in self.entries:
            names = (entry.data.get(entry.kind.declared.key or "id"), entry.data["id"])
            known |= {
                (entry.kind.name, name): entry.data["id"] for name in names if isinstance(name, str)
            }
        for entry in self.entries:
            if entry.parent is not None:
                own = _link(entry.kind, entry.parent.kind)
                entry.data[str(own)] = {"id": entry.parent.data["id"]}
            for name, spec in entry.kind.foreign.items():
                self._point(entry, name, str(spec.reference), known)

    def _point(self, entry: Entry, name: str, kind: str, known: dict[tuple[str, str], str]) -> None:
        value = entry.data.get(name)
        key = value.get("id") if isinstance(value, dict) else value
        if not isinstance(key, str):
            return
        if (kind, key) in known:
            entry.data[name] = {"id": known[kind, key]}
            return
        shown = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        own = entry.kind.declared.key or "id"
        place = ((own,) in entry.kind.unique and entry.data.get(own)) or entry.data["id"]
        self.dangling.setdefault(entry.kind.name, {}).setdefault(str(place), []).append(
            f"invalid reference '{name}: {shown}' (no such entry in '{kind}')"
        )
        # An id of the right form: the schema is to judge the rest.
        entry.data[name] = {"id": str(uuid.uuid4())}

    # -- is it right

    def _judge(self, lists: dict[str, Level]) -> dict[str, Any]:
        """The errors of lists by kind; those of an entry stand at its place."""
        found: dict[str, Any] = {}
        for name, items in lists.items():
            if isinstance(items, str):
                found[name] = items
                continue
            problems = [item if isinstance(item, str) else self._keep(item) for item in items]
            while problems and not problems[-1]:
                problems.pop()
            if problems:
                found[name] = [problem or None for problem in problems]
        return found

    def _keep(self, entry: Entry) -> dict[str, Any]:
        """Store one entry whole, and what is nested in it; the errors where it is wrong."""
        kind, found = entry.kind.name, {}
        try:
            hashed = kind == "basicauth_credentials" and not self.transform
            data = entry.data if hashed else self.entities.hooks.written(kind, entry.data, None)
            # In a document it is the time when the entity ends (conformance: dbless_ttl).
            ends = data.get("ttl") if kind in EXPIRING else None
            written = {name: data[name] for name in data if ends is None or name != "ttl"}
            whole = self.entities.prepared(kind, written)
            entity, after = self.entities.hooks.transient(kind, whole, written)
            self.store.put(kind, entity)
            after()
            self.store.expire_at(kind, entity["id"], ends)
        except errors.Refusal as refusal:
            found = dict(refusal.body["fields"])
        return {**found, **self._judge(entry.lists)}

    def _repeated(self) -> dict[str, Any]:
        """Entries whose name or id was declared before, by kind and place."""
        found: dict[str, Any] = {}
        seen: set[tuple[str, str, str]] = set()
        for entry in self.entries:
            kind, key = entry.kind, entry.kind.declared.key or "id"
            uses = [(kind.name, "primary key", entry.data["id"])]
            if (key,) in kind.unique and isinstance(entry.data.get(key), str):
                uses.insert(0, (kind.name, key, entry.data[key]))
            again = [use for use in uses if use in seen]
            seen.update(uses)
            if again:
                _errors_beside(found, entry)[entry.place] = (
                    f"uniqueness violation: '{kind.name}' entity with {again[0][1]} "
                    f"set to '{again[0][2]}' already declared"
                )
        return found


def _errors_beside(found: dict[str, Any], entry: Entry) -> list[Any]:
    """The errors of the list that an entry stands in, with a place for its own."""
    if entry.parent is not None:
        outer = _errors_beside(found, entry.parent)
        if not isinstance(outer[entry.parent.place], dict):
            outer[entry.parent.place] = {}
        found = outer[entry.parent.place]
    holes: list[Any] = found.setdefault(entry.kind.name, [])
    holes += [None] * (entry.place + 1 - len(holes))
    return holes


def _link(kind: Kind, target: Kind) -> str | None:
    """The field of `kind` that points to `target`."""
    found = (name for name, spec in kind.foreign.items() if spec.reference == target.name)
    return next(found, None)


def _nested(kind: Kind, name: str, value: Any) -> bool:
    """Whether a key holds a list of entities, not a field: a certificate's `snis` may be either."""
    if name not in kind.record.fields:
        return True
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def written(store: Store, gateway: Gateway) -> Document:
    """The flat document that says what a store holds; foreign keys are ids."""
    document: Document = {"_format_version": "3.0", "_transform": False}
    for name, kind in gateway.kinds.items():
        if name not in LEFT_OUT:
            entities = [flat(entity, kind, store) for entity in store.all(name)]
            document |= {name: entities} if entities else {}
    return document


def flat(entity: Entity, kind: Kind, store: Store) -> Entity:
    """An entity of a flat document: its foreign keys are ids, and its `ttl` is when it ends."""
    ends = {"ttl": store.ends(kind.name, entity["id"])} if kind.name in EXPIRING else {}
    return {
        name: value["id"] if name in kind.foreign and value else value
        for name, value in {**entity, **ends}.items()
    }
