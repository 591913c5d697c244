# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared fields know what the newest Admin API and Konnect describe, where that is at hand.

The descriptions are no part of the project: they are read from a folder beside the checkout, and
the tests are skipped where it is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS

SPECS = Path(__file__).resolve().parents[3] / "shared/specs"
DOCUMENTS = ("gateway-admin-3.15.json", "konnect-core-entities.json")
# What a description calls each kind.
NAMES = {
    "upstream": "Upstream",
    "target": "Target",
    "service": "Service",
    "route": "RouteJson",
    "plugin": "Plugin",
    "consumer": "Consumer",
    "consumer_group": "ConsumerGroup",
    "key_auth": "KeyAuth",
    "basic_auth": "BasicAuth",
    "hmac_auth": "HMACAuth",
    "jwt": "JWT",
    "acl": "ACL",
    "mtls_auth": "MTLSAuth",
    "certificate": "Certificate",
    "sni": "SNI",
    "ca_certificate": "CACertificate",
    "vault": "Vault",
    "key": "Key",
    "key_set": "KeySet",
}
MADE_BY_GATEWAY = {"id", "created_at", "updated_at", "cert_digest"}
# Described, and not declared.
NOT_MANAGED = {
    "plugin.__plugin_id": "internal to Konnect",
}


def _cases() -> list[Any]:
    if not SPECS.is_dir():
        skip = pytest.mark.skip(reason="the descriptions of the newest gateways are not at hand")
        return [pytest.param("", "", marks=skip)]
    return [(document, kind) for document in DOCUMENTS for kind in NAMES if _has(document, kind)]


def _schemas(document: str) -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads((SPECS / document).read_text())["components"]["schemas"]
    return schemas


def _has(document: str, kind: str) -> bool:
    return "properties" in _schemas(document).get(NAMES[kind], {})


@pytest.mark.parametrize(("document", "kind"), _cases())
def test_every_described_field_is_declared_or_a_named_exception(document: str, kind: str) -> None:
    described = set(_schemas(document)[NAMES[kind]]["properties"])
    declared = {field.name for field in KINDS[kind].fields} | {str(KINDS[kind].parent)}
    declared |= set(KINDS[kind].read_only)
    missing = described - declared - MADE_BY_GATEWAY
    assert {name for name in missing if f"{kind}.{name}" not in NOT_MANAGED} == set()


@pytest.mark.parametrize(("document", "kind"), _cases())
def test_choices_and_ranges_hold_what_is_described(document: str, kind: str) -> None:
    properties = _schemas(document)[NAMES[kind]]["properties"]
    assert list(_narrower(KINDS[kind].fields, properties, kind)) == []


def _narrower(fields: tuple[Field, ...], properties: dict[str, Any], at: str) -> Any:
    """Fields that refuse something that the description allows."""
    for field in fields:
        spec = properties.get(field.name, {})
        path = f"{at}.{field.name}"
        inner = spec.get("items", {}) if field.type == "list" else spec
        if field.choices and not set(inner.get("enum", ())) <= set(field.choices):
            yield path, "choices"
        if field.between and "minimum" in inner and field.between[0] > inner["minimum"]:
            yield path, "minimum"
        if field.between and "maximum" in inner and field.between[1] < inner["maximum"]:
            yield path, "maximum"
        if field.fields and isinstance(spec.get("properties"), dict):
            yield from _narrower(field.fields, spec["properties"], path)
