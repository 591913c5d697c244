# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across fields that the dumps announce as `custom_entity_check` and do not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .errors import unexpected
from .pem import certificate_error, is_reference, key_kind, pair_error

#: Errors of the whole, and errors by field.
Findings = tuple[list[str], dict[str, str]]


def certificate_pair(certificate: dict[str, Any]) -> Findings:
    """A certificate and a key that belong to each other."""
    return _pair(certificate, "cert", "key")


def alternative_pair(certificate: dict[str, Any]) -> Findings:
    """The second certificate and its key."""
    return _pair(certificate, "cert_alt", "key_alt")


def _pair(certificate: dict[str, Any], cert: str, key: str) -> Findings:
    if not certificate.get(cert) or not certificate.get(key):
        return [], {}
    error = pair_error(certificate[cert], certificate[key])
    return ([error] if error else []), {}


def ca_certificate(data: dict[str, Any]) -> Findings:
    """One certificate that may sign others."""
    error = certificate_error(data["cert"], authority=True)
    return ([error] if error else []), {}


#: The members that make up a JSON Web Key, by its type; symmetric keys cannot be loaded
#: (conformance: vaults_and_keys).
JWK_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


def key_material(key: dict[str, Any]) -> Findings:
    """A JSON Web Key that has the key's own `kid` and can be loaded."""
    text = key.get("jwk")
    if not text or is_reference(text):
        return [], {}
    try:
        jwk = json.loads(text)
    except ValueError:
        return ["could not json decode jwk string"], {}
    if not isinstance(jwk, dict):
        raise unexpected()
    if jwk.get("kid") != key.get("kid"):
        return ["kid in jwk.kid must be equal to keys.kid"], {}
    members = JWK_MEMBERS.get(jwk.get("kty", ""), ())
    if not members or not all(_base64url(jwk.get(name)) for name in members):
        return ["could not load JWK, likely not a valid key"], {}
    return [], {}


def _base64url(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]+", value) is not None


def proxy_url(data: dict[str, Any]) -> Findings:
    """aws-lambda reaches its proxy by plain HTTP only."""
    url = (data.get("config") or {}).get("proxy_url")
    if isinstance(url, str) and not url.startswith("http://"):
        return ["proxy_url scheme must be http"], {}
    return [], {}


#: The shared memory of every gateway in which a plugin can cache.
_SHARED = (
    *("kong", "kong_locks", "kong_db_cache", "kong_db_cache_miss", "kong_core_db_cache"),
    *("kong_core_db_cache_miss", "kong_healthchecks", "kong_cluster_events", "kong_secrets"),
    *("kong_rate_limiting_counters", "prometheus_metrics"),
)


def cache_memory(data: dict[str, Any]) -> Findings:
    """proxy-cache keeps responses in shared memory that the gateway has."""
    config = data["config"]
    name = (config.get("memory") or {}).get("dictionary_name")
    if config.get("strategy") == "memory" and name not in (None, *_SHARED):
        return [f"missing shared dict '{name}'"], {}
    return [], {}


def certificate_kinds(certificate: dict[str, Any]) -> Findings:
    """The second certificate is there for another kind of key than the first."""
    kinds = [key_kind(certificate[name] or "") for name in ("cert", "cert_alt")]
    if kinds[0] is None or kinds[0] != kinds[1]:
        return [], {}
    return [
        "certificate and alternative certificate need to have different type "
        "(e.g. RSA and ECDSA), the provided certificates were both of the same type"
    ], {}


#: The check by the record's path and the fields that the dump names for it.
CUSTOM: dict[tuple[str, tuple[str, ...]], Callable[[dict[str, Any]], Findings]] = {
    ("certificates", ("cert", "key")): certificate_pair,
    ("certificates", ("cert_alt", "key_alt")): alternative_pair,
    ("certificates", ("cert", "cert_alt")): certificate_kinds,
    ("ca_certificates", ("cert",)): ca_certificate,
    ("keys", ("jwk", "pem", "kid")): key_material,
    ("plugins/aws-lambda", ("config.proxy_url",)): proxy_url,
    ("plugins/proxy-cache", ("config",)): cache_memory,
}
