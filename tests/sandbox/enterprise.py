# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the enterprise edition has beside the dumps, which are of the community's gateways.

Sources: the Admin API's OpenAPI document, and its reference. No answers of it are recorded.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from . import partials, values
from .declared import KINDS as COMMUNITY
from .declared import Declared
from .schema import Validator

Spec = dict[str, Any]

KINDS: dict[str, Declared] = {
    **COMMUNITY,
    "plugins": dataclasses.replace(
        COMMUNITY["plugins"],
        together=(("name", "route", "service", "consumer", "consumer_group"),),
    ),
    "consumer_groups": Declared("consumer_groups", "name"),
    "consumer_group_consumers": Declared("", together=(("consumer_group", "consumer"),)),
    "mtls_auth_credentials": Declared(
        "mtls-auths", nested="mtls-auth", together=(("subject_name", "ca_certificate"),)
    ),
    "partials": Declared("partials", "name"),
}

VALIDATORS: dict[str, Validator] = {
    f"{kind}.tags[]": values.tag for kind in KINDS if kind not in COMMUNITY
}

_ID: Spec = {"id": {"auto": True, "type": "string", "uuid": True}}
_CREATED: Spec = {"created_at": {"auto": True, "timestamp": True, "type": "integer"}}
_UPDATED: Spec = {"updated_at": {"auto": True, "timestamp": True, "type": "integer"}}
_TAGS: Spec = {"tags": {"elements": {"required": True, "type": "string"}, "type": "set"}}
_NAME: Spec = {"name": {"required": True, "type": "string", "unique": True}}


def _owner(kind: str) -> Spec:
    """A foreign key to what an entity goes with."""
    return {"on_delete": "cascade", "reference": kind, "required": True, "type": "foreign"}


_GROUP: Spec = {"default": None, "on_delete": "cascade", "reference": "consumer_groups"}
_NO_GROUP: Spec = {"eq": None, "reference": "consumer_groups", "type": "foreign"}

_STEPS: Spec = {
    "type": "map",
    "keys": {"type": "string", "one_of": ["access"]},
    "values": {"type": "array", "elements": {"type": "string"}},
}
_ORDERING: Spec = {"type": "record", "fields": [{"before": _STEPS}, {"after": _STEPS}]}

_PORTAL_FIELDS: dict[str, tuple[str, ...]] = {
    "boolean": (
        "portal_access_request_email",
        "portal_application_request_email",
        "portal_application_status_email",
        "portal_approved_email",
        "portal_auto_approve",
        "portal_invite_email",
        "portal_is_legacy",
        "portal_reset_email",
        "portal_reset_success_email",
    ),
    "string": (
        "portal_auth",
        "portal_auth_conf",
        "portal_emails_from",
        "portal_emails_reply_to",
        "portal_session_conf",
    ),
    "integer": ("portal_token_exp",),
}
_DEVELOPER_FIELDS = (
    '[{"label":"Full Name","title":"full_name","validator":{"required":true,"type":"string"}}]'
)
_TEXTS: Spec = {"type": "array", "elements": {"type": "string"}}
_WORKSPACE_CONFIG: list[Spec] = [
    {"meta": {"type": "map", "keys": {"type": "string"}, "values": {"type": "string"}}},
    {"portal": {"type": "boolean", "default": False, "required": True}},
    {"portal_developer_meta_fields": {"type": "string", "default": _DEVELOPER_FIELDS}},
    {"portal_cors_origins": _TEXTS},
    {"portal_smtp_admin_emails": _TEXTS},
    *({name: {"type": kind}} for kind, names in _PORTAL_FIELDS.items() for name in names),
]
_WORKSPACE_META: list[Spec] = [{"color": {"type": "string"}}, {"thumbnail": {"type": "string"}}]

# Of the types of partials, which the document describes one by one, the open edition's Redis.
_PARTIAL_CONFIG: list[Spec] = [
    {"host": {"type": "string", "default": "127.0.0.1"}},
    {"port": {"type": "integer", "default": 6379, "between": [0, 65535]}},
    {"database": {"type": "integer", "default": 0}},
    {"username": {"type": "string", "referenceable": True}},
    {"password": {"type": "string", "encrypted": True, "referenceable": True}},
    {"ssl": {"type": "boolean", "default": False}},
]

ENTITIES: dict[str, Spec] = {
    "partials": {
        "entity_checks": [],
        "fields": [
            _ID,
            _CREATED,
            _UPDATED,
            {"name": {"type": "string", "unique": True}},
            {"type": {"type": "string", "required": True, "one_of": ["redis-ce"]}},
            {"config": {"type": "record", "required": True, "fields": _PARTIAL_CONFIG}},
            _TAGS,
        ],
    },
    "consumer_groups": {"entity_checks": [], "fields": [_ID, _CREATED, _UPDATED, _NAME, _TAGS]},
    "consumer_group_consumers": {
        "entity_checks": [],
        "fields": [
            _ID,
            _CREATED,
            _UPDATED,
            {"consumer_group": _owner("consumer_groups")},
            {"consumer": _owner("consumers")},
        ],
    },
    "mtls_auth_credentials": {
        "entity_checks": [],
        "fields": [
            _ID,
            _CREATED,
            {"consumer": _owner("consumers")},
            {"subject_name": {"required": True, "type": "string"}},
            {"ca_certificate": {"reference": "ca_certificates", "type": "foreign"}},
            _TAGS,
        ],
    },
}


def extend(dump: dict[str, Any]) -> None:
    """Turn the dump of a community gateway into that of the enterprise edition's first patch."""
    dump["version"] += ".1"
    entities = dump["entities"]
    entities.update(ENTITIES)
    entities["plugins"]["fields"] += [
        {"consumer_group": {**_GROUP, "type": "foreign"}},
        {"ordering": _ORDERING},
        partials.FIELD,
    ]
    for plugin in dump["plugins"].values():
        # What knows no consumer, because it finds out who that is, knows no group of them either.
        if any("eq" in field.get("consumer", {}) for field in plugin["fields"]):
            plugin["fields"].append({"consumer_group": _NO_GROUP})
    for field in entities["workspaces"]["fields"]:
        if "config" in field:
            field["config"]["fields"] = _WORKSPACE_CONFIG
        if "meta" in field:
            field["meta"]["fields"] = _WORKSPACE_META
        if "name" in field:
            field["name"]["not_one_of"] = [*field["name"]["not_one_of"], *ENTITIES]
