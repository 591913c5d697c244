# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What single kinds do beside their schema: addresses, digests, SNIs in certificates, passwords."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

from . import errors, partials, pem, validate, values
from .gateway import Gateway
from .store import Entity, Store

#: Kinds whose entities may end by themselves.
EXPIRING = ("keyauth_credentials",)
#: The longest time to live, seconds.
LONGEST = 100000000


def _nothing() -> None:
    """What most kinds do after a write."""


class Hashed(str):
    """A password that is written as it is kept: its hash."""


class Hooks:
    """The kinds' own rules, called by `Entities` at fixed points of a write."""

    def __init__(self, gateway: Gateway, store: Store) -> None:
        self.gateway = gateway
        self.store = store

    def check_options(self, kind: str, data: Entity) -> None:
        """Refuse a `ttl` that is none before the schema is asked (conformance: key_ttl)."""
        if kind not in EXPIRING or "ttl" not in data:
            return
        ttl = data["ttl"]
        if isinstance(ttl, bool) or not isinstance(ttl, int | float):
            raise errors.unexpected()
        if ttl != int(ttl) or not 0 <= ttl <= LONGEST:
            raise errors.invalid_option("ttl", f"must be an integer between 0 and {LONGEST}")

    def check_protocols(self, kind: str, data: Entity, old: Entity | None = None) -> None:
        """Refuse a plugin without a protocol of what it is for (conformance: plugin_protocols).

        That is before its schema is asked, and before names become ids.
        """
        names = ("protocols", "route", "service")
        if kind != "plugins" or not any(name in data for name in names):
            return
        protocols, route, service = (data.get(name, (old or {}).get(name)) for name in names)
        if not isinstance(protocols, list):
            return
        if isinstance(route, dict):
            routes = [self.store.get("routes", str(route.get("id")))]
            text = "must match the associated route's protocols"
        elif isinstance(service, dict):
            key = str(service.get("id"))
            has_id = validate.is_uuid(key)
            routes = [*self.store.children("routes", "service", key)] if has_id else [{}]
            whose = "at least one route pointing to this Plugin's service"
            text = f"must match the protocols of {whose}"
        else:
            return
        found = [each.get("protocols") or () for each in routes if each is not None]
        if found and not any(set(map(str, protocols)) & set(each) for each in found):
            raise errors.schema_violation({"protocols": text})

    @staticmethod
    def check_changes(kind: str, data: Entity) -> None:
        """Refuse half of what only changes together (conformance: client_secrets)."""
        names = ("hash_secret", "client_secret")
        if kind == "oauth2_credentials" and sum(name in data for name in names) == 1:
            message = "all or none of these fields must be set: 'hash_secret', 'client_secret'"
            raise errors.schema_violation({"@entity": [message]})

    @staticmethod
    def check_upsert(kind: str, keys: Entity) -> None:
        """Fail as a PUT of a key or a key set by its name does (conformance: key_order)."""
        if kind in ("keys", "key_sets") and "name" in keys:
            raise errors.unexpected()

    def created(self, kind: str, data: Entity, old: Entity | None = None) -> Entity:
        """What was written for a whole entity: a target's address is judged before its schema."""
        address = data.get("target") if kind == "targets" else None
        if isinstance(address, str) and values.normalised_target(address) is None:
            message = "Invalid target; not a valid hostname or ip address"
            raise errors.schema_violation({"target": message})
        return self.written(kind, data, old)

    def written(self, kind: str, data: Entity, old: Entity | None) -> Entity:
        """What was written, as it is stored; `old` is what it changes or replaces."""
        if kind == "certificates" and isinstance(data.get("snis"), list):
            self._refuse_taken_snis(data["snis"], None if old is None else old["id"])
        if kind == "targets" and isinstance(data.get("target"), str):
            return {**data, "target": values.normalised_target(data["target"]) or data["target"]}
        if kind == "ca_certificates" and isinstance(data.get("cert"), str):
            digest = pem.digest(data["cert"])
            return data if digest is None else {**data, "cert_digest": digest}
        password = data.get("password") if kind == "basicauth_credentials" else None
        # An empty one is left to the schema, which refuses it.
        if isinstance(password, str) and password and not isinstance(password, Hashed):
            return {**data, "password": _hashed({**(old or {}), **data})}
        secret = data.get("client_secret") if kind == "oauth2_credentials" else None
        if isinstance(secret, str) and data.get("hash_secret") is True:
            return {**data, "client_secret": _salted(secret)}
        return partials.written(self.store, data) if kind == "plugins" else data

    def transient(
        self, kind: str, entity: Entity, written: Entity
    ) -> tuple[Entity, Callable[[], None]]:
        """The entity without fields that are not its own, and what to do once it is stored.

        A certificate's `snis` replace those it has; null are none (conformance: certificates).
        A `ttl` counts from the second in which it was `written` (conformance: key_ttl).
        """
        if kind == "plugins":
            return partials.stored(entity), _nothing
        if kind in EXPIRING and ("ttl" in written or not entity.get("ttl")):
            ends = int(time.time()) + entity["ttl"] if entity.get("ttl") else None
            return entity, lambda: self.store.expire_at(kind, entity["id"], ends)
        if kind != "certificates" or "snis" not in entity:
            return entity, _nothing
        entity = dict(entity)
        names: list[str] = entity.pop("snis") or []
        return entity, lambda: self._replace_snis(entity["id"], names)

    def _refuse_taken_snis(self, names: list[Any], certificate: str | None) -> None:
        """A certificate's SNIs are judged before its schema is."""
        for index, name in enumerate(names):
            if name in names[:index]:
                raise errors.schema_violation({"snis": f"{name} is duplicated"})
        for name in names:
            if not isinstance(name, str):
                raise errors.unexpected()
            error = validate.field_error(self.gateway.kinds["snis"].record.fields["name"], name)
            if isinstance(error, str):
                raise errors.invalid_unique("name", error)
            found = self.store.find("snis", ("name",), (name,))
            if found is not None and found["certificate"]["id"] != certificate:
                owner = found["certificate"]["id"]
                message = f"{name} already associated with existing certificate '{owner}'"
                raise errors.schema_violation({"snis": message})

    def _replace_snis(self, certificate: str, names: list[str]) -> None:
        kept = set()
        for entity in self.store.children("snis", "certificate", certificate):
            if entity["name"] in names:
                kept.add(entity["name"])
            else:
                self.store.remove("snis", entity["id"])
        now = int(time.time())
        for name in dict.fromkeys(names):
            if name not in kept:
                sni: dict[str, Any] = {"id": str(uuid.uuid4()), "name": name, "tags": None}
                sni |= {"certificate": {"id": certificate}, "created_at": now, "updated_at": now}
                self.store.put("snis", sni)

    def shown(self, kind: str, entity: Entity) -> Entity:
        """An answer with what is kept elsewhere."""
        if kind == "certificates" and "snis" in self.gateway.kinds[kind].record.fields:
            children = self.store.children("snis", "certificate", entity["id"])
            entity["snis"] = sorted(child["name"] for child in children)
        if kind in EXPIRING:
            entity["ttl"] = self.store.seconds_left(kind, entity["id"])
        return partials.shown(self.store, entity) if kind == "plugins" else entity

    def echoed(self, kind: str, data: Entity, answer: Entity) -> Entity:
        """The answer to a write: a target's address as written (conformance: target_crud)."""
        if kind == "targets" and "target" in data:
            return {**answer, "target": data["target"]}
        return partials.expanded(self.store, answer) if kind == "plugins" else answer

    def deletable(self, kind: str, entity: Entity) -> None:
        """Refuse to delete what others hold in lists of ids (authorities: from 3.9 on)."""
        if kind == "partials":
            partials.refuse_linked(self.store, entity)
        if kind != "ca_certificates" or self.gateway.release < (3, 9):
            return
        for other in ("services", "plugins"):
            for holder in self.store.all(other):
                held = holder if other == "services" else holder.get("config") or {}
                if entity["id"] in (held.get("ca_certificates") or []):
                    raise errors.referenced_by_others(
                        f"ca certificate {entity['id']} is still referenced by {other} "
                        f"(id = {holder['id']})"
                    )


def _salted(secret: str) -> str:
    """A client secret as `hash_secret` makes it (conformance: client_secrets)."""
    salt, rounds, length = os.urandom(16), 10000, 32
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, rounds, length)
    kept = (base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    return "$".join(("", "pbkdf2-sha512", f"i={rounds},l={length}", *kept))


def _hashed(data: Entity) -> str:
    """A basic-auth password as it is kept: salted with the consumer's id."""
    consumer = data.get("consumer")
    salt = consumer.get("id", "") if isinstance(consumer, dict) else ""
    return hashlib.sha1(f"{data['password']}{salt}".encode(), usedforsecurity=False).hexdigest()
