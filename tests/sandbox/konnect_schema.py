# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Konnect's control planes have beside the newest dump: they are always of the newest version.

Sources: Konnect's OpenAPI document of core entities.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from . import enterprise
from .declared import EXTRA_FIELDS as ON_PREMISES
from .declared import Declared
from .schema import field_of

Spec = dict[str, Any]

#: What a control plane says it is: no data plane is newer.
VERSION = "3.15.0.0"

KINDS: dict[str, Declared] = {
    **enterprise.KINDS,
    # Konnect has a list of all targets, pages it as other lists, and PUT makes a missing one.
    "targets": dataclasses.replace(enterprise.KINDS["targets"], path="targets"),
}

#: SNIs are entities of their own: certificates neither take them nor show them.
EXTRA_FIELDS = {kind: fields for kind, fields in ON_PREMISES.items() if kind != "certificates"}

_TEXTS: Spec = {"type": "array", "elements": {"type": "string"}}
_SANS: Spec = {"type": "record", "fields": [{"dnsnames": _TEXTS}, {"uris": _TEXTS}]}

NEW_FIELDS: dict[str, list[Spec]] = {
    "services": [{"tls_sans": _SANS}],
    "upstreams": [
        {"sticky_sessions_cookie": {"type": "string"}},
        {"sticky_sessions_cookie_path": {"type": "string", "default": "/", "starts_with": "/"}},
    ],
    "targets": [{"failover": {"type": "boolean", "default": False}}],
    "plugins": [{"condition": {"type": "string", "len_max": 1024}}],
    "keys": [{"x5t": {"type": "string"}}],
}

#: What the settings of each vault have since 3.11 (tests of decK); no schema has its default.
VAULT_FIELDS: list[Spec] = [{"base64_decode": {"type": "boolean", "default": False}}]


def extend(dump: dict[str, Any]) -> None:
    """Turn the newest dump of the enterprise edition into what a control plane of Konnect has."""
    dump["version"] = VERSION
    entities = dump["entities"]
    for kind, fields in NEW_FIELDS.items():
        entities[kind]["fields"] += fields
    field_of(entities["routes"], "protocols")["default"] = ["https"]
    algorithm = field_of(entities["upstreams"], "algorithm")
    algorithm["one_of"] = [*algorithm["one_of"], "sticky-sessions"]
    certificates = entities["certificates"]
    certificates["fields"] = [field for field in certificates["fields"] if "snis" not in field]
