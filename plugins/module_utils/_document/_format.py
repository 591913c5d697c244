# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands where in a state file: sections, what nests in what, and what takes what along.

PRIVATE to the collection: it can change in any release.

The format is decK's 3.0; the flat sections of a gateway without a database are read, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._entities._credential import CREDENTIALS
from .._entities._kind import GENERATED

_CREDENTIAL_SECTIONS = {
    "keyauth_credentials": "key_auth",
    "basicauth_credentials": "basic_auth",
    "hmacauth_credentials": "hmac_auth",
    "jwt_secrets": "jwt",
    "oauth2_credentials": "oauth2",
    "acls": "acl",
    "mtls_auth_credentials": "mtls_auth",
}

# Sections at the top of a document, and the kind of what they list.
SECTIONS: Mapping[str, str] = {
    "certificates": "certificate",
    "ca_certificates": "ca_certificate",
    "vaults": "vault",
    "key_sets": "key_set",
    "partials": "partial",
    "keys": "key",
    "consumers": "consumer",
    "consumer_groups": "consumer_group",
    "snis": "sni",
    "upstreams": "upstream",
    "targets": "target",
    "services": "service",
    "routes": "route",
    "plugins": "plugin",
    **_CREDENTIAL_SECTIONS,
}

# Lists inside an entity: the kind of what they list, and the field by which that points back.
NESTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "service": {"routes": ("route", "service"), "plugins": ("plugin", "service")},
    "route": {"plugins": ("plugin", "route")},
    "upstream": {"targets": ("target", "upstream")},
    "consumer": {
        "plugins": ("plugin", "consumer"),
        **{section: (kind, "consumer") for section, kind in _CREDENTIAL_SECTIONS.items()},
    },
    "consumer_group": {"plugins": ("plugin", "consumer_group")},
    "certificate": {"snis": ("sni", "certificate")},
    "key_set": {"keys": ("key", "set")},
}

# What a delete takes along, by the field that points at the deleted entity.
CASCADES: Mapping[str, Mapping[str, str]] = {
    "upstream": {"target": "upstream"},
    "service": {"plugin": "service"},
    "route": {"plugin": "route"},
    "consumer": {"plugin": "consumer", **dict.fromkeys(CREDENTIALS, "consumer")},
    "consumer_group": {"plugin": "consumer_group"},
    "certificate": {"sni": "certificate"},
    "key_set": {"key": "set"},
}
# What forbids a delete as long as it points there.
RESTRICTS: Mapping[str, Mapping[str, str]] = {
    "service": {"route": "service"},
    "certificate": {"service": "client_certificate", "upstream": "client_certificate"},
}

# Kinds in the order in which they can be written; those of one level do not need each other.
LEVELS: tuple[tuple[str, ...], ...] = (
    (
        "certificate",
        "ca_certificate",
        "vault",
        "key_set",
        "partial",
        "consumer",
        "consumer_group",
    ),
    ("sni", "key", "upstream", "service", *CREDENTIALS),
    ("target", "route"),
    ("plugin",),
)
ORDER: tuple[str, ...] = tuple(kind for level in LEVELS for kind in level)

# Parts of decK's format that the collection does not manage.
FOREIGN_SECTIONS = (
    "filter_chains",
    "rbac_roles",
    "licenses",
    "custom_entities",
    "ai_models",
    "cloned_plugins",
    "custom_plugins",
    "service_packages",
)
# What decK's format wants written, though gateways have a default for it, or decide it.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "certificate": ("id",),
    "jwt": ("algorithm",),
    "mtls_auth": ("id",),
}
# Kinds whose fields can have defaults of the document's own.
DEFAULTED = ("service", "route", "upstream", "target")
# Notes, which the gateway's own format takes at the top and in each entity.
NOTES = ("_comment", "_ignore")
# What a document says about itself.
META = (
    *("_format_version", "_transform", "_info", "_workspace", "_konnect", "_plugin_configs"),
    *NOTES,
)
# Who is in which consumer group: a section, or a list in either of the two.
MEMBERS = "consumer_group_consumers"
# What gateways answer and nobody writes; dumps of others can hold it.
ANSWERED = (*GENERATED, "cert_digest")


def section_of(kind: str) -> str:
    """The top-level section that lists a kind."""
    return next(section for section, name in SECTIONS.items() if name == kind)
