# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of what the schemas' dumps leave out. What kinds do beside it is in `hooks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import values
from .plugin_rules import VALIDATORS as PLUGIN_VALIDATORS
from .schema import Validator


@dataclass(frozen=True)
class Declared:
    """How the Admin API serves a kind.

    `path`: its collection; "" for kinds that are reached in another way only. `nested`: its
    name below a parent. `key`: the field that may stand in a path beside the id. `together`:
    fields that are unique together, in the order in which the database looks. `not_null`: fields
    in which the database takes no null though the schema does. `cascade`: foreign keys with which
    a delete goes along, beside the dump's. `named_by`: the field without which a PATCH reads first,
    and answers without a code where nothing is; gateways before 3.9 always do.
    """

    path: str
    key: str | None = None
    nested: str = ""
    together: tuple[tuple[str, ...], ...] = ()
    not_null: tuple[str, ...] = ()
    cascade: tuple[str, ...] = ()
    named_by: str = ""


KINDS: dict[str, Declared] = {
    "services": Declared("services", "name"),
    "routes": Declared("routes", "name"),
    "upstreams": Declared("upstreams", "name", not_null=("slots",)),
    "targets": Declared(
        "",
        "target",
        nested="targets",
        together=(("upstream", "target"),),
        not_null=("weight",),
    ),
    "consumers": Declared("consumers", "username"),
    "plugins": Declared(
        "plugins",
        "instance_name",
        together=(("name", "route", "service", "consumer"),),
        named_by="name",
    ),
    "certificates": Declared("certificates"),
    "snis": Declared("snis", "name", cascade=("certificate",)),
    "ca_certificates": Declared("ca_certificates"),
    "vaults": Declared("vaults", "prefix"),
    "keys": Declared("keys", "name", together=(("name",), ("kid", "set"))),
    "key_sets": Declared("key-sets", "name"),
    "acls": Declared("acls", "group", together=(("consumer", "group"),)),
    "keyauth_credentials": Declared("key-auths", "key", nested="key-auth"),
    "basicauth_credentials": Declared("basic-auths", "username", nested="basic-auth"),
    "hmacauth_credentials": Declared("hmac-auths", "username", nested="hmac-auth"),
    "jwt_secrets": Declared("jwts", "key", nested="jwt"),
    "oauth2_credentials": Declared("oauth2", "client_id"),
    "clustering_data_planes": Declared(""),
    "workspaces": Declared("workspaces", "name"),
}

#: Fields that a gateway serves and its dump may leave out, by kind; `ttl` counts seconds.
EXTRA_FIELDS: dict[str, dict[str, dict[str, Any]]] = {
    "keyauth_credentials": {"ttl": {"type": "integer", "between": [0, 100000000]}},
    "certificates": {"snis": {"type": "array", "elements": {"type": "string"}, "transient": True}},
}


def _unset(names: tuple[str, ...], protocols: str) -> list[dict[str, dict[str, Any]]]:
    """Fields that stay null under some protocols."""
    return [
        {
            name: {
                "type": "any",
                "eq": None,
                "err": f"cannot set '{name}' when 'protocols' is {protocols}",
            }
        }
        for name in names
    ]


def _one_of(protocol: dict[str, Any], names: list[str], text: str) -> dict[str, Any]:
    """Of `names` one must be set, if the route's protocols hold what `protocol` asks."""
    return {
        "if_field": "protocols",
        "if_match": protocol,
        "then_at_least_one_of": names,
        "then_err": f"must set one of %s when 'protocols' is {text}",
    }


def _either(secure: str, plain: str, names: list[str]) -> dict[str, Any]:
    """As `_one_of`, where the secure protocol can match on SNIs, too."""
    return {
        **_one_of({"contains": secure}, [*names, "snis"], f"'{secure}'"),
        "else_match": {"contains": plain},
        "else_then_at_least_one_of": names,
        "else_then_err": f"must set one of %s when 'protocols' is '{plain}'",
    }


def _elements(*protocols: str) -> dict[str, Any]:
    return {"elements": {"type": "string", "one_of": list(protocols)}}


_HTTP: dict[str, Any] = {
    "fields": _unset(("sources", "destinations"), "'http' or 'https'"),
    "entity_checks": [
        {
            "conditional_at_least_one_of": _either(
                "https", "http", ["methods", "hosts", "headers", "paths"]
            )
        }
    ],
}
_STREAM: dict[str, Any] = {
    "fields": _unset(
        ("methods", "hosts", "paths", "headers"), "'tcp', 'tls', 'tls_passthrough' or 'udp'"
    ),
    "entity_checks": [
        {
            "conditional_at_least_one_of": _one_of(
                _elements("tcp", "tls", "udp"),
                ["sources", "destinations", "snis"],
                "'tcp', 'tls' or 'udp'",
            )
        },
        {
            "conditional_at_least_one_of": {
                **_one_of(_elements("tls_passthrough"), ["snis"], ""),
                "then_err": "must set snis when 'protocols' is 'tls_passthrough'",
            }
        },
    ],
}
_STRIP_PATH: dict[str, Any] = {
    "type": "boolean",
    "required": True,
    "default": False,
    "ne": True,
    "err": "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'",
}
_GRPC: dict[str, Any] = {
    "fields": [
        {"strip_path": _STRIP_PATH},
        *_unset(("methods", "sources", "destinations"), "'grpc' or 'grpcs'"),
    ],
    "entity_checks": [
        {"conditional_at_least_one_of": _either("grpcs", "grpc", ["hosts", "headers", "paths"])}
    ],
}

#: What a route is beside its schema, by the first of its protocols that is here.
ROUTES: dict[str, dict[str, Any]] = {
    "http": _HTTP,
    "https": _HTTP,
    "tcp": _STREAM,
    "tls": _STREAM,
    "udp": _STREAM,
    "tls_passthrough": _STREAM,
    "grpc": _GRPC,
    "grpcs": _GRPC,
}

#: Vault back ends by name: the fields of their `config` (open source has but this one).
VAULTS = {"env": ["prefix"]}

#: Validators by the dotted path of a field; `[]` is a list's element.
VALIDATORS: dict[str, Validator] = {
    "services.name": values.name,
    "services.host": values.host,
    "services.path": values.plain_path,
    "routes.name": values.name,
    "routes.hosts[]": values.route_host,
    "routes.paths[]": values.route_path,
    "routes.headers.keys": values.header_name,
    "routes.snis[]": values.wildcard_host,
    "routes.sources[].ip": values.ip_or_cidr,
    "routes.destinations[].ip": values.ip_or_cidr,
    "upstreams.name": values.upstream_name,
    "upstreams.host_header": values.host_and_port,
    "upstreams.hash_on_header": values.header_name,
    "upstreams.hash_fallback_header": values.header_name,
    "upstreams.hash_on_cookie": values.cookie_name,
    "upstreams.hash_on_cookie_path": values.plain_path,
    "upstreams.healthchecks.active.http_path": values.plain_path,
    "upstreams.healthchecks.active.https_sni": values.sni,
    "upstreams.healthchecks.active.headers.keys": values.header_name,
    "targets.target": values.target,
    "plugins.instance_name": values.name,
    "snis.name": values.wildcard_host,
    "oauth2_credentials.redirect_uris[]": values.redirect_uri,
    "certificates.cert": values.certificate,
    "certificates.cert_alt": values.certificate,
    "certificates.key": values.key,
    "certificates.key_alt": values.key,
    "certificates.snis[]": values.wildcard_host,
    "ca_certificates.cert": values.certificate,
    "keys.pem": values.pem_pair,
    **PLUGIN_VALIDATORS,
    **{f"{kind}.tags[]": values.tag for kind in KINDS},
}
