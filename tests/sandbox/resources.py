# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of the Admin API: collections, entities, and both below a parent."""

from __future__ import annotations

import functools
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import errors, paging, validate
from .bodies import RecordOf
from .entities import Entities, Keys
from .gateway import Kind
from .health import Health
from .store import Entity

#: HTTP status and JSON body (None: no body).
Answer = tuple[int, Any]


@dataclass(frozen=True)
class Call:
    """A request as a resource sees it; `body` is `raw`, read against the resource's record."""

    query: dict[str, str]
    body: dict[str, Any]
    raw: bytes = b""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Resource:
    """One path: what each method does, and what tells the record of a body (types in forms)."""

    methods: dict[str, Handler]
    record_of: RecordOf | None = None


#: Finds the resource at decoded path segments.
Finder = Callable[[list[str]], Resource | None]


#: The filter that a query of a list of a kind, at a path, asks for.
Wanted = Callable[[Kind, paging.Query, str], Callable[[Entity], bool]]


def has_tags(kind: Kind, query: paging.Query, path: str) -> Callable[[Entity], bool]:
    """The filter of the Admin API: by tags, the same for all kinds.

    Lists below an entity only check it (conformance: tags_of_nested_lists).
    """
    has = paging.has_tags(query)
    return has if path.count("/") == 1 else lambda entity: True


class Resources:
    """Finds the resource of a path. A path that is none gives None."""

    def __init__(
        self, entities: Entities, health: Health | None, wanted: Wanted = has_tags
    ) -> None:
        """`health`: None where a gateway tells none. `wanted`: what a query of a list asks for."""
        self.entities = entities
        self.health = health
        self.wanted = wanted
        self.kinds = entities.gateway.kinds
        self.by_path = {
            kind.declared.path: kind for kind in self.kinds.values() if kind.declared.path
        }

    def find(self, segments: list[str]) -> Resource | None:
        """The resource at decoded path segments."""
        kind = self.by_path.get(segments[0])
        if kind is None:
            return None
        if len(segments) == 1:
            return self.collection(kind)
        if len(segments) == 2:
            return self.entity(kind, segments[1])
        if kind.name == "upstreams" and self.health is not None:
            special = self.health.find(segments)
            if special is not None:
                return Resource(special)
        return self._below(kind, segments)

    def _below(self, kind: Kind, segments: list[str]) -> Resource | None:
        child = self._child(kind, segments[2])
        if child is not None and len(segments) == 3:
            return self.children(kind, segments[1], *child)
        if child is not None and len(segments) == 4:
            return self.child(kind, segments[1], *child, segments[3])
        if len(segments) == 3 and segments[2] in kind.foreign:
            return self.reference(kind, segments[1], segments[2])
        return None

    def _child(self, parent: Kind, name: str) -> tuple[Kind, str] | None:
        """The kind that `name` means below `parent`, and its field that points there."""
        for kind in self.kinds.values():
            if name and kind.nested == name:
                for field, spec in kind.foreign.items():
                    if spec.reference == parent.name:
                        return kind, field
        return None

    def _record_of(self, kind: Kind) -> RecordOf:
        return functools.partial(self.entities.gateway.record, kind.name)

    # -- a whole kind

    def collection(self, kind: Kind) -> Resource:
        """`/services`."""

        def page(call: Call) -> Answer:
            if kind.name == "consumers" and call.query.get("custom_id") == "":
                raise errors.Refusal(400, {"message": "custom_id must be an unempty string"})
            if kind.name == "consumers" and "custom_id" in call.query:
                found = self.entities.store.find(
                    "consumers", ("custom_id",), (call.query["custom_id"],)
                )
                shown = [] if found is None else [self.entities.answer("consumers", found)]
                return 200, {"data": shown, "next": None}
            return 200, self.page(
                kind, list(self.entities.store.all(kind.name)), call, f"/{kind.declared.path}"
            )

        def insert(call: Call) -> Answer:
            return 201, self.entities.insert(kind.name, call.body)

        return Resource({"GET": page, "POST": insert}, self._record_of(kind))

    def page(self, kind: Kind, items: list[Entity], call: Call, path: str) -> dict[str, Any]:
        """One page of `items`, those that the query asks for."""
        wanted, ended = self.wanted(kind, call.query, path), self.entities.store.has_ended
        shown = [item for item in items if wanted(item) and not ended(kind.name, item["id"])]
        page = paging.by_key(shown, lambda item: [item["id"]], call.query, path)
        page["data"] = [self.entities.answer(kind.name, item) for item in page["data"]]
        return page

    # -- one entity

    def entity(self, kind: Kind, text: str) -> Resource:
        """`/services/{name or id}`."""

        def found() -> tuple[Keys, Entity | None]:
            return self._located(kind, text)

        def select(call: Call) -> Answer:
            keys, entity = found()
            if entity is None:
                # A certificate is read by a method of its own (conformance: missing_entities).
                own = kind.name == "certificates"
                raise errors.no_such_entity(keys) if own else errors.not_found()
            return 200, self.entities.answer(kind.name, entity)

        def update(call: Call) -> Answer:
            return 200, self.entities.update(kind.name, *found(), call.body)

        def upsert(call: Call) -> Answer:
            if kind.name == "certificates" and "snis" in kind.record.fields:
                return self._upsert_certificate(text, call.body)
            return 200, self.entities.upsert(kind.name, *found(), call.body)

        def delete(call: Call) -> Answer:
            keys, entity = found()
            if entity is not None:
                self.entities.delete(kind.name, entity, keys)
            return 204, None

        methods: dict[str, Handler] = {
            "GET": select,
            "PATCH": update,
            "PUT": upsert,
            "DELETE": delete,
        }
        return Resource(methods, self._record_of(kind))

    def _located(self, kind: Kind, text: str) -> tuple[Keys, Entity | None]:
        """The keys that a segment means and what they find; a certificate also by its SNI."""
        if kind.name == "certificates" and not validate.is_uuid(text):
            sni = self.entities.find("snis", {"name": text})
            if sni is None:
                raise errors.Refusal(404, {"message": "SNI not found"})
            text = sni["certificate"]["id"]
        # A group can belong to many consumers (conformance: acl_paths).
        if kind.name == "acls" and not validate.is_uuid(text):
            raise errors.invalid_primary_key({"id": "expected a valid UUID"})
        keys = self.entities.keys(kind.name, text)
        return keys, self.entities.find(kind.name, keys)

    def _upsert_certificate(self, text: str, body: dict[str, Any]) -> Answer:
        """A PUT by SNI: the certificate that has it, or a new one; it has it afterwards."""
        keys: Keys = {"id": text}
        snis = body.get("snis")
        snis = [snis] if isinstance(snis, str) else snis
        if not validate.is_uuid(text):
            found = self.entities.find("snis", {"name": text})
            keys = {"id": found["certificate"]["id"] if found else str(uuid.uuid4())}
            if isinstance(snis, list) and text not in snis:
                snis = [*snis, text]
        old = self.entities.find("certificates", keys)
        return 200, self.entities.upsert("certificates", keys, old, {**body, "snis": snis})

    def existing(self, kind: Kind, text: str) -> Entity:
        """The entity of a name or an id; refused where it is none."""
        entity = self._located(kind, text)[1]
        if entity is None:
            raise errors.not_found()
        return entity

    # -- below a parent

    def _owner(self, parent: Kind, text: str, kind: Kind) -> Entity:
        """The entity whose children are asked for; by an SNI only where these are SNIs."""
        if parent.name == "certificates" and kind.name != "snis":
            self.entities.keys(parent.name, text)
        return self.existing(parent, text)

    def children(self, parent: Kind, text: str, kind: Kind, field: str) -> Resource:
        """`/services/{s}/routes`."""

        def page(call: Call) -> Answer:
            owner = self._owner(parent, text, kind)
            items = self.entities.store.children(kind.name, field, owner["id"])
            path = f"/{parent.declared.path}/{urllib.parse.quote(text)}/{kind.nested}"
            if kind.name == "targets" and not kind.declared.path:
                paging.has_tags(call.query)
                found = paging.by_number(items[::-1], call.query, path)
                found["data"] = [self.entities.answer(kind.name, item) for item in found["data"]]
                return 200, found
            return 200, self.page(kind, items, call, path)

        def insert(call: Call) -> Answer:
            owner = self._owner(parent, text, kind)
            return 201, self.entities.insert(kind.name, {**call.body, field: {"id": owner["id"]}})

        return Resource({"GET": page, "POST": insert}, self._record_of(kind))

    def child(self, parent: Kind, text: str, kind: Kind, field: str, name: str) -> Resource:
        """`/services/{s}/routes/{r}`; a target's PUT changes as its PATCH, and makes none.

        Not where targets have a path of their own: there they are as other kinds.
        """

        def found() -> tuple[Keys, Entity | None, Keys]:
            owner = {"id": self._owner(parent, text, kind)["id"]}
            keys = self.entities.keys(kind.name, name)
            return keys, self.entities.find(kind.name, keys, (field, owner["id"])), owner

        def existing() -> Entity:
            entity = found()[1]
            if entity is None:
                raise errors.not_found()
            return entity

        def select(call: Call) -> Answer:
            return 200, self.entities.answer(kind.name, existing())

        def update(call: Call) -> Answer:
            entity = existing()
            return 200, self.entities.update(kind.name, {"id": entity["id"]}, entity, call.body)

        def upsert(call: Call) -> Answer:
            if parent.name == "certificates" and not self.entities.find("snis", {"name": text}):
                self.existing(parent, text if validate.is_uuid(text) else str(uuid.uuid4()))
            keys, entity, owner = found()
            if entity is None:
                entity = self.entities.find(kind.name, keys)
            return 200, self.entities.upsert(kind.name, keys, entity, {**call.body, field: owner})

        def delete(call: Call) -> Answer:
            self.entities.delete(kind.name, existing())
            return 204, None

        put = upsert if kind.declared.path else update
        methods: dict[str, Handler] = {"GET": select, "PATCH": update, "PUT": put, "DELETE": delete}
        return Resource(methods, self._record_of(kind))

    def reference(self, kind: Kind, text: str, field: str) -> Resource:
        """`/routes/{r}/service`: the entity that a foreign key points to."""
        target = self.kinds[str(kind.foreign[field].reference)]

        def held() -> Keys:
            value = self.existing(kind, text).get(field)
            if not value:
                raise errors.not_found()
            return {"id": value["id"]}

        def select(call: Call) -> Answer:
            entity = self.entities.find(target.name, held())
            if entity is None:
                raise errors.not_found()
            return 200, self.entities.answer(target.name, entity)

        def update(call: Call) -> Answer:
            keys = held()
            entity = self.entities.find(target.name, keys)
            return 200, self.entities.update(target.name, keys, entity, call.body)

        def upsert(call: Call) -> Answer:
            holder = self.existing(kind, text)
            keys = {"id": holder[field]["id"] if holder.get(field) else str(uuid.uuid4())}
            entity = self.entities.find(target.name, keys)
            answer = self.entities.upsert(target.name, keys, entity, call.body)
            if not holder.get(field):
                self.entities.update(kind.name, {"id": holder["id"]}, holder, {field: keys})
            return 200, answer

        def delete(call: Call) -> Answer:
            held()
            raise errors.method_not_allowed()

        methods: dict[str, Handler] = {"GET": select, "PATCH": update, "PUT": upsert}
        return Resource({**methods, "DELETE": delete}, self._record_of(target))
