# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that reads and writes state files on the wire as decK was seen to, where decK is not.

A stand-in, made after what decK's traffic showed: every entity is filled with the schemas'
defaults, compared as a whole (nulls left out, times aside; without order only tags, protocols and
sets of plugins and a service's authorities) and written with `PUT` by an id of the client's own;
targets with `PUT`, and `POST` after its 404. Of a plugin what is sent has no defaults. What a
schema does not know, as an old spelling, is not compared. What carries the tags and is not in the
file would be deleted, and all targets of an upstream that does. It imports nothing of the
collection.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from harness.gateway import Gateway

Entity = dict[str, Any]

# Kinds in the order of writing: the list's name in a file, its path, what identifies an entity.
KINDS = (
    ("certificates", "certificates", "id"),
    ("consumers", "consumers", "username"),
    ("snis", "snis", "name"),
    ("services", "services", "name"),
    ("upstreams", "upstreams", "name"),
    ("keyauth_credentials", "key-auths", "key"),
    ("acls", "acls", "group"),
    ("routes", "routes", "name"),
    ("targets", "targets", "target"),
    ("plugins", "plugins", "name"),
)
PATHS = {name: path for name, path, key in KINDS}
CHILDREN: dict[str, tuple[str, tuple[str, ...]]] = {
    "certificates": ("certificate", ("snis",)),
    "consumers": ("consumer", ("keyauth_credentials", "acls", "plugins")),
    "services": ("service", ("routes", "plugins")),
    "upstreams": ("upstream", ("targets",)),
    "routes": ("route", ("plugins",)),
}
# Lists whose order makes no difference, whatever their kind.
UNORDERED = ("tags", "ca_certificates")
# Below which path a credential is written.
CREDENTIALS = {"keyauth_credentials": "key-auth", "acls": "acls"}


@dataclass(frozen=True)
class DeckLike:
    """Reads and writes one gateway; its state files carry select tags."""

    gateway: Gateway
    schemas: dict[str, list[Entity]] = field(default_factory=dict)

    def differences(self, document: Entity) -> list[str]:
        """What a sync would write or delete, as "kind name"."""
        seen: set[str] = set()
        changed = [f"{name} {found}" for name, found, entity in self._changes(document, seen)]
        tags = document["_info"]["select_tags"]
        return changed + [
            f"{name} {entity[key]}"
            for name, path, key in KINDS
            for entity in self._owned(name, path, tags)
            if entity["id"] not in seen
        ]

    def sync(self, document: Entity) -> list[str]:
        """Write what differs; it deletes nothing."""
        done = []
        for name, found, entity in self._changes(document, set()):
            self._write(name, entity)
            done.append(f"{name} {found}")
        return done

    def _owned(self, name: str, path: str, tags: list[str]) -> list[Entity]:
        """What is listed with these tags; the filter has no effect on lists of targets."""
        if name == "targets":
            pools = self._owned("upstreams", "upstreams", tags)
            lists = [self.gateway.entities(f"/upstreams/{pool['id']}/targets") for pool in pools]
            return [target for targets in lists for target in targets]
        entities = self.gateway.entities(f"/{path}")
        return [each for each in entities if set(tags) <= set(each.get("tags") or ())]

    def _changes(self, document: Entity, seen: set[str]) -> Iterator[tuple[str, str, Entity]]:
        wanted: dict[str, list[Entity]] = {name: [] for name, path, key in KINDS}
        _flatten(document, wanted)
        tags = document["_info"]["select_tags"]
        ids: dict[int, str] = {}
        for name, path, key in KINDS:
            for written in wanted[name]:
                entity = self._resolved(name, written, tags, ids)
                current = self._current(name, path, key, entity)
                entity.setdefault("id", (current or {}).get("id") or str(uuid.uuid4()))
                ids[id(written)] = entity["id"]
                seen.add(entity["id"])
                full = _filled(self._schema(name, entity), entity)
                if current is None or self._compared(name, full) != self._compared(name, current):
                    yield name, str(entity[key]), entity if name == "plugins" else full

    def _resolved(
        self, name: str, written: Entity, tags: list[str], ids: dict[int, str]
    ) -> Entity:
        """The entity with its tags and the parent's id."""
        entity = {key: value for key, value in written.items() if key != "_parents"}
        for parent, other in written.get("_parents", {}).items():
            entity[parent] = {"id": ids[id(other)]}
        entity["tags"] = sorted({*entity.get("tags", []), *tags})
        if name == "targets":
            entity["target"] = re.sub(r"^\[(.+)\]", _long_form, entity["target"])
        return entity

    def _current(self, name: str, path: str, key: str, entity: Entity) -> Entity | None:
        if name == "targets":
            path = f"upstreams/{entity['upstream']['id']}/targets"
        references = ("service", "route", "consumer") if name in ("plugins", "acls") else ()
        for found in self.gateway.entities(f"/{path}"):
            same = all(found.get(each) == entity.get(each) for each in references)
            if found[key] == entity[key] and same:
                return found
        return None

    def _compared(self, name: str, entity: Entity) -> Entity:
        # The names of a certificate are entities of their own.
        aside = {"created_at", "updated_at", *({"snis"} if name == "certificates" else ())}
        kept = {key: value for key, value in entity.items() if key not in aside}
        return dict(_settled(self._schema(name, entity), kept, name == "plugins"))

    def _schema(self, name: str, entity: Entity) -> list[Entity]:
        core = self._fields(name)
        if name != "plugins":
            return core
        own = self._fields(f"plugins/{entity['name']}")
        return [*(each for each in core if "config" not in each), *own]

    def _fields(self, name: str) -> list[Entity]:
        if name not in self.schemas:
            self.schemas[name] = self.gateway.call("GET", f"/schemas/{name}")["fields"]
        return self.schemas[name]

    def _write(self, name: str, entity: Entity) -> None:
        path = f"/{PATHS[name]}/{entity['id']}"
        body = _without_nulls(entity)
        if name in CREDENTIALS:
            path = f"/consumers/{entity['consumer']['id']}/{CREDENTIALS[name]}/{entity['id']}"
        elif name == "targets":
            pool = f"/upstreams/{entity['upstream']['id']}/targets"
            path = f"{pool}/{entity['id']}"
        try:
            self.gateway.call("PUT", path, body)
        except httpx.HTTPStatusError as refused:
            if name != "targets" or refused.response.status_code != 404:
                raise
            self.gateway.call("POST", pool, body)


def _flatten(entity: Entity, wanted: dict[str, list[Entity]]) -> None:
    for name in PATHS:
        for written in entity.get(name, []):
            parent, children = CHILDREN.get(name, ("", ()))
            own = {each: value for each, value in written.items() if each not in children}
            wanted[name].append(own)
            nested = {each: written.get(each, []) for each in children}
            for items in nested.values():
                for item in items:
                    item.setdefault("_parents", {})[parent] = own
            _flatten(nested, wanted)


def _long_form(address: re.Match[str]) -> str:
    return f"[{ipaddress.ip_address(address[1]).exploded}]"


def _filled(fields: list[Entity], entity: Entity) -> Entity:
    filled = dict(entity)
    for each in fields:
        ((name, about),) = each.items()
        if "default" in about and filled.get(name) is None:
            filled[name] = about["default"]
        if about.get("type") == "record" and (about.get("required") or filled.get(name)):
            filled[name] = _filled(about["fields"], filled.get(name) or {})
    return filled


def _settled(
    fields: list[Entity], entity: Entity, is_plugin: bool
) -> Iterator[tuple[str, Any]]:
    """What is compared of an entity: no nulls, no empty records, some lists in one order."""
    known = {name: about for each in fields for name, about in each.items()}
    for name, value in entity.items():
        if known and name not in known:
            continue
        about = known.get(name, {})
        is_set = name in UNORDERED or (is_plugin and about.get("type") == "set")
        if isinstance(value, list) and is_set:
            yield name, sorted(value, key=str)
        elif isinstance(value, dict):
            if below := dict(_settled(about.get("fields", []), value, is_plugin)):
                yield name, below
        elif value not in (None, []):
            yield name, value


def _without_nulls(entity: Entity) -> Entity:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in entity.items()
        if value is not None
    }
