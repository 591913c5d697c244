# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document of decK as the one that a gateway without a database takes.

PRIVATE to the collection: it can change in any release.

Both formats carry the version 3.0 and mostly agree (conformance case dbless_config). The gateway
takes the nested entities as they are; it refuses every key that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import InputError
from ._format import DEFAULTED

Record = dict[str, Any]

# Collections of entities, by the names that they have in a document, and how _info.defaults call
# them. Kinds that are not here are handed on as they are.
_KINDS = {
    "services": "service",
    "routes": "route",
    "plugins": "plugin",
    "filter_chains": "filter_chain",
    "upstreams": "upstream",
    "targets": "target",
    "consumers": "consumer",
    "consumer_groups": "consumer_group",
    "certificates": "certificate",
    "snis": "sni",
    "ca_certificates": "ca_certificate",
    "vaults": "vault",
    "keys": "key",
    "key_sets": "key_set",
    "partials": "partial",
    "keyauth_credentials": "key-auth credential",
    "basicauth_credentials": "basic-auth credential",
    "hmacauth_credentials": "hmac-auth credential",
    "jwt_secrets": "jwt secret",
    "oauth2_credentials": "oauth2 credential",
    "acls": "acl",
    "mtls_auth_credentials": "mtls-auth credential",
}
# Foreign keys that decK writes as records; the gateway takes a text in all of them.
_REFERENCES = (
    "service",
    "route",
    "consumer",
    "consumer_group",
    "upstream",
    "certificate",
    "client_certificate",
    "set",
)
_MEMBERS = "consumer_group_consumers"
_DROPPED = ("_info", "_konnect", "_workspace", "_plugin_configs", "custom_entities")


def to_dbless(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document for ``POST /config`` or ``declarative_config``; the given one stays as it is.

    Select tags and defaults of ``_info`` and the shared settings of ``_plugin_configs`` are worked
    into the entities, members of consumer groups become a list of their own.

    :raises InputError: an entity cannot be expressed, or names shared settings that do not exist.
    """
    return _Conversion(document).run()


class _Conversion:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        info = document.get("_info") or {}
        self._tags: list[str] = info.get("select_tags") or []
        self._defaults: Mapping[str, Any] = info.get("defaults") or {}
        self._configs: Mapping[str, Any] = document.get("_plugin_configs") or {}
        self._members: list[Record] = []

    def run(self) -> dict[str, Any]:
        result: dict[str, Any] = {"_format_version": "3.0"}
        for name, value in self._document.items():
            if name not in _DROPPED:
                result[name] = self._section(name, value)
        for each in self._document.get("custom_entities") or ():
            kind, entity = self._custom(each)
            result.setdefault(kind, []).append(entity)
        if self._members:
            result[_MEMBERS] = [*result.get(_MEMBERS, []), *self._members]
        return result

    def _section(self, name: str, value: Any) -> Any:
        if name not in _KINDS or not isinstance(value, list):
            return value
        # A service's CA certificates and a route's SNIs are texts, and no entities of their own.
        return [
            self._entity(_KINDS[name], each) if isinstance(each, Mapping) else each
            for each in value
        ]

    def _entity(self, kind: str, written: Mapping[str, Any]) -> Record:
        defaults = self._defaults.get(kind) if kind in DEFAULTED else None
        entity = _merged(defaults or {}, written)
        if kind == "plugin":
            self._share_config(entity)
        self._take_members(kind, entity)
        if kind == "certificate" and entity.get("snis"):
            entity["snis"] = [
                {"name": sni} if isinstance(sni, str) else sni for sni in entity["snis"]
            ]
        _refer(kind, entity)
        # What a plugin lists, its partials, are references and no entities of their own.
        if kind != "plugin":
            entity = {name: self._section(name, value) for name, value in entity.items()}
        missing = [tag for tag in self._tags if tag not in (entity.get("tags") or ())]
        if missing:
            entity["tags"] = [*(entity.get("tags") or ()), *missing]
        return entity

    def _share_config(self, plugin: Record) -> None:
        name = plugin.pop("_config", None)
        if name is None:
            return
        if name not in self._configs:
            raise InputError(
                f"plugin {_label(plugin)}: _config is {name}, and _plugin_configs has no such entry"
            )
        plugin["config"] = _merged(self._configs[name] or {}, plugin.get("config") or {})

    def _take_members(self, kind: str, entity: Record) -> None:
        """Who is in which group is written at consumers or at groups, and nested in neither."""
        if kind == "consumer":
            for group in entity.pop("groups", None) or ():
                self._member(entity, group)
        elif kind == "consumer_group":
            for consumer in entity.pop("consumers", None) or ():
                self._member(consumer, entity)

    def _member(self, consumer: Any, group: Any) -> None:
        member = {
            "consumer": _reference(f"consumer {_label(consumer)}", consumer),
            "consumer_group": _reference(f"consumer_group {_label(group)}", group),
        }
        # Both sides may say the same.
        if member not in self._members:
            self._members.append(member)

    def _custom(self, written: Mapping[str, Any]) -> tuple[str, Record]:
        kind = written.get("type")
        if not isinstance(kind, str):
            raise InputError("a custom entity must have a type")
        fields = written.get("fields") or {}
        own = {key: value for key, value in written.items() if key not in ("type", "fields")}
        # Nothing is known of these kinds, not even that they have tags.
        return kind, _refer(kind, {**own, **fields})


def _refer(kind: str, entity: Record) -> Record:
    """Write foreign keys as texts, in place."""
    for name in _REFERENCES:
        if isinstance(entity.get(name), Mapping):
            entity[name] = _reference(f"{kind} {_label(entity)}: {name}", entity[name])
    return entity


def _reference(what: str, entity: Any) -> str:
    """What a foreign key says: a name, else an id; only these can be looked up in a document."""
    if isinstance(entity, str):
        return entity
    found = entity.get("name") or entity.get("username") or entity.get("id")
    if not isinstance(found, str):
        raise InputError(f"{what} must be named by its name or id, so that others can refer to it")
    return found


def _label(entity: Any) -> str:
    if not isinstance(entity, Mapping):
        return ""
    names = (entity.get(key) for key in ("name", "username", "custom_id", "id"))
    return str(next((name for name in names if name), "without a name"))


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Record:
    """``over`` laid on ``under``, records key by key; a written null stays a null."""
    merged = {**under, **over}
    for key in under.keys() & over.keys():
        if isinstance(under[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = _merged(under[key], over[key])
    return merged
