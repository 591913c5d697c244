# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of what the schemas' dumps leave out. Nothing else in here knows a kind by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import values
from .schema import Validator


@dataclass(frozen=True)
class Declared:
    """How the Admin API serves a kind.

    `path`: its collection; "" for kinds that are reached through their parent only. `nested`: its
    name below a parent. `key`: the field that may stand in a path beside the id. `together`:
    fields that are unique together. `not_null`: fields in which the database takes no null though
    the schema does. `cascade`: foreign keys with which a delete goes along, beside the dump's.
    `plain_404`: a PATCH of a missing one is answered without a code.
    """

    path: str
    key: str | None = None
    nested: str = ""
    together: tuple[tuple[str, ...], ...] = ()
    not_null: tuple[str, ...] = ()
    cascade: tuple[str, ...] = ()
    plain_404: bool = False


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
        plain_404=True,
    ),
    "certificates": Declared("certificates"),
    "snis": Declared("snis", "name", cascade=("certificate",)),
    "ca_certificates": Declared("ca_certificates"),
    "vaults": Declared("vaults", "prefix"),
    "keys": Declared("keys", "name"),
    "key_sets": Declared("key-sets", "name"),
    "acls": Declared("acls", "group", together=(("consumer", "group"),)),
    "keyauth_credentials": Declared("key-auths", "key", nested="key-auth"),
    "basicauth_credentials": Declared("basic-auths", "username", nested="basic-auth"),
    "hmacauth_credentials": Declared("hmac-auths", "username", nested="hmac-auth"),
    "jwt_secrets": Declared("jwts", "key", nested="jwt"),
    "oauth2_credentials": Declared("oauth2", "client_id"),
}

#: Fields that a gateway serves and its dump may leave out, by kind; `ttl` counts seconds.
EXTRA_FIELDS: dict[str, dict[str, dict[str, Any]]] = {
    "keyauth_credentials": {"ttl": {"type": "integer", "between": [0, 100000000]}},
    "certificates": {"snis": {"type": "array", "elements": {"type": "string"}, "transient": True}},
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
    "routes.snis[]": values.sni,
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
    "snis.name": values.sni,
    "certificates.cert": values.certificate,
    "certificates.cert_alt": values.certificate,
    "certificates.key": values.key,
    "certificates.key_alt": values.key,
    "certificates.snis[]": values.sni,
    "ca_certificates.cert": values.certificate,
    "key_sets.name": values.name,
    "keys.name": values.name,
    "plugins/ip-restriction.config.allow[]": values.ip_or_cidr,
    "plugins/ip-restriction.config.deny[]": values.ip_or_cidr,
    "plugins/http-log.config.http_endpoint": values.url,
    "plugins/opentelemetry.config.traces_endpoint": values.url,
    "plugins/opentelemetry.config.logs_endpoint": values.url,
    "plugins/zipkin.config.http_endpoint": values.url,
    "plugins/oauth2.config": values.a_grant,
    **{f"{kind}.tags[]": values.tag for kind in KINDS},
}
