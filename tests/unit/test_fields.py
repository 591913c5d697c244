# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared fields are those of the gateways' own schemas, version for version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import (
    KINDS,
)
from unit.recordings import VERSIONS, schema, schemas

TYPES = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list",
    "set": "list", "map": "dict", "record": "dict", "foreign": "str",
}  # fmt: skip

# Declared, and in no schema that is at hand.
SHORTHAND = "a shorthand, which schemas do not list"
NEWER = "of a gateway newer than the schemas at hand"
ENTERPRISE = "of the enterprise edition"
EXPRESSIONS = "of the router flavor expressions, which the schemas at hand do not run"
NOT_LISTED: dict[str, str] = {
    "service.url": SHORTHAND,
    "service.tls_sans": NEWER,
    "target.failover": NEWER,
    "plugin.consumer_group": ENTERPRISE,
    "plugin.ordering": ENTERPRISE,
    "plugin.partials": ENTERPRISE,
    "plugin.condition": NEWER,
    "key_auth.ttl": "answered by every gateway, and listed by no schema",
    "key.x5t": NEWER,
    "upstream.sticky_sessions_cookie": NEWER,
    "upstream.sticky_sessions_cookie_path": NEWER,
    "route.expression": EXPRESSIONS,
    "route.priority": EXPRESSIONS,
}
# Choices that no schema at hand has.
MORE_CHOICES = {
    "service.protocol": ({"ws", "wss"}, ENTERPRISE),
    "route.protocols": ({"ws", "wss"}, ENTERPRISE),
    "plugin.protocols": ({"ws", "wss"}, ENTERPRISE),
    "upstream.algorithm": ({"sticky-sessions"}, NEWER),
    "jwt.algorithm": (
        {
            *("ES256K", "ESB256", "ESB320", "ESB384", "ESB512"),
            *("ESP256", "ESP384", "ESP512", "Ed25519", "Ed448"),
        },
        NEWER,
    ),
}
# ... and those that only the older schemas do not have.
MORE_CHOICES_BEFORE: dict[str, dict[str, set[str]]] = {
    version: {"jwt.algorithm": {"EdDSA", "ES512", "PS256", "PS384", "PS512"}}
    for version in ("3.4", "3.5")
}
# Texts that users may write as a dictionary.
JSON_TEXTS = {"key.jwk"}
# Secrets that no schema marks as encrypted.
NOT_ENCRYPTED = {
    "key_auth.key": "the credential itself",
    "hmac_auth.secret": "the credential itself",
    "jwt.secret": "signs tokens",
    "upstream.healthchecks.active.headers": "may hold the Authorization header",
}
# Arrays, in which a schema keeps the order, and in which it has no meaning.
ROUTING = "the router orders by specificity, not by position"
UNORDERED = {
    "route.hosts": ROUTING,
    "route.paths": ROUTING,
    "route.headers": ROUTING,
    "oauth2.redirect_uris": "addresses, any of them",
    "service.ca_certificates": "certificates to trust, any of them",
    "upstream.healthchecks.active.headers": "values of a header, each sent",
    **{
        f"upstream.healthchecks.{probe}.{verdict}.http_statuses": "statuses, any of them"
        for probe in ("active", "passive")
        for verdict in ("healthy", "unhealthy")
    },
}
# The kinds of the enterprise edition, which the schemas at hand do not have.
NO_SCHEMA = {"consumer_group", "consumer_group_member", "mtls_auth", "partial"}
DUMPED = [kind for name, kind in KINDS.items() if name not in NO_SCHEMA]
# Fields of a schema that users do not write: the gateway's own, and the parent.
NOT_WRITTEN = {"id", "created_at", "updated_at"}
MADE_BY_GATEWAY = {"ca_certificate": {"cert_digest"}}
# Identities that need not be written, and may be cleared where they are fields at all.
OTHERWISE_FOUND = {
    "consumer": "a custom_id is enough for the gateway",
    "certificate": "found by its snis, which are entities of their own",
}


def _specs(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: spec for entry in fields for name, spec in entry.items()}


def _pairs(
    fields: tuple[Field, ...], specs: dict[str, Any], at: str
) -> Iterator[tuple[str, Field, dict[str, Any] | None]]:
    """Each declared field, records deep, with its part of the schema."""
    for field in fields:
        spec, path = specs.get(field.name), f"{at}.{field.name}"
        yield path, field, spec
        if field.fields and spec is not None:
            inner = spec if spec["type"] == "record" else spec["elements"]
            yield from _pairs(field.fields, _specs(inner["fields"]), path)


def _declared(version: str) -> list[tuple[str, Field, dict[str, Any] | None]]:
    return [
        pair
        for kind in DUMPED
        for pair in _pairs(kind.fields, _specs(schema(kind, version)["fields"]), kind.name)
    ]


def _known(version: str) -> list[tuple[str, Field, dict[str, Any]]]:
    return [(path, field, spec) for path, field, spec in _declared(version) if spec is not None]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", DUMPED, ids=lambda kind: kind.name)
def test_every_field_of_a_gateway_can_be_written(kind: Kind, version: str) -> None:
    def missing(fields: tuple[Field, ...], specs: dict[str, Any]) -> Iterator[str]:
        by_name = {field.name: field for field in fields}
        yield from specs.keys() - by_name.keys()
        for name, spec in specs.items():
            field = by_name.get(name)
            inner = spec if spec["type"] == "record" else spec.get("elements") or {}
            if field is not None and inner.get("fields"):
                yield from missing(field.fields, _specs(inner["fields"]))

    found = set(missing(kind.fields, _specs(schema(kind, version)["fields"])))
    unwritten = ({kind.parent} if kind.parent else set()) | MADE_BY_GATEWAY.get(kind.name, set())
    assert found - NOT_WRITTEN - set(kind.read_only) == unwritten


@pytest.mark.parametrize("version", VERSIONS)
def test_every_declared_field_is_a_gateways_or_a_named_exception(version: str) -> None:
    unknown = {path for path, field, spec in _declared(version) if spec is None}
    assert unknown == set(NOT_LISTED)


@pytest.mark.parametrize("version", VERSIONS)
def test_only_kinds_of_the_enterprise_edition_have_no_schema(version: str) -> None:
    without = {kind.name for kind in KINDS.values() if kind.schema_name not in schemas(version)}
    assert without == NO_SCHEMA
    assert all(KINDS[name].optional for name in NO_SCHEMA)


@pytest.mark.parametrize("version", VERSIONS)
def test_types_are_the_gateways(version: str) -> None:
    for path, field, spec in _known(version):
        assert field.type == ("json" if path in JSON_TEXTS else TYPES[spec["type"]]), path
        if spec["type"] in ("array", "set"):
            assert field.elements == TYPES[spec["elements"]["type"]], path
        assert field.is_record == (spec["type"] == "record"), path
        if spec["type"] == "foreign":
            assert KINDS[field.reference or ""].schema_name == spec["reference"], path
        else:
            assert field.reference is None, path


@pytest.mark.parametrize("version", VERSIONS)
def test_choices_are_the_gateways_and_named_newer_ones(version: str) -> None:
    more = {}
    for path, field, spec in _known(version):
        offered = set((spec.get("elements") or spec).get("one_of") or ())
        assert offered <= set(field.choices or ()), path
        assert bool(offered) == bool(field.choices), path
        if offered < set(field.choices or ()):
            more[path] = set(field.choices or ()) - offered
    named = {path: names for path, (names, reason) in MORE_CHOICES.items()}
    for path, names in MORE_CHOICES_BEFORE.get(version, {}).items():
        named[path] = named.get(path, set()) | names
    assert more == named


@pytest.mark.parametrize("version", VERSIONS)
def test_ranges_are_the_gateways(version: str) -> None:
    for path, field, spec in _known(version):
        between = (spec.get("elements") or spec).get("between")
        assert field.between == (tuple(between) if between else None), path


@pytest.mark.parametrize("version", VERSIONS)
def test_sets_have_no_order_and_arrays_without_meaning_are_named(version: str) -> None:
    arrays = set()
    for path, field, spec in _known(version):
        if spec["type"] == "set":
            assert field.unordered, path
        elif field.unordered:
            assert spec["type"] in ("array", "map"), path
            arrays.add(path)
    assert arrays == set(UNORDERED)


def _is_identified(kind: Kind) -> bool:
    return any(field.name == kind.identity.field and not field.nullable for field in kind.fields)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_required_field_without_default_cannot_be_cleared(version: str) -> None:
    assert {kind.name for kind in DUMPED if not _is_identified(kind)} == set(OTHERWISE_FOUND)
    for kind in filter(_is_identified, DUMPED):
        # Where the identity is required by the gateway, too, this is the same rule.
        spec = _specs(schema(kind, version)["fields"])[kind.identity.field]
        assert spec.get("unique") or spec.get("required"), kind.name


@pytest.mark.parametrize("version", VERSIONS)
def test_encrypted_fields_are_masked(version: str) -> None:
    encrypted = {path for path, field, spec in _known(version) if spec.get("encrypted")}
    masked = {
        path for path, field, spec in _known(version) if field.secret or field.sensitive is not None
    }
    assert masked - encrypted == set(NOT_ENCRYPTED)
    assert encrypted <= masked
    assert len(encrypted) > 3


# Relations of which the schemas say nothing: gateways delete SNIs along with their certificate
# (case certificates); no dump has the kinds of the enterprise edition.
UNDECLARED = {("sni", "certificate"), ("plugin", "consumer_group")}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_delete_takes_along_or_is_refused_for_is_the_gateways(version: str) -> None:
    for kind in DUMPED:
        specs = _specs(schema(kind, version)["fields"])
        for field in kind.references:
            spec = specs.get(field.name, {})
            if (kind.name, field.name) not in UNDECLARED and spec:
                assert field.on_delete == spec.get("on_delete", "restrict"), field.name
                assert KINDS[str(field.reference)].schema_name == spec["reference"]
